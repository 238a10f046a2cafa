using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>SCTP common header, RFC 9260 section 3.1. 12 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------------------------------+-------------------------------+
/// |          Source port          |       Destination port        |
/// +-------------------------------+-------------------------------+
/// |                       Verification tag                        |
/// +---------------------------------------------------------------+
/// |                       Checksum (CRC32c)                       |
/// +---------------------------------------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 12)]
public partial struct SctpHeader
{
    /// <summary>Source port.</summary>
    public Be16 SourcePort;

    /// <summary>Destination port.</summary>
    public Be16 DestinationPort;

    /// <summary>Tells associations apart.</summary>
    public Be32 VerificationTag;

    /// <summary>CRC32c of the packet with this field zero; the CRC's low byte comes first on the wire (appendix A).</summary>
    public Be32 Checksum;
}
