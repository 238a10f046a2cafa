using System.Runtime.InteropServices;

namespace Engine.Netlink;

/// <summary>struct nlmsghdr of linux/netlink.h, in host order. 16 bytes.</summary>
/// <remarks>
/// <code>
/// | length of all, this header included : 32 | type : 16 | flags : 16 | sequence : 32 | port id of the sender : 32 |
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public struct NetlinkHeader
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 16;

    /// <summary>NLMSG_ERROR: an error or, with errno 0, an ack.</summary>
    public const ushort ErrorType = 2;

    /// <summary>NLMSG_DONE: the end of a dump.</summary>
    public const ushort DoneType = 3;

    /// <summary>NLMSG_MIN_TYPE: lower types are control messages.</summary>
    public const ushort FirstFamilyType = 16;

    /// <summary>Bytes of the message, header included, without padding.</summary>
    public uint Length;

    /// <summary>In generic netlink the family's number.</summary>
    public ushort Type;

    /// <summary><see cref="NetlinkFlags"/>.</summary>
    public ushort Flags;

    /// <summary>Chosen by who asks, repeated in the answer.</summary>
    public uint Sequence;

    /// <summary>Netlink port id: of the sender in a request, of the receiver in an answer.</summary>
    public uint PortId;

    /// <summary>Whether all bits of <paramref name="flags"/> are set.</summary>
    public readonly bool Has(ushort flags) => (Flags & flags) == flags;
}
