using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>LLC header with SNAP, IEEE 802.2 and RFC 1042, after the length field of an Ethernet header. 8 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------+---------------+---------------+---------------+
/// |   DSAP 0xaa   |   SSAP 0xaa   |    Control    |               |
/// +---------------+---------------+---------------+               +
/// |              OUI              |         Ethernet type         |
/// +-------------------------------+-------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 8)]
public partial struct LlcSnapHeader
{
    /// <summary>What <see cref="DestinationSap"/> and <see cref="SourceSap"/> hold when SNAP follows.</summary>
    public const byte SnapSap = 0xaa;

    /// <summary>Destination service access point.</summary>
    public byte DestinationSap;

    /// <summary>Source service access point.</summary>
    public byte SourceSap;

    /// <summary>3 for unnumbered information.</summary>
    public byte Control;

    /// <summary>First byte of the organization; 0 when <see cref="EtherType"/> is an Ethernet type.</summary>
    public byte OrganizationHigh;

    /// <summary>The other two bytes of the organization.</summary>
    public Be16 OrganizationLow;

    /// <summary>One of <see cref="EtherTypes"/>.</summary>
    public Be16 EtherType;
}
