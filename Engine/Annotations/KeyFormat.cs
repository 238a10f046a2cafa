namespace Engine.Annotations;

/// <summary>How a part of a key attribute reads in ovs-dpctl text.</summary>
public enum KeyFormat
{
    /// <summary>Decimal number.</summary>
    Decimal,

    /// <summary>Hexadecimal number with 0x; zero is plain 0.</summary>
    Hexadecimal,

    /// <summary>Hexadecimal number with 0x and leading zeros to the width of the part: eth_type(0x0800).</summary>
    HexadecimalPadded,

    /// <summary>Six hexadecimal pairs with colons.</summary>
    EthernetAddress,

    /// <summary>Dotted quad.</summary>
    Ipv4Address,

    /// <summary>RFC 5952.</summary>
    Ipv6Address,

    /// <summary>no, first or later.</summary>
    FragmentType,

    /// <summary>Names of TCP flags, or a number.</summary>
    TcpFlags,

    /// <summary>Names of OVS_CS_F_* bits with + and -.</summary>
    ConntrackState,

    /// <summary>128 bits as one hexadecimal number, most significant byte last in memory.</summary>
    ConntrackLabels,

    /// <summary>Names of tunnel flags: df, csum, key, oam.</summary>
    TunnelFlags,

    /// <summary>Geneve, VXLAN GBP or ERSPAN options, each in its own syntax.</summary>
    TunnelOptions,

    /// <summary>Datapath port: a number, or a name where names are known.</summary>
    Port,

    /// <summary>Decimal number in the key, hexadecimal in the mask (vlan pcp, mpls tc and the like).</summary>
    DecimalHexadecimalMask,

    /// <summary>Not in the text: it follows from other parts.</summary>
    Hidden,
}
