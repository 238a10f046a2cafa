using Engine.Packets;

namespace Engine.Vports;

/// <summary>Receives the packets of a capture again and again from memory, without end; discards what is sent to it.</summary>
/// <remarks>
/// <para>For benchmarks: the packets are held in native memory and each is copied into a frame of the pool, as the DMA of a network card would.</para>
/// <para>Threads: as <see cref="IVportDriver"/>.</para>
/// </remarks>
public sealed unsafe class PcapLoopDriver : IVportDriver
{
    private readonly PacketStore _store;
    private int _next;

    /// <summary>Plays the packets of <paramref name="store"/>, which belongs to the driver afterwards and must not grow any more.</summary>
    public PcapLoopDriver(PacketStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        _store = store;
    }

    /// <summary>Packets played that are longer than <see cref="PacketPool.MaximumPacketLength"/>; each was dropped as <see cref="DropReason.FrameTooSmall"/>.</summary>
    public long DroppedTooLong { get; private set; }

    /// <summary>Reads what is left of a capture into memory.</summary>
    /// <param name="input">The capture; still belongs to the caller, and its <see cref="CaptureReader.Fault"/> tells whether all could be read.</param>
    public static PacketStore Load(CaptureReader input)
    {
        ArgumentNullException.ThrowIfNull(input);
        PacketStore store = new();
        while (input.TryRead(out CapturedPacket packet))
        {
            store.Add(packet.Bytes);
        }

        return store;
    }

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
        if (_store.Count != 0 && _store.MaximumLength <= pool.StandardLength)
        {
            ReceiveStandard(pool, ref batch);
        }
        else
        {
            ReceiveAnySize(pool, ref batch);
        }
    }

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        int count = batch.Count;
        pool.Free(ref batch);
        return count;
    }

    /// <summary>Frees the packets held.</summary>
    public void Dispose() => _store.Dispose();

    // All packets fit a standard frame, so the frames are taken at once.
    private void ReceiveStandard(PacketPool pool, ref PacketBatch batch)
    {
        PacketStore store = _store;
        int next = _next;
        int first = batch.Count;
        pool.Allocate(ref batch, PacketBatch.Capacity - first);
        for (int i = first; i < batch.Count; i++)
        {
            store.CopyTo(next, batch.Pointer(i));
            next = next + 1 == store.Count ? 0 : next + 1;
        }

        _next = next;
    }

    private void ReceiveAnySize(PacketPool pool, ref PacketBatch batch)
    {
        PacketStore store = _store;
        int count = store.Count;
        int next = _next;
        int room = count == 0 ? 0 : PacketBatch.Capacity - batch.Count;
        for (int i = 0; i < room; i++)
        {
            int length = store.LengthOf(next);
            Packet* packet = pool.TryAllocate(length);
            if (packet != null)
            {
                store.CopyTo(next, packet);
                batch.Add(packet);
            }
            else if (length <= PacketPool.MaximumPacketLength)
            {
                break;
            }
            else
            {
                DroppedTooLong++;
            }

            next = next + 1 == count ? 0 : next + 1;
        }

        _next = next;
    }
}
