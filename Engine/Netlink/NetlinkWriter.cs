using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Engine.Netlink;

/// <summary>Writes netlink attributes into a buffer of the caller, header by header. Never allocates.</summary>
/// <remarks>When the buffer is too small, or an attribute longer than its 16 bits of length can say, <see cref="Overflowed"/> becomes true and nothing more is written.</remarks>
public ref struct NetlinkWriter
{
    private readonly Span<byte> _buffer;
    private int _length;

    /// <summary>Writes into <paramref name="buffer"/> from its start.</summary>
    public NetlinkWriter(Span<byte> buffer) => _buffer = buffer;

    /// <summary>Bytes written.</summary>
    public readonly int Length => _length;

    /// <summary>Whether something did not fit.</summary>
    public bool Overflowed { get; private set; }

    /// <summary>What has been written.</summary>
    public readonly ReadOnlySpan<byte> Written => _buffer[.._length];

    /// <summary>Writes an attribute with a host-order number or struct as payload.</summary>
    public void Put<T>(int type, in T value)
        where T : unmanaged
    {
        Span<byte> payload = Put(type, Unsafe.SizeOf<T>());
        if (!payload.IsEmpty)
        {
            MemoryMarshal.Write(payload, in value);
        }
    }

    /// <summary>Writes an attribute with a copy of <paramref name="payload"/>.</summary>
    public void Put(int type, scoped ReadOnlySpan<byte> payload)
    {
        Span<byte> destination = Put(type, payload.Length);
        if (!Overflowed)
        {
            payload.CopyTo(destination);
        }
    }

    /// <summary>Writes an attribute with a string and its NUL as payload.</summary>
    public void PutString(int type, scoped ReadOnlySpan<char> value)
    {
        Span<byte> payload = Put(type, Encoding.UTF8.GetByteCount(value) + 1);
        if (!payload.IsEmpty)
        {
            Encoding.UTF8.GetBytes(value, payload);
            payload[^1] = 0;
        }
    }

    /// <summary>Writes bytes that are no attribute: a header, or an array inside a nested attribute. They have to be a multiple of 4.</summary>
    public void PutRaw(scoped ReadOnlySpan<byte> bytes)
    {
        if (Overflowed || bytes.Length > _buffer.Length - _length)
        {
            Overflowed = true;
            return;
        }

        bytes.CopyTo(_buffer[_length..]);
        _length += bytes.Length;
    }

    /// <summary>Makes room for bytes that the caller fills in. They have to be a multiple of 4.</summary>
    /// <returns>The bytes, or an empty span on overflow.</returns>
    internal Span<byte> Take(int length)
    {
        if (Overflowed || length > _buffer.Length - _length)
        {
            Overflowed = true;
            return default;
        }

        Span<byte> bytes = _buffer.Slice(_length, length);
        _length += length;
        return bytes;
    }

    /// <summary>Writes an attribute whose payload the caller fills in. Padding is zeroed, the payload is not.</summary>
    /// <returns>The payload, or an empty span on overflow.</returns>
    public Span<byte> Put(int type, int payloadLength)
    {
        int size = NetlinkAttribute.HeaderSize + payloadLength;
        int padded = (size + 3) & ~3;
        if (Overflowed || size > ushort.MaxValue || padded > _buffer.Length - _length)
        {
            Overflowed = true;
            return default;
        }

        Span<byte> attribute = _buffer.Slice(_length, padded);
        MemoryMarshal.Write(attribute, (ushort)size);
        MemoryMarshal.Write(attribute[2..], (ushort)type);
        if (size != padded)
        {
            attribute[size..].Clear();
        }

        Span<byte> payload = attribute.Slice(NetlinkAttribute.HeaderSize, payloadLength);
        _length += padded;
        return payload;
    }

    /// <summary>Starts an attribute whose payload is attributes; end it with <see cref="EndNested"/>.</summary>
    /// <returns>A token for <see cref="EndNested"/>.</returns>
    public int BeginNested(int type)
    {
        int start = _length;
        Put(type, 0);
        return start;
    }

    /// <summary>Ends the attribute that <see cref="BeginNested"/> started.</summary>
    public void EndNested(int start)
    {
        Overflowed |= _length - start > ushort.MaxValue;
        if (!Overflowed)
        {
            MemoryMarshal.Write(_buffer[start..], (ushort)(_length - start));
        }
    }

    /// <summary>Changes the type of an attribute that was written.</summary>
    /// <param name="start">Offset of its header: <see cref="Length"/> before it was written.</param>
    /// <param name="type">The new type.</param>
    public void ChangeType(int start, int type) => MemoryMarshal.Write(_buffer[(start + 2)..], (ushort)type);

    /// <summary>Takes back everything from <paramref name="start"/> on.</summary>
    public void Truncate(int start) => _length = start;

    /// <summary>Starts a message with its header; end it with <see cref="EndMessage"/>.</summary>
    /// <param name="header">The header; its length is filled in at the end.</param>
    /// <returns>A token for <see cref="EndMessage"/>.</returns>
    public int BeginMessage(in NetlinkHeader header)
    {
        int start = _length;
        PutRaw(MemoryMarshal.AsBytes(new ReadOnlySpan<NetlinkHeader>(in header)));
        return start;
    }

    /// <summary>Ends the message that <see cref="BeginMessage"/> started.</summary>
    public void EndMessage(int start)
    {
        if (!Overflowed)
        {
            MemoryMarshal.Write(_buffer[start..], _length - start);
        }
    }

    /// <summary>Takes back everything from <paramref name="start"/> on, and with it that something did not fit.</summary>
    public void Restart(int start)
    {
        _length = start;
        Overflowed = false;
    }
}
