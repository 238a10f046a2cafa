using System.Buffers.Binary;

namespace Engine.Tests.Oracles;

/// <summary>Writes a frame front to back into a buffer that is used again. Everything in network byte order.</summary>
internal sealed class FrameBuilder(int capacity = 2048)
{
    private readonly byte[] _bytes = new byte[capacity];

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>What was written; valid until the next <see cref="Clear"/>.</summary>
    public Span<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void U8(int value) => _bytes[Length++] = (byte)value;

    public void U16(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(Length), (ushort)value);
        Length += 2;
    }

    public void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_bytes.AsSpan(Length), value);
        Length += 4;
    }

    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>Zeros, to be filled in later through <see cref="Written"/>.</summary>
    public Span<byte> Reserve(int count)
    {
        Span<byte> reserved = _bytes.AsSpan(Length, count);
        reserved.Clear();
        Length += count;
        return reserved;
    }
}
