using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>IPv6 header, RFC 8200 section 3. 40 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------+---------------+---------------------------------------+
/// |Version| Traffic class |              Flow label               |
/// +-------+---------------+-------+---------------+---------------+
/// |        Payload length         |  Next header  |   Hop limit   |
/// +-------------------------------+---------------+---------------+
/// |                        Source address                         |
/// +                           16 bytes                            +
/// +---------------------------------------------------------------+
/// |                      Destination address                      |
/// +                           16 bytes                            +
/// +---------------------------------------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 40)]
public partial struct Ipv6Header
{
    /// <summary><see cref="Version"/>, <see cref="TrafficClass"/> and <see cref="FlowLabel"/>.</summary>
    public Be32 VersionClassAndLabel;

    /// <summary>Bytes after this header, extension headers included; 0 for a jumbogram.</summary>
    public Be16 PayloadLength;

    /// <summary>Type of the header that follows: one of <see cref="IpProtocols"/>.</summary>
    public byte NextHeader;

    /// <summary>Hop limit.</summary>
    public byte HopLimit;

    /// <summary>Source address.</summary>
    public Ipv6Address Source;

    /// <summary>Destination address.</summary>
    public Ipv6Address Destination;

    /// <summary>6.</summary>
    [BitRange(nameof(VersionClassAndLabel), Shift = 28, Width = 4)]
    public partial byte Version { readonly get; set; }

    /// <summary>DSCP and ECN, as the TOS of IPv4.</summary>
    [BitRange(nameof(VersionClassAndLabel), Shift = 20, Width = 8)]
    public partial byte TrafficClass { readonly get; set; }

    /// <summary>RFC 6437.</summary>
    [BitRange(nameof(VersionClassAndLabel), Shift = 0, Width = 20)]
    public partial uint FlowLabel { readonly get; set; }
}
