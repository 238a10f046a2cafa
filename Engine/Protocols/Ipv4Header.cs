using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>IPv4 header without options, RFC 791 section 3.1. 20 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------+-------+-----------+---+-------------------------------+
/// |Version|  IHL  |   DSCP    |ECN|         Total length          |
/// +-------+-------+-----------+---+-----+-------------------------+
/// |        Identification         |Flags|     Fragment offset     |
/// +---------------+---------------+-----+-------------------------+
/// |      TTL      |   Protocol    |        Header checksum        |
/// +---------------+---------------+-------------------------------+
/// |                        Source address                         |
/// +---------------------------------------------------------------+
/// |                      Destination address                      |
/// +---------------------------------------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 20)]
public partial struct Ipv4Header
{
    /// <summary><see cref="Version"/> and <see cref="HeaderWords"/>.</summary>
    public byte VersionAndHeaderWords;

    /// <summary><see cref="Dscp"/> and <see cref="Ecn"/>.</summary>
    public byte Tos;

    /// <summary>Bytes of header and payload.</summary>
    public Be16 TotalLength;

    /// <summary>Common to all fragments of a datagram.</summary>
    public Be16 Identification;

    /// <summary><see cref="DontFragment"/>, <see cref="MoreFragments"/> and <see cref="FragmentOffset"/>.</summary>
    public Be16 FlagsAndFragmentOffset;

    /// <summary>Time to live.</summary>
    public byte Ttl;

    /// <summary>One of <see cref="IpProtocols"/>.</summary>
    public byte Protocol;

    /// <summary>RFC 1071 checksum of the header with its options.</summary>
    public Be16 Checksum;

    /// <summary>Source address.</summary>
    public Be32 Source;

    /// <summary>Destination address.</summary>
    public Be32 Destination;

    /// <summary>4.</summary>
    [BitRange(nameof(VersionAndHeaderWords), Shift = 4, Width = 4)]
    public partial byte Version { readonly get; set; }

    /// <summary>Header length with options in words of 4 bytes, at least 5.</summary>
    [BitRange(nameof(VersionAndHeaderWords), Shift = 0, Width = 4)]
    public partial byte HeaderWords { readonly get; set; }

    /// <summary>Differentiated services code point, RFC 2474.</summary>
    [BitRange(nameof(Tos), Shift = 2, Width = 6)]
    public partial byte Dscp { readonly get; set; }

    /// <summary>Explicit congestion notification, RFC 3168.</summary>
    [BitRange(nameof(Tos), Shift = 0, Width = 2)]
    public partial byte Ecn { readonly get; set; }

    /// <summary>Must not be fragmented on its way.</summary>
    [BitRange(nameof(FlagsAndFragmentOffset), Shift = 14, Width = 1)]
    public partial bool DontFragment { readonly get; set; }

    /// <summary>Not the last fragment.</summary>
    [BitRange(nameof(FlagsAndFragmentOffset), Shift = 13, Width = 1)]
    public partial bool MoreFragments { readonly get; set; }

    /// <summary>Where this fragment belongs, in units of 8 bytes.</summary>
    [BitRange(nameof(FlagsAndFragmentOffset), Shift = 0, Width = 13)]
    public partial ushort FragmentOffset { readonly get; set; }
}
