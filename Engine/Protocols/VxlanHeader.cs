using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>VXLAN header, RFC 7348 section 5, with the group policy and generic protocol extensions of its drafts. 8 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------+---------------+-------------------------------+
/// |     Flags     |  Policy flags |      Group policy id          |
/// +---------------+---------------+---------------+---------------+
/// |  Network identifier (VNI)                     |   Reserved    |
/// +-----------------------------------------------+---------------+
/// </code>
/// With the generic protocol extension the last byte of the first word is the type of the payload (draft-ietf-nvo3-vxlan-gpe).
/// </remarks>
[ProtocolHeader(Size = 8)]
public partial struct VxlanHeader
{
    /// <summary>The first word: flags and what the extensions put there.</summary>
    public Be32 Flags;

    /// <summary><see cref="Vni"/> and a reserved byte.</summary>
    public Be32 VniAndReserved;

    /// <summary>Network identifier.</summary>
    [BitRange(nameof(VniAndReserved), Shift = 8, Width = 24)]
    public partial uint Vni { readonly get; set; }

    /// <summary>Set in <see cref="Flags"/> when there is a network identifier, which there must be.</summary>
    public const uint HasVni = 1u << 27;

    /// <summary>Set in <see cref="Flags"/> when there is a group policy (draft-smith-vxlan-group-policy).</summary>
    public const uint HasGroupPolicy = 1u << 31;

    /// <summary>Group policy: the bits of <see cref="Flags"/> that a flow key carries: do not learn, policy applied, and the id.</summary>
    public const uint GroupPolicyMask = 0x0048_ffff;

    /// <summary>Bits of <see cref="Flags"/> that the group policy extension may use, whatever they mean.</summary>
    public const uint GroupPolicyBits = HasGroupPolicy | 0x00ff_ffff;

    /// <summary>Set in <see cref="Flags"/> when the last byte says what the payload is (VXLAN-GPE).</summary>
    public const uint HasNextProtocol = 1u << 26;

    /// <summary>VXLAN-GPE: control packets.</summary>
    public const uint Oam = 1u << 24;

    /// <summary>VXLAN-GPE: the version must be zero.</summary>
    public const uint VersionMask = 3u << 28;

    /// <summary>VXLAN-GPE: the bits of <see cref="Flags"/> that have a meaning.</summary>
    public const uint GenericBits = VersionMask | HasVni | HasNextProtocol | Oam | 0xff;

    /// <summary>VXLAN-GPE: the Ethernet type of a payload type (RFC 8300 numbers); 0 for one that is unknown.</summary>
    public static ushort EtherTypeOf(byte nextProtocol) => nextProtocol switch
    {
        1 => 0x0800,
        2 => 0x86dd,
        3 => EtherTypes.TransparentEthernet,
        4 => 0x894f,
        5 => 0x8847,
        _ => 0,
    };

    /// <summary>VXLAN-GPE: the payload type for an Ethernet type; 0 when there is none.</summary>
    public static byte NextProtocolOf(ushort etherType) => etherType switch
    {
        0x0800 => 1,
        0x86dd => 2,
        EtherTypes.TransparentEthernet => 3,
        0x894f => 4,
        0x8847 => 5,
        _ => 0,
    };
}
