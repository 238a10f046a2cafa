using System.Runtime.InteropServices;
using Engine.Annotations;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>The fields of a packet that a flow can match: the kernel's <c>struct sw_flow_key</c>, every field once.</summary>
/// <remarks>
/// <para>The core segment is one 64-byte cache line and holds all that an IPv4 packet needs. The other segments are
/// touched only when the packet has such a header or a mask reaches them; <see cref="Segments"/> tells which may be
/// nonzero. A segment not in that set is all zero.</para>
/// <para>A mask has the same layout: a bit that is one matters.</para>
/// </remarks>
[FlowKey(ByteSize)]
[KeyAttribute(OvsKeyAttribute.RecirculationId, "recirc_id", Size = 4)]
[KeyAttribute(OvsKeyAttribute.DatapathHash, "dp_hash", Size = 4)]
[KeyAttribute(OvsKeyAttribute.Priority, "skb_priority", Size = 4)]
[KeyAttribute(OvsKeyAttribute.Tunnel, "tunnel", IsNested = true, When = nameof(TunnelProtocol), Codec = KeyCodec.HandWritten)]
[KeyAttribute(OvsKeyAttribute.InPort, "in_port", Size = 4, Codec = KeyCodec.HandWritten)]
[KeyAttribute(OvsKeyAttribute.SkbMark, "skb_mark", Size = 4)]
[KeyAttribute(OvsKeyAttribute.ConntrackState, "ct_state", Size = 4)]
[KeyAttribute(OvsKeyAttribute.ConntrackZone, "ct_zone", Size = 2)]
[KeyAttribute(OvsKeyAttribute.ConntrackMark, "ct_mark", Size = 4)]
[KeyAttribute(OvsKeyAttribute.ConntrackLabels, "ct_label", Size = 16)]
[KeyAttribute(OvsKeyAttribute.ConntrackOriginalIpv4, "ct_tuple4", Size = 16, When = nameof(OriginalProtocol), EtherTypes = new[] { 0x0800 }, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.ConntrackOriginalIpv6, "ct_tuple6", Size = 40, When = nameof(OriginalProtocol), EtherTypes = new[] { 0x86dd }, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.Ethernet, "eth", Size = 12, Layer = KeyLayer.Link, When = nameof(MacProtocol))]
[KeyAttribute(OvsKeyAttribute.Vlan, "vlan", Size = 2, Layer = KeyLayer.Link, Codec = KeyCodec.HandWritten)]
[KeyAttribute(OvsKeyAttribute.Encap, "encap", IsNested = true, Layer = KeyLayer.Link, Codec = KeyCodec.HandWritten)]
[KeyAttribute(OvsKeyAttribute.EtherType, "eth_type", Size = 2, Layer = KeyLayer.Link, Codec = KeyCodec.HandWritten)]
[KeyAttribute(OvsKeyAttribute.Ipv4, "ipv4", Size = 12, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x0800 }, IsRequired = true, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.Ipv6, "ipv6", Size = 40, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x86dd }, IsRequired = true, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.Ipv6ExtensionHeaders, "ipv6_exthdrs", Size = 2, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x86dd })]
[KeyAttribute(OvsKeyAttribute.Nsh, "nsh", IsNested = true, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x894f }, Codec = KeyCodec.HandWritten, IsRequired = true, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.Arp, "arp", Size = 24, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x0806, 0x8035 }, IsRequired = true, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.Mpls, "mpls", Size = 4, IsArray = true, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x8847, 0x8848 }, Codec = KeyCodec.HandWritten, IsRequired = true, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.Tcp, "tcp", Size = 4, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x0800, 0x86dd }, IpProtocol = 6, IsRequired = true, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.TcpFlags, "tcp_flags", Size = 2, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x0800, 0x86dd }, IpProtocol = 6, IsRequired = true, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.Udp, "udp", Size = 4, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x0800, 0x86dd }, IpProtocol = 17, IsRequired = true, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.Sctp, "sctp", Size = 4, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x0800, 0x86dd }, IpProtocol = 132, IsRequired = true, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.Icmp, "icmp", Size = 2, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x0800 }, IpProtocol = 1, IsRequired = true, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.Icmpv6, "icmpv6", Size = 2, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x86dd }, IpProtocol = 58, IsRequired = true, IsMaskConditional = true)]
[KeyAttribute(OvsKeyAttribute.NeighborDiscovery, "nd", Size = 28, Layer = KeyLayer.Headers, EtherTypes = new[] { 0x86dd }, IpProtocol = 58, IcmpTypes = new[] { 135, 136 }, IsRequired = true, IsMaskConditional = true)]
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = ByteSize)]
public partial struct FlowKey
{
    /// <summary>Bytes of a key, segment set included: whole cache lines, so that in an array every core is one line.</summary>
    public const int ByteSize = 640;

    // --- core: metadata, L2, IPv4, L4. 64 bytes.

    /// <summary>Datapath port the packet came from; <see cref="NoInPort"/> if none.</summary>
    [Segment(FlowKeySegments.None)]
    [KeyPart(OvsKeyAttribute.InPort, "", Format = KeyFormat.Port, Maximum = 0xfffe)]
    public uint InPort;

    /// <summary>0, or the id given by the recirc action that sent the packet round again.</summary>
    [KeyPart(OvsKeyAttribute.RecirculationId, "", Format = KeyFormat.Hexadecimal)]
    public uint RecirculationId;

    /// <summary>0, or what the hash action computed.</summary>
    [KeyPart(OvsKeyAttribute.DatapathHash, "", Format = KeyFormat.Hexadecimal)]
    public uint DatapathHash;

    /// <summary>skb->mark.</summary>
    [KeyPart(OvsKeyAttribute.SkbMark, "", Format = KeyFormat.Hexadecimal)]
    public uint SkbMark;

    /// <summary>Destination address.</summary>
    [KeyPart(OvsKeyAttribute.Ethernet, "dst", Offset = 6, Format = KeyFormat.EthernetAddress)]
    public EthernetAddress EthernetDestination;

    /// <summary>Source address.</summary>
    [KeyPart(OvsKeyAttribute.Ethernet, "src", Offset = 0, Format = KeyFormat.EthernetAddress)]
    public EthernetAddress EthernetSource;

    /// <summary>The innermost Ethernet type that was parsed; 0x0004 (ETH_P_802_2) for LLC frames without SNAP.</summary>
    [KeyPart(OvsKeyAttribute.EtherType, "", Format = KeyFormat.HexadecimalPadded)]
    public Be16 EtherType;

    /// <summary>Outer tag: PCP 3 bits, CFI 1 bit set when there is a tag, VID 12 bits.</summary>
    [KeyPart(OvsKeyAttribute.Vlan, "vid", Shift = 0, Bits = 12)]
    [KeyPart(OvsKeyAttribute.Vlan, "pcp", Shift = 13, Bits = 3)]
    [KeyPart(OvsKeyAttribute.Vlan, "cfi", Shift = 12, Bits = 1)]
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
    [KeyPart(OvsKeyAttribute.ConntrackState, "", Size = 4, Format = KeyFormat.ConntrackState, Maximum = 0xff, IsMaximumOfMask = true)]
    public byte ConntrackState;

    /// <summary>IPv4 source; ARP sender protocol address.</summary>
    [KeyPart(OvsKeyAttribute.Ipv4, "src", Offset = 0, Format = KeyFormat.Ipv4Address)]
    [KeyPart(OvsKeyAttribute.Arp, "sip", Offset = 0, Format = KeyFormat.Ipv4Address)]
    public Be32 Ipv4Source;

    /// <summary>IPv4 destination; ARP target protocol address.</summary>
    [KeyPart(OvsKeyAttribute.Ipv4, "dst", Offset = 4, Format = KeyFormat.Ipv4Address)]
    [KeyPart(OvsKeyAttribute.Arp, "tip", Offset = 4, Format = KeyFormat.Ipv4Address)]
    public Be32 Ipv4Destination;

    /// <summary>IP protocol or last IPv6 next header; low byte of the ARP operation.</summary>
    [KeyPart(OvsKeyAttribute.Ipv4, "proto", Offset = 8)]
    [KeyPart(OvsKeyAttribute.Ipv6, "proto", Offset = 36)]
    [KeyPart(OvsKeyAttribute.Arp, "op", Offset = 8, Size = 2, IsNetworkOrder = true, Maximum = 0xff)]
    public byte IpProtocol;

    /// <summary>IPv4 TOS or IPv6 traffic class.</summary>
    [KeyPart(OvsKeyAttribute.Ipv4, "tos", Offset = 9, Format = KeyFormat.Hexadecimal)]
    [KeyPart(OvsKeyAttribute.Ipv6, "tclass", Offset = 37, Format = KeyFormat.Hexadecimal)]
    public byte IpTos;

    /// <summary>IPv4 TTL or IPv6 hop limit.</summary>
    [KeyPart(OvsKeyAttribute.Ipv4, "ttl", Offset = 10)]
    [KeyPart(OvsKeyAttribute.Ipv6, "hlimit", Offset = 38)]
    public byte IpTtl;

    /// <summary>OVS_FRAG_TYPE_*: 0 none, 1 first, 2 later.</summary>
    [KeyPart(OvsKeyAttribute.Ipv4, "frag", Offset = 11, Format = KeyFormat.FragmentType, Maximum = 2)]
    [KeyPart(OvsKeyAttribute.Ipv6, "frag", Offset = 39, Format = KeyFormat.FragmentType, Maximum = 2)]
    public byte IpFragment;

    /// <summary>TCP, UDP, SCTP source port; ICMP and ICMPv6 type as a 16-bit number.</summary>
    [KeyPart(OvsKeyAttribute.Tcp, "src", Offset = 0)]
    [KeyPart(OvsKeyAttribute.Udp, "src", Offset = 0)]
    [KeyPart(OvsKeyAttribute.Sctp, "src", Offset = 0)]
    [KeyPart(OvsKeyAttribute.Icmp, "type", Offset = 0, Size = 1)]
    [KeyPart(OvsKeyAttribute.Icmpv6, "type", Offset = 0, Size = 1)]
    public Be16 TransportSource;

    /// <summary>TCP, UDP, SCTP destination port; ICMP and ICMPv6 code as a 16-bit number.</summary>
    [KeyPart(OvsKeyAttribute.Tcp, "dst", Offset = 2)]
    [KeyPart(OvsKeyAttribute.Udp, "dst", Offset = 2)]
    [KeyPart(OvsKeyAttribute.Sctp, "dst", Offset = 2)]
    [KeyPart(OvsKeyAttribute.Icmp, "code", Offset = 1, Size = 1)]
    [KeyPart(OvsKeyAttribute.Icmpv6, "code", Offset = 1, Size = 1)]
    public Be16 TransportDestination;

    /// <summary>12 bits: data offset removed, reserved and flag bits kept.</summary>
    [KeyPart(OvsKeyAttribute.TcpFlags, "", Format = KeyFormat.TcpFlags)]
    public Be16 TcpFlags;

    /// <summary>Conntrack zone; 0 before conntrack.</summary>
    [KeyPart(OvsKeyAttribute.ConntrackZone, "", Format = KeyFormat.Hexadecimal)]
    public ushort ConntrackZone;

    /// <summary>skb->priority.</summary>
    [KeyPart(OvsKeyAttribute.Priority, "", Format = KeyFormat.Hexadecimal)]
    public uint SkbPriority;

    // --- IPv6. 40 bytes.

    /// <summary>Source address.</summary>
    [Segment(FlowKeySegments.Ipv6)]
    [KeyPart(OvsKeyAttribute.Ipv6, "src", Offset = 0, Format = KeyFormat.Ipv6Address)]
    public Ipv6Address Ipv6Source;

    /// <summary>Destination address.</summary>
    [KeyPart(OvsKeyAttribute.Ipv6, "dst", Offset = 16, Format = KeyFormat.Ipv6Address)]
    public Ipv6Address Ipv6Destination;

    /// <summary>20 bits.</summary>
    [KeyPart(OvsKeyAttribute.Ipv6, "label", Offset = 32, Format = KeyFormat.Hexadecimal, Maximum = 0xfffff)]
    public Be32 Ipv6Label;

    /// <summary>OFPIEH12_* bits of the extension headers seen, OVS_KEY_ATTR_IPV6_EXTHDRS.</summary>
    [KeyPart(OvsKeyAttribute.Ipv6ExtensionHeaders, "", Format = KeyFormat.Hexadecimal)]
    public ushort Ipv6ExtensionHeaders;

    private readonly ushort _ipv6Padding;

    // --- ARP hardware addresses. 16 bytes.

    /// <summary>Sender hardware address.</summary>
    [Segment(FlowKeySegments.Arp)]
    [KeyPart(OvsKeyAttribute.Arp, "sha", Offset = 10, Format = KeyFormat.EthernetAddress)]
    public EthernetAddress ArpSenderHardware;

    /// <summary>Target hardware address.</summary>
    [KeyPart(OvsKeyAttribute.Arp, "tha", Offset = 16, Format = KeyFormat.EthernetAddress)]
    public EthernetAddress ArpTargetHardware;

    private readonly uint _arpPadding;

    // --- MPLS. 16 bytes.

    /// <summary>Bit i is set when label i is there, at most three (the kernel's num_labels_mask).</summary>
    [Segment(FlowKeySegments.Mpls)]
    public uint MplsLabelsMask;

    /// <summary>Outermost label stack entry.</summary>
    [KeyPart(OvsKeyAttribute.Mpls, "label", Offset = 0, Shift = 12, Bits = 20)]
    [KeyPart(OvsKeyAttribute.Mpls, "tc", Offset = 0, Shift = 9, Bits = 3)]
    [KeyPart(OvsKeyAttribute.Mpls, "ttl", Offset = 0, Shift = 0, Bits = 8)]
    [KeyPart(OvsKeyAttribute.Mpls, "bos", Offset = 0, Shift = 8, Bits = 1)]
    public Be32 MplsLabel0;

    /// <summary>Second label stack entry.</summary>
    [KeyPart(OvsKeyAttribute.Mpls, "label", Offset = 4, Shift = 12, Bits = 20)]
    [KeyPart(OvsKeyAttribute.Mpls, "tc", Offset = 4, Shift = 9, Bits = 3)]
    [KeyPart(OvsKeyAttribute.Mpls, "ttl", Offset = 4, Shift = 0, Bits = 8)]
    [KeyPart(OvsKeyAttribute.Mpls, "bos", Offset = 4, Shift = 8, Bits = 1)]
    public Be32 MplsLabel1;

    /// <summary>Third label stack entry.</summary>
    [KeyPart(OvsKeyAttribute.Mpls, "label", Offset = 8, Shift = 12, Bits = 20)]
    [KeyPart(OvsKeyAttribute.Mpls, "tc", Offset = 8, Shift = 9, Bits = 3)]
    [KeyPart(OvsKeyAttribute.Mpls, "ttl", Offset = 8, Shift = 0, Bits = 8)]
    [KeyPart(OvsKeyAttribute.Mpls, "bos", Offset = 8, Shift = 8, Bits = 1)]
    public Be32 MplsLabel2;

    // --- IPv6 neighbour discovery. 32 bytes.

    /// <summary>Target of a neighbour solicitation or advertisement, RFC 4861.</summary>
    [Segment(FlowKeySegments.NeighborDiscovery)]
    [KeyPart(OvsKeyAttribute.NeighborDiscovery, "target", Offset = 0, Format = KeyFormat.Ipv6Address)]
    public Ipv6Address NdTarget;

    /// <summary>Source link-layer address option.</summary>
    [KeyPart(OvsKeyAttribute.NeighborDiscovery, "sll", Offset = 16, Format = KeyFormat.EthernetAddress)]
    public EthernetAddress NdSourceLinkLayer;

    /// <summary>Target link-layer address option.</summary>
    [KeyPart(OvsKeyAttribute.NeighborDiscovery, "tll", Offset = 22, Format = KeyFormat.EthernetAddress)]
    public EthernetAddress NdTargetLinkLayer;

    private readonly uint _ndPadding;

    // --- NSH, RFC 8300. 24 bytes.

    /// <summary>Flag bits of the base header.</summary>
    [Segment(FlowKeySegments.Nsh)]
    [KeyPart(OvsKeyAttribute.Nsh, "flags", Nested = OvsNshKeyAttribute.Base, Offset = 0)]
    public byte NshFlags;

    /// <summary>TTL of the base header, 6 bits.</summary>
    [KeyPart(OvsKeyAttribute.Nsh, "ttl", Nested = OvsNshKeyAttribute.Base, Offset = 1)]
    public byte NshTtl;

    /// <summary>Metadata type: 1 or 2.</summary>
    [KeyPart(OvsKeyAttribute.Nsh, "mdtype", Nested = OvsNshKeyAttribute.Base, Offset = 2)]
    public byte NshMdType;

    /// <summary>Next protocol.</summary>
    [KeyPart(OvsKeyAttribute.Nsh, "np", Nested = OvsNshKeyAttribute.Base, Offset = 3)]
    public byte NshNextProtocol;

    /// <summary>Service path identifier 24 bits, service index 8 bits.</summary>
    [KeyPart(OvsKeyAttribute.Nsh, "spi", Nested = OvsNshKeyAttribute.Base, Offset = 4, Shift = 8, Bits = 24, Format = KeyFormat.Hexadecimal)]
    [KeyPart(OvsKeyAttribute.Nsh, "si", Nested = OvsNshKeyAttribute.Base, Offset = 4, Shift = 0, Bits = 8)]
    public Be32 NshPathHeader;

    /// <summary>First context header of metadata type 1.</summary>
    [KeyPart(OvsKeyAttribute.Nsh, "c1", Nested = OvsNshKeyAttribute.Md1, Offset = 0, Format = KeyFormat.Hexadecimal)]
    public Be32 NshContext0;

    /// <summary>Second context header.</summary>
    [KeyPart(OvsKeyAttribute.Nsh, "c2", Nested = OvsNshKeyAttribute.Md1, Offset = 4, Format = KeyFormat.Hexadecimal)]
    public Be32 NshContext1;

    /// <summary>Third context header.</summary>
    [KeyPart(OvsKeyAttribute.Nsh, "c3", Nested = OvsNshKeyAttribute.Md1, Offset = 8, Format = KeyFormat.Hexadecimal)]
    public Be32 NshContext2;

    /// <summary>Fourth context header.</summary>
    [KeyPart(OvsKeyAttribute.Nsh, "c4", Nested = OvsNshKeyAttribute.Md1, Offset = 12, Format = KeyFormat.Hexadecimal)]
    public Be32 NshContext3;

    // --- conntrack beyond state and zone. 72 bytes.

    /// <summary>Conntrack mark.</summary>
    [Segment(FlowKeySegments.Conntrack)]
    [KeyPart(OvsKeyAttribute.ConntrackMark, "", Format = KeyFormat.Hexadecimal)]
    public uint ConntrackMark;

    /// <summary>IP protocol of the original direction tuple; 0 when there is none.</summary>
    [KeyPart(OvsKeyAttribute.ConntrackOriginalIpv4, "proto", Offset = 12)]
    [KeyPart(OvsKeyAttribute.ConntrackOriginalIpv6, "proto", Offset = 36)]
    public byte OriginalProtocol;

    private readonly byte _conntrackPadding0;

    private readonly ushort _conntrackPadding1;

    /// <summary>128 bits, as ct_label shows them: byte 0 first.</summary>
    [KeyPart(OvsKeyAttribute.ConntrackLabels, "", Format = KeyFormat.ConntrackLabels)]
    public Ipv6Address ConntrackLabels;

    /// <summary>Original direction tuple: IPv4 source.</summary>
    [KeyPart(OvsKeyAttribute.ConntrackOriginalIpv4, "src", Offset = 0, Format = KeyFormat.Ipv4Address)]
    public Be32 OriginalIpv4Source;

    /// <summary>Original direction tuple: IPv4 destination.</summary>
    [KeyPart(OvsKeyAttribute.ConntrackOriginalIpv4, "dst", Offset = 4, Format = KeyFormat.Ipv4Address)]
    public Be32 OriginalIpv4Destination;

    /// <summary>Original direction tuple: IPv6 source.</summary>
    [KeyPart(OvsKeyAttribute.ConntrackOriginalIpv6, "src", Offset = 0, Format = KeyFormat.Ipv6Address)]
    public Ipv6Address OriginalIpv6Source;

    /// <summary>Original direction tuple: IPv6 destination.</summary>
    [KeyPart(OvsKeyAttribute.ConntrackOriginalIpv6, "dst", Offset = 16, Format = KeyFormat.Ipv6Address)]
    public Ipv6Address OriginalIpv6Destination;

    /// <summary>Original direction tuple: source port or ICMP type.</summary>
    [KeyPart(OvsKeyAttribute.ConntrackOriginalIpv4, "tp_src", Offset = 8)]
    [KeyPart(OvsKeyAttribute.ConntrackOriginalIpv6, "tp_src", Offset = 32)]
    public Be16 OriginalTransportSource;

    /// <summary>Original direction tuple: destination port or ICMP code.</summary>
    [KeyPart(OvsKeyAttribute.ConntrackOriginalIpv4, "tp_dst", Offset = 10)]
    [KeyPart(OvsKeyAttribute.ConntrackOriginalIpv6, "tp_dst", Offset = 34)]
    public Be16 OriginalTransportDestination;

    private readonly uint _conntrackPadding2;

    // --- tunnel the packet came in. 64 bytes.

    /// <summary>Tunnel id: VNI or GRE key, in the low bits.</summary>
    [Segment(FlowKeySegments.Tunnel)]
    [KeyPart(OvsKeyAttribute.Tunnel, "tun_id", Nested = OvsTunnelKeyAttribute.Id, Format = KeyFormat.Hexadecimal)]
    public Be64 TunnelId;

    /// <summary>Outer IPv4 source.</summary>
    [KeyPart(OvsKeyAttribute.Tunnel, "src", Nested = OvsTunnelKeyAttribute.Ipv4Source, Format = KeyFormat.Ipv4Address)]
    public Be32 TunnelIpv4Source;

    /// <summary>Outer IPv4 destination.</summary>
    [KeyPart(OvsKeyAttribute.Tunnel, "dst", Nested = OvsTunnelKeyAttribute.Ipv4Destination, Format = KeyFormat.Ipv4Address)]
    public Be32 TunnelIpv4Destination;

    /// <summary>Outer IPv6 source.</summary>
    [KeyPart(OvsKeyAttribute.Tunnel, "ipv6_src", Nested = OvsTunnelKeyAttribute.Ipv6Source, Format = KeyFormat.Ipv6Address)]
    public Ipv6Address TunnelIpv6Source;

    /// <summary>Outer IPv6 destination.</summary>
    [KeyPart(OvsKeyAttribute.Tunnel, "ipv6_dst", Nested = OvsTunnelKeyAttribute.Ipv6Destination, Format = KeyFormat.Ipv6Address)]
    public Ipv6Address TunnelIpv6Destination;

    /// <summary>TUNNEL_* bits as the kernel keeps them in <c>tun_flags</c>.</summary>
    [KeyPart(OvsKeyAttribute.Tunnel, "flags", Format = KeyFormat.TunnelFlags)]
    public TunnelKeyFlags TunnelFlags;

    /// <summary>Outer TOS.</summary>
    [KeyPart(OvsKeyAttribute.Tunnel, "tos", Nested = OvsTunnelKeyAttribute.Tos, Format = KeyFormat.Hexadecimal)]
    public byte TunnelTos;

    /// <summary>Outer TTL.</summary>
    [KeyPart(OvsKeyAttribute.Tunnel, "ttl", Nested = OvsTunnelKeyAttribute.Ttl)]
    public byte TunnelTtl;

    /// <summary>Outer source port.</summary>
    [KeyPart(OvsKeyAttribute.Tunnel, "tp_src", Nested = OvsTunnelKeyAttribute.TransportSource)]
    public Be16 TunnelTransportSource;

    /// <summary>Outer destination port.</summary>
    [KeyPart(OvsKeyAttribute.Tunnel, "tp_dst", Nested = OvsTunnelKeyAttribute.TransportDestination)]
    public Be16 TunnelTransportDestination;

    /// <summary>Address family of the outer header: 0 no tunnel, 2 AF_INET, 10 AF_INET6.</summary>
    public byte TunnelProtocol;

    /// <summary>Bytes of <see cref="TunnelOptions"/> that are used.</summary>
    public byte TunnelOptionsLength;

    private readonly ushort _tunnelPadding0;

    private readonly uint _tunnelPadding1;

    // --- tunnel options. 256 bytes.

    /// <summary>Geneve options as on the wire, or VXLAN GBP (4 bytes), or ERSPAN metadata, told apart by <see cref="TunnelFlags"/>.</summary>
    [Segment(FlowKeySegments.TunnelOptions)]
    [KeyPart(OvsKeyAttribute.Tunnel, "options", Format = KeyFormat.TunnelOptions)]
    public TunnelOptions TunnelOptions;

    // --- not part of the key.

    /// <summary>Segments beyond the core that may hold a nonzero byte.</summary>
    [NotMatched]
    public FlowKeySegments Segments;

    private readonly int _padding0;
    private readonly Ipv6Address _padding1;
    private readonly Ipv6Address _padding2;
    private readonly Ipv6Address _padding3;

    /// <summary>What <see cref="InPort"/> holds when the packet came from no port (the kernel's DP_MAX_PORTS).</summary>
    public const uint NoInPort = 0xffff;
}
