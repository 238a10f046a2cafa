namespace Engine.Netlink;

/// <summary>OVS_KEY_ATTR_*, in the order and with the payloads of linux/openvswitch.h.</summary>
public enum OvsKeyAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>Nested: the key inside a VLAN tag.</summary>
    Encap,

    /// <summary>u32, skb->priority.</summary>
    Priority,

    /// <summary>u32, datapath port.</summary>
    InPort,

    /// <summary>struct ovs_key_ethernet.</summary>
    Ethernet,

    /// <summary>be16, TCI with the CFI bit set.</summary>
    Vlan,

    /// <summary>be16.</summary>
    EtherType,

    /// <summary>struct ovs_key_ipv4.</summary>
    Ipv4,

    /// <summary>struct ovs_key_ipv6.</summary>
    Ipv6,

    /// <summary>struct ovs_key_tcp.</summary>
    Tcp,

    /// <summary>struct ovs_key_udp.</summary>
    Udp,

    /// <summary>struct ovs_key_icmp.</summary>
    Icmp,

    /// <summary>struct ovs_key_icmpv6.</summary>
    Icmpv6,

    /// <summary>struct ovs_key_arp.</summary>
    Arp,

    /// <summary>struct ovs_key_nd.</summary>
    NeighborDiscovery,

    /// <summary>u32, skb->mark.</summary>
    SkbMark,

    /// <summary>Nested: OVS_TUNNEL_KEY_ATTR_*.</summary>
    Tunnel,

    /// <summary>struct ovs_key_sctp.</summary>
    Sctp,

    /// <summary>be16, 12 bits.</summary>
    TcpFlags,

    /// <summary>u32, 0 when not computed.</summary>
    DatapathHash,

    /// <summary>u32.</summary>
    RecirculationId,

    /// <summary>Array of struct ovs_key_mpls, be32 each.</summary>
    Mpls,

    /// <summary>u32, OVS_CS_F_* bits.</summary>
    ConntrackState,

    /// <summary>u16, conntrack zone.</summary>
    ConntrackZone,

    /// <summary>u32, conntrack mark.</summary>
    ConntrackMark,

    /// <summary>16 bytes, conntrack labels.</summary>
    ConntrackLabels,

    /// <summary>struct ovs_key_ct_tuple_ipv4.</summary>
    ConntrackOriginalIpv4,

    /// <summary>struct ovs_key_ct_tuple_ipv6.</summary>
    ConntrackOriginalIpv6,

    /// <summary>Nested: OVS_NSH_KEY_ATTR_*.</summary>
    Nsh,

    /// <summary>be32, used by user space only; the kernel refuses it.</summary>
    PacketType,

    /// <summary>Neighbour discovery extensions, used by user space only; the kernel refuses it.</summary>
    NeighborDiscoveryExtensions,

    /// <summary>Kernel internal, never in a message.</summary>
    TunnelInfo,

    /// <summary>struct ovs_key_ipv6_exthdrs, u16.</summary>
    Ipv6ExtensionHeaders,
}
