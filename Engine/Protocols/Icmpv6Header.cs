using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>ICMPv6 header, RFC 4443 section 2.1, with the first word of the message. 8 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------+---------------+-------------------------------+
/// |     Type      |     Code      |           Checksum            |
/// +---------------+---------------+-------------------------------+
/// |                        Rest of header                         |
/// +---------------------------------------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 8)]
public partial struct Icmpv6Header
{
    /// <summary><see cref="Type"/> of a neighbor solicitation, RFC 4861 section 4.3.</summary>
    public const byte NeighborSolicitation = 135;

    /// <summary><see cref="Type"/> of a neighbor advertisement, RFC 4861 section 4.4.</summary>
    public const byte NeighborAdvertisement = 136;

    /// <summary>Kind of message.</summary>
    public byte Type;

    /// <summary>Says more than <see cref="Type"/>.</summary>
    public byte Code;

    /// <summary>RFC 1071 checksum of pseudo header and message.</summary>
    public Be16 Checksum;

    /// <summary>By type; the flags of a neighbor advertisement.</summary>
    public Be32 Rest;
}
