using System.Runtime.InteropServices;

namespace Engine.Netlink;

/// <summary>Walks a run of netlink attributes, for use with <c>foreach</c>. Stops at the first malformed header, as the kernel's <c>nla_for_each_attr</c>.</summary>
public ref struct NetlinkAttributes
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _baseOffset;
    private int _next;
    private NetlinkAttribute _current;

    /// <summary>Walks <paramref name="bytes"/>.</summary>
    /// <param name="bytes">Attributes one after the other.</param>
    /// <param name="baseOffset">Added to <see cref="NetlinkAttribute.Offset"/>, for nested attributes.</param>
    public NetlinkAttributes(ReadOnlySpan<byte> bytes, int baseOffset = 0)
    {
        _bytes = bytes;
        _baseOffset = baseOffset;
    }

    /// <summary>The attribute reached by <see cref="MoveNext"/>.</summary>
    public readonly NetlinkAttribute Current => _current;

    /// <summary>Bytes after the last attribute that was reached; nonzero at the end means the run is malformed there.</summary>
    public readonly int Remaining => Math.Max(0, _bytes.Length - _next);

    /// <summary>Goes to the next attribute.</summary>
    /// <returns>False at the end or at a malformed header.</returns>
    public bool MoveNext()
    {
        if (_next > _bytes.Length - NetlinkAttribute.HeaderSize)
        {
            return false;
        }

        int length = MemoryMarshal.Read<ushort>(_bytes[_next..]);
        if (length < NetlinkAttribute.HeaderSize || length > _bytes.Length - _next)
        {
            return false;
        }

        int type = MemoryMarshal.Read<ushort>(_bytes[(_next + 2)..]) & NetlinkAttribute.TypeMask;
        _current = new NetlinkAttribute(type, _bytes.Slice(_next + NetlinkAttribute.HeaderSize, length - NetlinkAttribute.HeaderSize), _baseOffset + _next);
        _next += (length + 3) & ~3;
        return true;
    }

    /// <summary>This walk, from the start.</summary>
    public readonly NetlinkAttributes GetEnumerator() => new(_bytes, _baseOffset);
}
