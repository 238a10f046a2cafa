using Engine.Annotations;

namespace Engine.Protocols;

/// <summary>Start of an IPv6 routing header, RFC 8200 section 4.4. 4 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------+---------------+---------------+---------------+
/// |  Next header  |    Length     |     Type      | Segments left |
/// +---------------+---------------+---------------+---------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 4)]
public partial struct Ipv6RoutingHeader
{
    /// <summary>Type of the header that follows this one.</summary>
    public byte NextHeader;

    /// <summary>Units of 8 bytes after the first 8.</summary>
    public byte Length;

    /// <summary>Kind of routing header.</summary>
    public byte RoutingType;

    /// <summary>Nodes still to be visited.</summary>
    public byte SegmentsLeft;
}
