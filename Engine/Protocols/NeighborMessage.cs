using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>Neighbor solicitation or advertisement without options, RFC 4861 sections 4.3 and 4.4. 24 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------+---------------+-------------------------------+
/// |     Type      |     Code      |           Checksum            |
/// +-+-+-+---------+---------------+-------------------------------+
/// |R|S|O|                       Reserved                          |
/// +-+-+-+---------------------------------------------------------+
/// |                        Target address                         |
/// +                           16 bytes                            +
/// +---------------------------------------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 24)]
public partial struct NeighborMessage
{
    /// <summary>Solicitation or advertisement.</summary>
    public byte Type;

    /// <summary>0.</summary>
    public byte Code;

    /// <summary>RFC 1071 checksum of pseudo header and message.</summary>
    public Be16 Checksum;

    /// <summary>Flags of an advertisement.</summary>
    public Be32 Flags;

    /// <summary>The address asked for or announced.</summary>
    public Ipv6Address Target;

    /// <summary>The sender is a router.</summary>
    [BitRange(nameof(Flags), Shift = 31, Width = 1)]
    public partial bool IsRouter { readonly get; set; }

    /// <summary>Answers a solicitation.</summary>
    [BitRange(nameof(Flags), Shift = 30, Width = 1)]
    public partial bool IsSolicited { readonly get; set; }

    /// <summary>Replaces a cached link-layer address.</summary>
    [BitRange(nameof(Flags), Shift = 29, Width = 1)]
    public partial bool Overrides { readonly get; set; }
}
