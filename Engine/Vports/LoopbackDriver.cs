using Engine.Packets;

namespace Engine.Vports;

/// <summary>A port made of memory: the program puts packets in, the datapath's packets are taken out by it.</summary>
/// <remarks>
/// <para>Two bounded rings of bytes, allocated once; nothing is allocated per packet.</para>
/// <para>Threads: one program thread may call <see cref="TryPut"/> and one <see cref="TryTake"/> while a worker runs the driver.</para>
/// </remarks>
public sealed unsafe class LoopbackDriver : IVportDriver
{
    /// <summary>Bytes of each ring when the constructor is not told.</summary>
    public const int DefaultRingSize = 1 << 20;

    private readonly PacketBytesRing _toDatapath;
    private readonly PacketBytesRing _fromDatapath;
    private long _droppedTooLong;

    /// <summary>Makes both rings.</summary>
    /// <param name="ringSize">Bytes of each ring, a power of two of at least 64; a packet takes its length and 4, rounded up to 8, and may be half a ring long.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is no power of two, or too small.</exception>
    public LoopbackDriver(int ringSize = DefaultRingSize)
    {
        _toDatapath = new PacketBytesRing(ringSize);
        _fromDatapath = new PacketBytesRing(ringSize);
    }

    /// <summary>Packets put in that are longer than <see cref="PacketPool.MaximumPacketLength"/>; each was dropped as <see cref="DropReason.FrameTooSmall"/>.</summary>
    public long DroppedTooLong => Volatile.Read(ref _droppedTooLong);

    /// <summary>Puts a packet in, to be received by the datapath. The bytes are copied.</summary>
    /// <returns>False, with nothing put in, when the ring has no room for it.</returns>
    public bool TryPut(ReadOnlySpan<byte> packet) => _toDatapath.TryWrite(packet);

    /// <summary>Takes the oldest packet out that the datapath has sent.</summary>
    /// <param name="destination">Gets the bytes; what does not fit is cut off.</param>
    /// <param name="length">The packet's whole length, which may be more than was copied.</param>
    /// <returns>False when there is none.</returns>
    public bool TryTake(Span<byte> destination, out int length)
    {
        if (!_fromDatapath.TryPeek(out ReadOnlySpan<byte> packet))
        {
            length = 0;
            return false;
        }

        length = packet.Length;
        packet[..Math.Min(length, destination.Length)].CopyTo(destination);
        _fromDatapath.Remove();
        return true;
    }

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
        while (!batch.IsFull && _toDatapath.TryPeek(out ReadOnlySpan<byte> bytes))
        {
            if (bytes.Length > PacketPool.MaximumPacketLength)
            {
                Volatile.Write(ref _droppedTooLong, _droppedTooLong + 1);
                _toDatapath.Remove();
                continue;
            }

            Packet* packet = pool.TryAllocate(bytes.Length);
            if (packet == null)
            {
                // Stays in the ring until a frame is free, as in the ring of a device.
                return;
            }

            packet->TrySetBytes(bytes);
            batch.Add(packet);
            _toDatapath.Remove();
        }
    }

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        int sent = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);
            sent += _fromDatapath.TryWrite(packet->Bytes) ? 1 : 0;
            pool.Free(packet);
        }

        batch.Clear();
        return sent;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
