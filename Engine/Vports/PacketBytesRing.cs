using System.Numerics;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>A bounded ring of packets by value: each is a 4-byte length and its bytes, rounded up to 8, never split at the ring's end.</summary>
/// <remarks>Threads: one writer and one reader at a time, without a lock. Each publishes its own position after it has touched the bytes.</remarks>
internal sealed class PacketBytesRing
{
    private const int LengthSize = sizeof(int);
    private const int Alignment = 8;

    // In the place of a length: nothing more up to the ring's end.
    private const int WrapMark = -1;

    private readonly byte[] _bytes;
    private long _written;
    private long _read;

    public PacketBytesRing(int size)
    {
        if (size < 64 || !BitOperations.IsPow2(size))
        {
            throw new ArgumentOutOfRangeException(nameof(size), size, "A ring is a power of two of at least 64 bytes.");
        }

        _bytes = new byte[size];
    }

    /// <summary>Copies a packet in; false, with nothing changed, when there is no room.</summary>
    public bool TryWrite(ReadOnlySpan<byte> packet)
    {
        long written = _written;
        long need = RecordSize(packet.Length);
        int at = Position(written);
        int untilEnd = _bytes.Length - at;
        long total = need <= untilEnd ? need : untilEnd + need;
        if (written + total - Volatile.Read(ref _read) > _bytes.Length)
        {
            return false;
        }

        if (need > untilEnd)
        {
            MemoryMarshal.Write(_bytes.AsSpan(at), WrapMark);
            at = 0;
        }

        MemoryMarshal.Write(_bytes.AsSpan(at), packet.Length);
        packet.CopyTo(_bytes.AsSpan(at + LengthSize));
        Volatile.Write(ref _written, written + total);
        return true;
    }

    /// <summary>Shows the oldest packet in place. The bytes hold until <see cref="Remove"/>.</summary>
    public bool TryPeek(out ReadOnlySpan<byte> packet)
    {
        long read = _read;
        if (read == Volatile.Read(ref _written))
        {
            packet = default;
            return false;
        }

        int at = Position(read);
        int length = MemoryMarshal.Read<int>(_bytes.AsSpan(at));
        if (length == WrapMark)
        {
            // The writer publishes mark and packet together, so there is one at the start. The skipped bytes are given back with it.
            at = 0;
            length = MemoryMarshal.Read<int>(_bytes);
        }

        packet = _bytes.AsSpan(at + LengthSize, length);
        return true;
    }

    /// <summary>Gives the bytes of the packet last peeked at back to the writer.</summary>
    public void Remove()
    {
        long read = _read;
        Invariant.Assert(read != Volatile.Read(ref _written));
        int at = Position(read);
        int length = MemoryMarshal.Read<int>(_bytes.AsSpan(at));
        if (length == WrapMark)
        {
            read += _bytes.Length - at;
            length = MemoryMarshal.Read<int>(_bytes);
        }

        Volatile.Write(ref _read, read + RecordSize(length));
    }

    private int Position(long count) => (int)(count & (_bytes.Length - 1));

    private static long RecordSize(int length) => ((long)length + LengthSize + Alignment - 1) & -Alignment;
}
