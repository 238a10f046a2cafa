using Engine.Packets;

namespace Engine.Vports;

/// <summary>A port made of captures: receives the packets of one, and writes what is sent to another.</summary>
/// <remarks>
/// <para>A packet keeps its time: what is written carries the time of the received packet it came from.</para>
/// <para>Threads: as <see cref="IVportDriver"/>.</para>
/// </remarks>
public sealed unsafe class PcapDriver : IVportDriver
{
    private readonly CaptureReader? _input;
    private readonly CaptureWriter? _output;

    // A packet that waits for a frame; none when the length is -1.
    private byte[]? _held;
    private int _heldLength = -1;
    private long _heldTimestampNs;

    /// <summary>Makes a port of one capture or two.</summary>
    /// <param name="input">What it receives, null for nothing. Belongs to the driver.</param>
    /// <param name="output">Where what is sent goes, null to discard it. Belongs to the driver.</param>
    public PcapDriver(CaptureReader? input, CaptureWriter? output)
    {
        _input = input;
        _output = output;
        IsFinished = input == null;
    }

    /// <summary>Whether everything was received that the input has.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>How far the input has been read, in bytes.</summary>
    public long Position => _input?.Position ?? 0;

    /// <summary>Why the input ended before its time; <see cref="CaptureFaultKind.None"/> if it did not.</summary>
    public CaptureFault Fault => _input?.Fault ?? default;

    /// <summary>Packets of the input that are longer than <see cref="PacketPool.MaximumPacketLength"/>; each was dropped as <see cref="DropReason.FrameTooSmall"/>.</summary>
    public long DroppedTooLong { get; private set; }

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
        while (!batch.IsFull && TryNext(out CapturedPacket captured))
        {
            if (captured.Bytes.Length > PacketPool.MaximumPacketLength)
            {
                DroppedTooLong++;
                continue;
            }

            Packet* packet = pool.TryAllocate(captured.Bytes.Length);
            if (packet == null)
            {
                Hold(in captured);
                return;
            }

            packet->TrySetBytes(captured.Bytes);
            packet->TimestampNs = captured.TimestampNs;
            batch.Add(packet);
        }
    }

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        int sent = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);
            sent += _output == null || _output.TryWrite(packet->Bytes, packet->TimestampNs) ? 1 : 0;
            pool.Free(packet);
        }

        batch.Clear();
        return sent;
    }

    /// <summary>Closes both captures.</summary>
    public void Dispose()
    {
        _input?.Dispose();
        _output?.Dispose();
    }

    // The packet that was held, or the next of the input.
    private bool TryNext(out CapturedPacket captured)
    {
        if (_heldLength >= 0)
        {
            captured = new CapturedPacket { Bytes = _held.AsSpan(0, _heldLength), TimestampNs = _heldTimestampNs };
            _heldLength = -1;
            return true;
        }

        captured = default;
        IsFinished = IsFinished || !_input!.TryRead(out captured);
        return !IsFinished;
    }

    // Keeps a packet that was read while no frame was free, until there is one.
    private void Hold(in CapturedPacket captured)
    {
        _held ??= new byte[PacketPool.MaximumPacketLength];
        captured.Bytes.CopyTo(_held);
        _heldLength = captured.Bytes.Length;
        _heldTimestampNs = captured.TimestampNs;
    }
}
