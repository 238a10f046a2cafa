using System.Runtime.InteropServices;
using Engine.Netlink;

namespace Engine.Actions;

/// <summary>Bytes that grow at the end while a list is compiled; kept by the compiler from one list to the next.</summary>
internal sealed class ByteBuffer
{
    private byte[] _bytes = new byte[256];

    public int Length { get; private set; }

    public Span<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    /// <summary>Adds <paramref name="count"/> zero bytes.</summary>
    /// <returns>The bytes, valid until the next append.</returns>
    public Span<byte> Append(int count)
    {
        if (count > _bytes.Length - Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        }

        Span<byte> added = _bytes.AsSpan(Length, count);
        added.Clear();
        Length += count;
        return added;
    }

    public void Append(scoped ReadOnlySpan<byte> bytes) => bytes.CopyTo(Append(bytes.Length));

    /// <summary>Adds a netlink attribute, padded with zeros.</summary>
    public void PutAttribute(int type, scoped ReadOnlySpan<byte> payload)
    {
        int size = NetlinkAttribute.HeaderSize + payload.Length;
        Span<byte> attribute = Append((size + 3) & ~3);
        MemoryMarshal.Write(attribute, (ushort)size);
        MemoryMarshal.Write(attribute[2..], (ushort)type);
        payload.CopyTo(attribute[NetlinkAttribute.HeaderSize..]);
    }

    /// <summary>Adds a netlink attribute with a number or struct in host order.</summary>
    public void PutAttribute<T>(int type, T value)
        where T : unmanaged => PutAttribute(type, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    /// <summary>Starts an attribute that holds attributes.</summary>
    /// <returns>What <see cref="EndNested"/> needs to end it.</returns>
    public int BeginNested(int type)
    {
        int start = Length;
        PutAttribute(type, default);
        return start;
    }

    /// <summary>Ends the attribute started by <see cref="BeginNested"/>.</summary>
    /// <returns>False when it is longer than a netlink attribute can be.</returns>
    public bool EndNested(int start)
    {
        MemoryMarshal.Write(_bytes.AsSpan(start), (ushort)(Length - start));
        return Length - start <= ushort.MaxValue;
    }
}
