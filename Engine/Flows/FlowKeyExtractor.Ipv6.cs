using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Flows;

/// <content>IPv6, its extension headers, and neighbour discovery.</content>
public static unsafe partial class FlowKeyExtractor
{
    // OFPIEH12_*, the bits of OVS_KEY_ATTR_IPV6_EXTHDRS (OpenFlow 1.2 A.2.3.7).
    private const int NoNextHeader = 1 << 0;
    private const int Authentication = 1 << 2;
    private const int Destination = 1 << 3;
    private const int Fragment = 1 << 4;
    private const int Router = 1 << 5;
    private const int HopByHop = 1 << 6;
    private const int Unrepeated = 1 << 7;
    private const int Unsequenced = 1 << 8;

    private static void ExtractIpv6(Packet* packet, ref FlowKey key, Span<byte> bytes, int offset)
    {
        if (!Ipv6Header.TryView(bytes, offset, out HeaderView<Ipv6Header> view))
        {
            return;
        }

        // As in the kernel, neither the version nor the payload length is looked at.
        ref Ipv6Header ip = ref view.Header;
        key.Ipv6Source = ip.Source;
        key.Ipv6Destination = ip.Destination;
        key.Ipv6Label = ip.FlowLabel;
        key.Segments |= FlowKeySegments.Ipv6;
        key.IpTos = ip.TrafficClass;
        key.IpTtl = ip.HopLimit;
        byte protocol = ip.NextHeader;
        int transport = offset + 40;
        if (IpProtocols.IsIpv6Extension(protocol))
        {
            key.Ipv6ExtensionHeaders = ExtensionHeaders(bytes, transport, protocol);
            bool found = TrySkipExtensions(bytes, ref transport, ref protocol, out key.IpFragment);
            if (key.IpFragment == LaterFragment)
            {
                key.IpProtocol = IpProtocols.Fragment;
                return;
            }

            if (!found)
            {
                key.IpProtocol = IpProtocols.None;
                return;
            }
        }

        key.IpProtocol = protocol;
        SetTransport(packet, transport);
        if (packet->Offload.GsoType == PacketOffload.GsoUdpFragments)
        {
            key.IpFragment = FirstFragment;
        }

        if (protocol != IpProtocols.Icmpv6)
        {
            ExtractPorts(ref key, bytes, transport);
        }
        else if (Icmpv6Header.TryView(bytes, transport, out HeaderView<Icmpv6Header> icmp))
        {
            key.TransportSource = icmp.Header.Type;
            key.TransportDestination = icmp.Header.Code;
            if (icmp.Header is { Code: 0, Type: Icmpv6Header.NeighborSolicitation or Icmpv6Header.NeighborAdvertisement })
            {
                ExtractNeighbor(ref key, bytes, transport);
            }
        }
    }

    /// <summary>Walks to the first header that is no extension header (the kernel's ipv6_find_hdr with no target).</summary>
    /// <param name="bytes">The packet.</param>
    /// <param name="offset">Where the first extension header starts; then where the last header starts.</param>
    /// <param name="protocol">Type of the first extension header; then of the last header.</param>
    /// <param name="fragment">0, 1 or 2, also when false is returned.</param>
    /// <returns>False when the chain is cut short, or a later fragment continues with extension headers.</returns>
    private static bool TrySkipExtensions(Span<byte> bytes, ref int offset, ref byte protocol, out byte fragment)
    {
        fragment = NotFragment;
        while (IpProtocols.IsIpv6Extension(protocol) && protocol != IpProtocols.None)
        {
            if (!Ipv6ExtensionHeader.TryView(bytes, offset, out HeaderView<Ipv6ExtensionHeader> view))
            {
                return false;
            }

            byte next = view.Header.NextHeader;
            int length = (view.Header.Length + 1) * 8;
            switch (protocol)
            {
                case IpProtocols.Routing when !Ipv6RoutingHeader.TryView(bytes, offset, out _):
                    return false;

                case IpProtocols.Fragment:
                    // Anything with a fragment header counts as a fragment, even one that has no others (RFC 6946).
                    // The kernel reads the offset without asking for the whole header.
                    fragment = FirstFragment;
                    if (bytes.Length - offset < 4)
                    {
                        return false;
                    }

                    if ((new Be16(0xfff8).Raw & BitConverter.ToUInt16(bytes[(offset + 2)..])) != 0)
                    {
                        if (IpProtocols.IsIpv6Extension(next) && next != IpProtocols.None)
                        {
                            return false;
                        }

                        fragment = LaterFragment;
                        return true;
                    }

                    length = 8;
                    break;

                case IpProtocols.Authentication:
                    length = (view.Header.Length + 2) * 4;
                    break;
            }

            protocol = next;
            offset += length;
        }

        // A last header that says it is longer than the packet leaves nothing to look at.
        return offset <= bytes.Length;
    }

    /// <summary>Which extension headers there are, and whether they repeat or stand in another order than RFC 8200 section 4.1 recommends.</summary>
    private static ushort ExtensionHeaders(Span<byte> bytes, int offset, byte next)
    {
        int seen = 0;
        int destinations = 0;
        while (IpProtocols.IsIpv6Extension(next))
        {
            switch (next)
            {
                case IpProtocols.None:
                    return (ushort)(seen | NoNextHeader);

                case IpProtocols.Authentication:
                    seen = Note(seen, Authentication, HopByHop | Destination | Router | Fragment, destinations);
                    break;

                case IpProtocols.DestinationOptions:
                    // Once ahead of the routing header and once at the end.
                    int before = destinations == 0 ? HopByHop | Router : HopByHop | Destination | Router | Fragment | Authentication;
                    if (destinations >= 2)
                    {
                        seen |= Unrepeated;
                    }
                    else if ((seen & ~before) != 0)
                    {
                        seen |= Unsequenced;
                    }

                    seen |= Destination;
                    destinations++;
                    break;

                case IpProtocols.Fragment:
                    seen = Note(seen, Fragment, HopByHop | Destination | Router, destinations);
                    break;

                case IpProtocols.Routing:
                    seen = Note(seen, Router, HopByHop | Destination, destinations);
                    break;

                case IpProtocols.HopByHop:
                    // Only where it is first, as it must be, it counts as there.
                    seen |= (seen & HopByHop) != 0 ? Unrepeated : 0;
                    seen |= seen == 0 ? HopByHop : Unsequenced;
                    break;
            }

            if (!Ipv6ExtensionHeader.TryView(bytes, offset, out HeaderView<Ipv6ExtensionHeader> view))
            {
                break;
            }

            // As in the kernel, every header counts in units of 8 bytes here, also the two that do not.
            next = view.Header.NextHeader;
            offset += (view.Header.Length + 1) * 8;
        }

        return (ushort)seen;
    }

    private static int Note(int seen, int header, int before, int destinations)
    {
        // The repetition is noted before the order is looked at, so a repeated header is out of order as well.
        if ((seen & header) != 0)
        {
            seen |= Unrepeated;
        }

        if ((seen & ~before) != 0 || destinations >= 2)
        {
            seen |= Unsequenced;
        }

        return seen | header;
    }

    /// <summary>Target and link-layer addresses, RFC 4861. A repeated option voids the message, a malformed one ends it.</summary>
    private static void ExtractNeighbor(ref FlowKey key, Span<byte> bytes, int offset)
    {
        if (!NeighborMessage.TryView(bytes, offset, out HeaderView<NeighborMessage> message))
        {
            return;
        }

        key.NdTarget = message.Header.Target;
        key.Segments |= FlowKeySegments.NeighborDiscovery;
        for (offset += 24; NeighborOption.TryView(bytes, offset, out HeaderView<NeighborOption> option); offset += option.Header.Length * 8)
        {
            int length = option.Header.Length * 8;
            if (length == 0 || length > bytes.Length - offset)
            {
                return;
            }

            bool source = option.Header.Type == NeighborOption.SourceLinkLayer;
            if (length != 8 || !(source || option.Header.Type == NeighborOption.TargetLinkLayer))
            {
                continue;
            }

            ref EthernetAddress address = ref source ? ref key.NdSourceLinkLayer : ref key.NdTargetLinkLayer;
            if (address != default)
            {
                key.ClearSegments(FlowKeySegments.NeighborDiscovery);
                return;
            }

            address = option.Header.LinkLayer;
        }
    }
}
