using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>ICMP header, RFC 792. 8 bytes.</summary>
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
public partial struct IcmpHeader
{
    /// <summary>Kind of message.</summary>
    public byte Type;

    /// <summary>Says more than <see cref="Type"/>.</summary>
    public byte Code;

    /// <summary>RFC 1071 checksum of the message.</summary>
    public Be16 Checksum;

    /// <summary>Identifier and sequence number of an echo; otherwise by type.</summary>
    public Be32 Rest;
}
