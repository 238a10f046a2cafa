using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>UDP header, RFC 768. 8 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------------------------------+-------------------------------+
/// |          Source port          |       Destination port        |
/// +-------------------------------+-------------------------------+
/// |            Length             |           Checksum            |
/// +-------------------------------+-------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 8)]
public partial struct UdpHeader
{
    /// <summary>Source port.</summary>
    public Be16 SourcePort;

    /// <summary>Destination port.</summary>
    public Be16 DestinationPort;

    /// <summary>Bytes of header and payload.</summary>
    public Be16 Length;

    /// <summary>RFC 1071 checksum of pseudo header, header and payload; 0 means none was computed.</summary>
    public Be16 Checksum;
}
