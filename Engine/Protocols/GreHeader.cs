using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>GRE header, RFC 2784 and RFC 2890: the 4 bytes that are always there. Checksum, key and sequence number follow, 4 bytes each.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-----------------+-----+-------------------------------+
/// |C|R|K|S|    Reserved     | Ver |        Protocol type          |
/// +-+-+-+-+-----------------+-----+-------------------------------+
/// |      Checksum (C)             |       Reserved (C)            |
/// |                            Key (K)                            |
/// |                      Sequence number (S)                      |
/// </code>
/// </remarks>
[ProtocolHeader(Size = 4)]
public partial struct GreHeader
{
    /// <summary>Flags and version.</summary>
    public Be16 Flags;

    /// <summary>Ethernet type of the payload.</summary>
    public Be16 Protocol;

    /// <summary>Set when there is a checksum.</summary>
    public const ushort HasChecksum = 0x8000;

    /// <summary>Set when there is routing information, which RFC 2784 has done away with.</summary>
    public const ushort HasRouting = 0x4000;

    /// <summary>Set when there is a key.</summary>
    public const ushort HasKey = 0x2000;

    /// <summary>Set when there is a sequence number.</summary>
    public const ushort HasSequence = 0x1000;

    /// <summary>0 for GRE; 1 is PPTP's.</summary>
    public const ushort VersionMask = 0x0007;

    /// <summary>Payload type of ERSPAN types I and II (ETH_P_ERSPAN).</summary>
    public const ushort Erspan = 0x88be;

    /// <summary>Payload type of ERSPAN type III (ETH_P_ERSPAN2).</summary>
    public const ushort ErspanThree = 0x22eb;

    /// <summary>Where the key is in a header with these flags, if it has one; the sequence number follows.</summary>
    public static int KeyOffsetOf(ushort flags) => 4 + ((flags & HasChecksum) != 0 ? 4 : 0);

    /// <summary>Bytes of a header with these flags.</summary>
    public static int LengthOf(ushort flags) =>
        4 + ((flags & HasChecksum) != 0 ? 4 : 0) + ((flags & HasKey) != 0 ? 4 : 0) + ((flags & HasSequence) != 0 ? 4 : 0);
}
