using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>The fields of a packet that a flow can match: the kernel's <c>struct sw_flow_key</c>, every field once.</summary>
/// <remarks>
/// <para>The core segment is one 64-byte cache line and holds all that an IPv4 packet needs. The other segments are
/// touched only when the packet has such a header or a mask reaches them; <see cref="Segments"/> tells which may be
/// nonzero. A segment not in that set is all zero.</para>
/// <para>A mask has the same layout: a bit that is one matters.</para>
/// </remarks>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = ByteSize)]
public partial struct FlowKey
{
    /// <summary>Bytes of a key, segment set included.</summary>
    public const int ByteSize = 592;

    // --- core: metadata, L2, IPv4, L4. 64 bytes.

    /// <summary>Datapath port the packet came from; <see cref="NoInPort"/> if none.</summary>
    public uint InPort;

    /// <summary>0, or the id given by the recirc action that sent the packet round again.</summary>
    public uint RecirculationId;

    /// <summary>0, or what the hash action computed.</summary>
    public uint DatapathHash;

    /// <summary>skb->mark.</summary>
    public uint SkbMark;

    /// <summary>Destination address.</summary>
    public EthernetAddress EthernetDestination;

    /// <summary>Source address.</summary>
    public EthernetAddress EthernetSource;

    /// <summary>The innermost Ethernet type that was parsed; 0x0004 (ETH_P_802_2) for LLC frames without SNAP.</summary>
    public Be16 EtherType;

    /// <summary>Outer tag: PCP 3 bits, CFI 1 bit set when there is a tag, VID 12 bits.</summary>
    public Be16 VlanTci;

    /// <summary>Outer tag: 0x8100 or 0x88a8; 0 without a tag.</summary>
    public Be16 VlanTpid;

    /// <summary>Inner tag, as <see cref="VlanTci"/>.</summary>
    public Be16 InnerVlanTci;

    /// <summary>Inner tag, as <see cref="VlanTpid"/>.</summary>
    public Be16 InnerVlanTpid;

    /// <summary>0 if the packet has no Ethernet header, 1 if it has (MAC_PROTO_ETHERNET). Not carried in netlink.</summary>
    public byte MacProtocol;

    /// <summary>OVS_CS_F_* bits; 0 before conntrack.</summary>
    public byte ConntrackState;

    /// <summary>IPv4 source; ARP sender protocol address.</summary>
    public Be32 Ipv4Source;

    /// <summary>IPv4 destination; ARP target protocol address.</summary>
    public Be32 Ipv4Destination;

    /// <summary>IP protocol or last IPv6 next header; low byte of the ARP operation.</summary>
    public byte IpProtocol;

    /// <summary>IPv4 TOS or IPv6 traffic class.</summary>
    public byte IpTos;

    /// <summary>IPv4 TTL or IPv6 hop limit.</summary>
    public byte IpTtl;

    /// <summary>OVS_FRAG_TYPE_*: 0 none, 1 first, 2 later.</summary>
    public byte IpFragment;

    /// <summary>TCP, UDP, SCTP source port; ICMP and ICMPv6 type as a 16-bit number.</summary>
    public Be16 TransportSource;

    /// <summary>TCP, UDP, SCTP destination port; ICMP and ICMPv6 code as a 16-bit number.</summary>
    public Be16 TransportDestination;

    /// <summary>12 bits: data offset removed, reserved and flag bits kept.</summary>
    public Be16 TcpFlags;

    /// <summary>Conntrack zone; 0 before conntrack.</summary>
    public ushort ConntrackZone;

    /// <summary>skb->priority.</summary>
    public uint SkbPriority;

    // --- IPv6. 40 bytes.

    /// <summary>Source address.</summary>
    public Ipv6Address Ipv6Source;

    /// <summary>Destination address.</summary>
    public Ipv6Address Ipv6Destination;

    /// <summary>20 bits.</summary>
    public Be32 Ipv6Label;

    /// <summary>OFPIEH12_* bits of the extension headers seen, OVS_KEY_ATTR_IPV6_EXTHDRS.</summary>
    public ushort Ipv6ExtensionHeaders;

    private readonly ushort _ipv6Padding;

    // --- ARP hardware addresses. 16 bytes.

    /// <summary>Sender hardware address.</summary>
    public EthernetAddress ArpSenderHardware;

    /// <summary>Target hardware address.</summary>
    public EthernetAddress ArpTargetHardware;
    private readonly uint _arpPadding;

    // --- MPLS. 16 bytes.

    /// <summary>Bit i is set when label i is there, at most three (the kernel's num_labels_mask).</summary>
    public uint MplsLabelsMask;

    /// <summary>Outermost label stack entry.</summary>
    public Be32 MplsLabel0;

    /// <summary>Second label stack entry.</summary>
    public Be32 MplsLabel1;

    /// <summary>Third label stack entry.</summary>
    public Be32 MplsLabel2;

    // --- IPv6 neighbour discovery. 32 bytes.

    /// <summary>Target of a neighbour solicitation or advertisement, RFC 4861.</summary>
    public Ipv6Address NdTarget;

    /// <summary>Source link-layer address option.</summary>
    public EthernetAddress NdSourceLinkLayer;

    /// <summary>Target link-layer address option.</summary>
    public EthernetAddress NdTargetLinkLayer;
    private readonly uint _ndPadding;

    // --- NSH, RFC 8300. 24 bytes.

    /// <summary>Flag bits of the base header.</summary>
    public byte NshFlags;

    /// <summary>TTL of the base header, 6 bits.</summary>
    public byte NshTtl;

    /// <summary>Metadata type: 1 or 2.</summary>
    public byte NshMdType;

    /// <summary>Next protocol.</summary>
    public byte NshNextProtocol;

    /// <summary>Service path identifier 24 bits, service index 8 bits.</summary>
    public Be32 NshPathHeader;

    /// <summary>First context header of metadata type 1.</summary>
    public Be32 NshContext0;

    /// <summary>Second context header.</summary>
    public Be32 NshContext1;

    /// <summary>Third context header.</summary>
    public Be32 NshContext2;

    /// <summary>Fourth context header.</summary>
    public Be32 NshContext3;

    // --- conntrack beyond state and zone. 72 bytes.

    /// <summary>Conntrack mark.</summary>
    public uint ConntrackMark;

    /// <summary>IP protocol of the original direction tuple; 0 when there is none.</summary>
    public byte OriginalProtocol;
    private readonly byte _conntrackPadding0;
    private readonly ushort _conntrackPadding1;

    /// <summary>128 bits, as ct_label shows them: byte 0 first.</summary>
    public Ipv6Address ConntrackLabels;

    /// <summary>Original direction tuple: IPv4 source.</summary>
    public Be32 OriginalIpv4Source;

    /// <summary>Original direction tuple: IPv4 destination.</summary>
    public Be32 OriginalIpv4Destination;

    /// <summary>Original direction tuple: IPv6 source.</summary>
    public Ipv6Address OriginalIpv6Source;

    /// <summary>Original direction tuple: IPv6 destination.</summary>
    public Ipv6Address OriginalIpv6Destination;

    /// <summary>Original direction tuple: source port or ICMP type.</summary>
    public Be16 OriginalTransportSource;

    /// <summary>Original direction tuple: destination port or ICMP code.</summary>
    public Be16 OriginalTransportDestination;
    private readonly uint _conntrackPadding2;

    // --- tunnel the packet came in. 64 bytes.

    /// <summary>Tunnel id: VNI or GRE key, in the low bits.</summary>
    public Be64 TunnelId;

    /// <summary>Outer IPv4 source.</summary>
    public Be32 TunnelIpv4Source;

    /// <summary>Outer IPv4 destination.</summary>
    public Be32 TunnelIpv4Destination;

    /// <summary>Outer IPv6 source.</summary>
    public Ipv6Address TunnelIpv6Source;

    /// <summary>Outer IPv6 destination.</summary>
    public Ipv6Address TunnelIpv6Destination;

    /// <summary>TUNNEL_* bits as the kernel keeps them in <c>tun_flags</c>.</summary>
    public ushort TunnelFlags;

    /// <summary>Outer TOS.</summary>
    public byte TunnelTos;

    /// <summary>Outer TTL.</summary>
    public byte TunnelTtl;

    /// <summary>Outer source port.</summary>
    public Be16 TunnelTransportSource;

    /// <summary>Outer destination port.</summary>
    public Be16 TunnelTransportDestination;

    /// <summary>Address family of the outer header: 0 no tunnel, 2 AF_INET, 10 AF_INET6.</summary>
    public byte TunnelProtocol;

    /// <summary>Bytes of <see cref="TunnelOptions"/> that are used.</summary>
    public byte TunnelOptionsLength;
    private readonly ushort _tunnelPadding0;
    private readonly uint _tunnelPadding1;

    // --- tunnel options. 256 bytes.

    /// <summary>Geneve options as on the wire, or VXLAN GBP (4 bytes), or ERSPAN metadata, told apart by <see cref="TunnelFlags"/>.</summary>
    public TunnelOptions TunnelOptions;

    // --- not part of the key.

    /// <summary>Segments beyond the core that may hold a nonzero byte.</summary>
    public FlowKeySegments Segments;

    private readonly int _padding;

    /// <summary>What <see cref="InPort"/> holds when the packet came from no port (the kernel's DP_MAX_PORTS).</summary>
    public const uint NoInPort = 0xffff;
}
