using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>GTP-U header, 3GPP TS 29.281 section 5.1: the 8 bytes that are always there.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-----+-+-+-+-+-+---------------+-------------------------------+
/// | Ver |T|*|E|S|P|  Message type |            Length             |
/// +-----+-+-+-+-+-+---------------+-------------------------------+
/// |                   Tunnel endpoint id (TEID)                   |
/// +-------------------------------+---------------+---------------+
/// |  Sequence number (E, S or P)  | N-PDU (same)  | Next (same)   |
/// </code>
/// Extension headers follow when E is set: length in units of 4 bytes, content, type of the next one.
/// </remarks>
[ProtocolHeader(Size = 8)]
public partial struct GtpuHeader
{
    /// <summary>Version, protocol type, and what optional fields there are.</summary>
    public byte Flags;

    /// <summary>What the packet is.</summary>
    public byte MessageType;

    /// <summary>Bytes after these 8.</summary>
    public Be16 Length;

    /// <summary>Tunnel endpoint id, the receiver's name for the tunnel.</summary>
    public Be32 EndpointId;

    /// <summary>Version 1 of GTP, not of GTP' (which bills): what <see cref="VersionMask"/> must leave.</summary>
    public const byte Version = 0x30;

    /// <summary>Version and protocol type in <see cref="Flags"/>.</summary>
    public const byte VersionMask = 0xf0;

    /// <summary>E: the type of an extension header is meaningful.</summary>
    public const byte HasExtension = 0x04;

    /// <summary>E, S or PN: the four bytes of optional fields are there, of which the others must be ignored.</summary>
    public const byte HasOptionalFields = 0x07;

    /// <summary>Message type of packets that were tunneled (G-PDU).</summary>
    public const byte UserPacket = 255;

    /// <summary>Extension header type: there is none any more.</summary>
    public const byte NoMoreExtensions = 0;

    /// <summary>Extension header type: PDU session container (3GPP TS 38.415), the 5G core's quality of service.</summary>
    public const byte PduSessionContainer = 0x85;

    /// <summary>Set in the type of an extension header that the receiver at the end of the tunnel must understand.</summary>
    public const byte MustBeUnderstood = 0x80;
}
