using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Flows;

/// <content>Network and transport layer, but for IPv6.</content>
public static unsafe partial class FlowKeyExtractor
{
    private const byte NotFragment = 0;
    private const byte FirstFragment = 1;
    private const byte LaterFragment = 2;

    private const int MplsDepth = 3;

    /// <summary>Everything behind the Ethernet type. The packet's own segments must be clear.</summary>
    private static bool ExtractNetwork(Packet* packet, ref FlowKey key, Span<byte> bytes, int offset)
    {
        key.Ipv4Source = default;
        key.Ipv4Destination = default;
        key.IpProtocol = 0;
        key.IpTos = 0;
        key.IpTtl = 0;
        key.IpFragment = NotFragment;
        key.TransportSource = default;
        key.TransportDestination = default;
        key.TcpFlags = default;
        packet->TransportOffset = packet->NetworkOffset;
        packet->HasTransport = false;
        switch (key.EtherType.Value)
        {
            case EtherTypes.Ipv4:
                ExtractIpv4(packet, ref key, bytes, offset);
                return true;
            case EtherTypes.Ipv6:
                ExtractIpv6(packet, ref key, bytes, offset);
                return true;
            case EtherTypes.Arp or EtherTypes.Rarp:
                ExtractArp(ref key, bytes, offset);
                return true;
            case EtherTypes.Mpls or EtherTypes.MplsMulticast:
                ExtractMpls(ref key, bytes, offset);
                return true;
            case EtherTypes.Nsh:
                return TryExtractNsh(ref key, bytes, offset);
            default:
                return true;
        }
    }

    private static void ExtractIpv4(Packet* packet, ref FlowKey key, Span<byte> bytes, int offset)
    {
        if (!Ipv4Header.TryView(bytes, offset, out HeaderView<Ipv4Header> view))
        {
            return;
        }

        // As in the kernel, neither the version nor the total length is looked at.
        ref Ipv4Header ip = ref view.Header;
        int headerLength = ip.HeaderWords * 4;
        if (headerLength < 20 || headerLength > bytes.Length - offset)
        {
            return;
        }

        key.Ipv4Source = ip.Source;
        key.Ipv4Destination = ip.Destination;
        key.IpProtocol = ip.Protocol;
        key.IpTos = ip.Tos;
        key.IpTtl = ip.Ttl;
        int transport = offset + headerLength;
        SetTransport(packet, transport);
        if (ip.FragmentOffset != 0)
        {
            key.IpFragment = LaterFragment;
            return;
        }

        // A datagram that is still to be cut into fragments: the kernel gives it the key of the first.
        key.IpFragment = ip.MoreFragments || packet->Offload.GsoType == PacketOffload.GsoUdpFragments ? FirstFragment : NotFragment;
        if (ip.Protocol != IpProtocols.Icmp)
        {
            ExtractPorts(ref key, bytes, transport);
        }
        else if (IcmpHeader.TryView(bytes, transport, out HeaderView<IcmpHeader> icmp))
        {
            key.TransportSource = icmp.Header.Type;
            key.TransportDestination = icmp.Header.Code;
        }
    }

    /// <summary>Ports of TCP, UDP and SCTP, by the protocol in the key. They stay 0 when the header is malformed or cut short.</summary>
    private static void ExtractPorts(ref FlowKey key, Span<byte> bytes, int offset)
    {
        switch (key.IpProtocol)
        {
            case IpProtocols.Tcp when TcpHeader.TryView(bytes, offset, out HeaderView<TcpHeader> tcp):
                int headerLength = tcp.Header.DataOffset * 4;
                if (headerLength >= 20 && headerLength <= bytes.Length - offset)
                {
                    key.TransportSource = tcp.Header.SourcePort;
                    key.TransportDestination = tcp.Header.DestinationPort;
                    key.TcpFlags = tcp.Header.Flags;
                }

                break;
            case IpProtocols.Udp when UdpHeader.TryView(bytes, offset, out HeaderView<UdpHeader> udp):
                key.TransportSource = udp.Header.SourcePort;
                key.TransportDestination = udp.Header.DestinationPort;
                break;
            case IpProtocols.Sctp when SctpHeader.TryView(bytes, offset, out HeaderView<SctpHeader> sctp):
                key.TransportSource = sctp.Header.SourcePort;
                key.TransportDestination = sctp.Header.DestinationPort;
                break;
        }
    }

    private static void ExtractArp(ref FlowKey key, Span<byte> bytes, int offset)
    {
        if (!ArpHeader.TryView(bytes, offset, out HeaderView<ArpHeader> view))
        {
            return;
        }

        ref ArpHeader arp = ref view.Header;
        if (arp.HardwareType.Value != ArpHeader.Ethernet
            || arp.ProtocolType.Value != EtherTypes.Ipv4
            || arp.HardwareLength != 6
            || arp.ProtocolLength != 4)
        {
            return;
        }

        // Only the low byte of the operation can be matched.
        key.IpProtocol = arp.Operation.Value <= byte.MaxValue ? (byte)arp.Operation.Value : (byte)0;
        key.Ipv4Source = arp.SenderProtocol;
        key.Ipv4Destination = arp.TargetProtocol;
        key.ArpSenderHardware = arp.SenderHardware;
        key.ArpTargetHardware = arp.TargetHardware;
        key.Segments |= FlowKeySegments.Arp;
    }

    private static void ExtractMpls(ref FlowKey key, Span<byte> bytes, int offset)
    {
        // Without a bottom of the stack the labels are kept, but their number is 0, so nothing that asks for a label matches.
        int count = 0;
        for (bool bottom = false; !bottom; offset += 4)
        {
            if (!MplsLabelStackEntry.TryView(bytes, offset, out HeaderView<MplsLabelStackEntry> entry))
            {
                return;
            }

            switch (count++)
            {
                case 0:
                    key.MplsLabel0 = entry.Header.Word;
                    key.Segments |= FlowKeySegments.Mpls;
                    break;
                case 1:
                    key.MplsLabel1 = entry.Header.Word;
                    break;
                case 2:
                    key.MplsLabel2 = entry.Header.Word;
                    break;
            }

            bottom = entry.Header.IsBottomOfStack;
        }

        key.MplsLabelsMask = (1u << Math.Min(count, MplsDepth)) - 1;
    }

    private static bool TryExtractNsh(ref FlowKey key, Span<byte> bytes, int offset)
    {
        if (!NshHeader.TryView(bytes, offset, out HeaderView<NshHeader> view))
        {
            return false;
        }

        ref NshHeader nsh = ref view.Header;
        int length = nsh.LengthWords * 4;
        if (nsh.Version != 0 || length > bytes.Length - offset)
        {
            return false;
        }

        switch (nsh.MdType)
        {
            case NshHeader.FixedMetadata when length == 24 && NshContextHeader.TryView(bytes, offset + 8, out HeaderView<NshContextHeader> context):
                key.NshContext0 = context.Header.Context0;
                key.NshContext1 = context.Header.Context1;
                key.NshContext2 = context.Header.Context2;
                key.NshContext3 = context.Header.Context3;
                break;
            case NshHeader.VariableMetadata:
                break;
            default:
                return false;
        }

        key.NshFlags = nsh.Flags;
        key.NshTtl = nsh.Ttl;
        key.NshMdType = nsh.MdType;
        key.NshNextProtocol = nsh.NextProtocol;
        key.NshPathHeader = nsh.Path;
        key.Segments |= FlowKeySegments.Nsh;
        return true;
    }

    /// <summary>Notes where the transport header starts: inside the packet or at its end.</summary>
    private static void SetTransport(Packet* packet, int offset)
    {
        // Only a 64 KiB packet that is nothing but extension headers gets further than the field can say.
        Invariant.Assert(offset <= packet->Length);
        if (offset <= ushort.MaxValue)
        {
            packet->TransportOffset = (ushort)offset;
            packet->HasTransport = true;
        }
    }
}
