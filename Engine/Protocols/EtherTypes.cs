namespace Engine.Protocols;

/// <summary>Ethernet types the datapath knows (IEEE registry; the kernel's linux/if_ether.h), in host order.</summary>
public static class EtherTypes
{
    /// <summary>The smallest number that is a type; below it is the length of an LLC frame (IEEE 802.3 clause 3.2.6).</summary>
    public const ushort Minimum = 0x0600;

    /// <summary>What a flow key holds for LLC frames without an Ethernet type (ETH_P_802_2). Never on the wire.</summary>
    public const ushort Llc = 0x0004;

    /// <summary>IPv4.</summary>
    public const ushort Ipv4 = 0x0800;

    /// <summary>ARP.</summary>
    public const ushort Arp = 0x0806;

    /// <summary>Transparent Ethernet bridging: an Ethernet frame inside of GRE and the like.</summary>
    public const ushort TransparentEthernet = 0x6558;

    /// <summary>Reverse ARP.</summary>
    public const ushort Rarp = 0x8035;

    /// <summary>VLAN tag, 802.1Q.</summary>
    public const ushort Vlan = 0x8100;

    /// <summary>Service VLAN tag, 802.1ad.</summary>
    public const ushort ServiceVlan = 0x88a8;

    /// <summary>IPv6.</summary>
    public const ushort Ipv6 = 0x86dd;

    /// <summary>MPLS.</summary>
    public const ushort Mpls = 0x8847;

    /// <summary>MPLS with upstream-assigned label (once: multicast).</summary>
    public const ushort MplsMulticast = 0x8848;

    /// <summary>Network service header.</summary>
    public const ushort Nsh = 0x894f;

    /// <summary>Whether <paramref name="type"/> is that of a VLAN tag (the kernel's eth_type_vlan).</summary>
    public static bool IsVlan(ushort type) => type is Vlan or ServiceVlan;

    /// <summary>Whether <paramref name="type"/> is that of a label stack (the kernel's eth_p_mpls).</summary>
    public static bool IsMpls(ushort type) => type is Mpls or MplsMulticast;
}
