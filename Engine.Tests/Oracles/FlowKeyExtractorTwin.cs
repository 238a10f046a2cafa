using Engine.Flows;
using Engine.Primitives;

namespace Engine.Tests.Oracles;

/// <summary>The slow, obvious twin of <see cref="FlowKeyExtractor"/>: byte by byte, and the tags are taken out of the frame as the kernel does it.</summary>
internal sealed class FlowKeyExtractorTwin
{
    private readonly bool _udpSegmentation;
    private byte[] _data;
    private FlowKey _key;

    private FlowKeyExtractorTwin(ReadOnlySpan<byte> packet, bool udpSegmentation, in FlowKey metadata)
    {
        _data = packet.ToArray();
        _udpSegmentation = udpSegmentation;
        _key = new FlowKey
        {
            InPort = metadata.InPort,
            RecirculationId = metadata.RecirculationId,
            DatapathHash = metadata.DatapathHash,
            SkbMark = metadata.SkbMark,
            SkbPriority = metadata.SkbPriority,
            ConntrackState = metadata.ConntrackState,
            ConntrackZone = metadata.ConntrackZone,
            ConntrackMark = metadata.ConntrackMark,
            ConntrackLabels = metadata.ConntrackLabels,
            TunnelId = metadata.TunnelId,
            TunnelIpv4Destination = metadata.TunnelIpv4Destination,
        };
    }

    /// <summary>The key; meaningful when extraction did not fail.</summary>
    public FlowKey Key => _key;

    /// <summary>Offset of the network header in the packet as given.</summary>
    public int NetworkOffset { get; private set; }

    /// <summary>Offset of the transport header in the packet as given; null when there is none.</summary>
    public int? TransportOffset { get; private set; }

    /// <summary>Tags that were taken out of the frame.</summary>
    public int Tags { get; private set; }

    /// <summary>Whether there is a key.</summary>
    public bool Succeeded { get; private set; }

    /// <summary>Extracts the key of a frame that came in on a port.</summary>
    public static FlowKeyExtractorTwin Receive(ReadOnlySpan<byte> frame, bool udpSegmentation, uint inPort)
    {
        FlowKeyExtractorTwin twin = new(frame, udpSegmentation, new FlowKey { InPort = inPort });
        if (frame.Length >= 14 && (!twin.IsTagAt(12) || frame.Length >= 20))
        {
            twin.LinkLayer();
        }

        return twin;
    }

    /// <summary>Extracts the key of a packet with an Ethernet header.</summary>
    public static FlowKeyExtractorTwin Extract(ReadOnlySpan<byte> frame, bool udpSegmentation, in FlowKey metadata)
    {
        FlowKeyExtractorTwin twin = new(frame, udpSegmentation, in metadata);
        if (frame.Length >= 14)
        {
            twin.LinkLayer();
        }

        return twin;
    }

    /// <summary>Extracts the key of a packet that starts with its network header.</summary>
    public static FlowKeyExtractorTwin ExtractBare(ReadOnlySpan<byte> packet, bool udpSegmentation, in FlowKey metadata)
    {
        FlowKeyExtractorTwin twin = new(packet, udpSegmentation, in metadata);
        twin._key.EtherType = metadata.EtherType;
        if (metadata.EtherType.Value is not (0x8100 or 0x88a8))
        {
            twin.Succeeded = true;
            twin.Network(0);
        }

        return twin;
    }

    private bool IsTagAt(int offset) => _data.Length >= offset + 2 && (Word(offset) is 0x8100 or 0x88a8);

    private bool Has(int offset, int count) => offset + count <= _data.Length;

    private ushort Word(int offset) => (ushort)((_data[offset] << 8) | _data[offset + 1]);

    private uint Double(int offset) => ((uint)Word(offset) << 16) | Word(offset + 2);

    private EthernetAddress Mac(int offset) => new(_data.AsSpan(offset, 6));

    private Ipv6Address Address(int offset) => new(_data.AsSpan(offset, 16));

    private void LinkLayer()
    {
        Succeeded = true;
        _key.MacProtocol = 1;
        _key.EthernetDestination = Mac(0);
        _key.EthernetSource = Mac(6);
        if (TakeTag(out _key.VlanTpid, out _key.VlanTci))
        {
            TakeTag(out _key.InnerVlanTpid, out _key.InnerVlanTci);
        }

        _key.EtherType = Word(12);
        int network = 14;
        if (_key.EtherType.Value < 0x600)
        {
            _key.EtherType = 4;
            if (Has(14, 8) && _data[14] == 0xaa && _data[15] == 0xaa && _data[17] == 0 && _data[18] == 0 && _data[19] == 0)
            {
                network = 22;
                if (Word(20) >= 0x600)
                {
                    _key.EtherType = Word(20);
                }
            }
        }

        Network(network);
    }

    private bool TakeTag(out Be16 tpid, out Be16 tci)
    {
        tpid = 0;
        tci = 0;
        if (!IsTagAt(12) || !Has(12, 6))
        {
            return false;
        }

        tpid = Word(12);
        tci = (ushort)(Word(14) | 0x1000);
        _data = [.. _data[..12], .. _data[16..]];
        Tags++;
        return true;
    }

    private void Network(int start)
    {
        NetworkOffset = start + (4 * Tags);
        switch (_key.EtherType.Value)
        {
            case 0x0800:
                Version4(start);
                break;
            case 0x86dd:
                Version6(start);
                break;
            case 0x0806 or 0x8035 when Has(start, 28) && Double(start) == 0x00010800 && Word(start + 4) == 0x0604:
                _key.IpProtocol = Word(start + 6) < 256 ? _data[start + 7] : (byte)0;
                _key.ArpSenderHardware = Mac(start + 8);
                _key.Ipv4Source = Double(start + 14);
                _key.ArpTargetHardware = Mac(start + 18);
                _key.Ipv4Destination = Double(start + 24);
                break;
            case 0x8847 or 0x8848:
                Labels(start);
                break;
            case 0x894f:
                Succeeded = ServiceHeader(start);
                break;
        }
    }

    private void Labels(int start)
    {
        List<uint> labels = [];
        while (labels.Count == 0 || (labels[^1] & 0x100) == 0)
        {
            if (!Has(start, 4))
            {
                Keep(labels);
                return;
            }

            labels.Add(Double(start));
            start += 4;
        }

        Keep(labels);
        _key.MplsLabelsMask = labels.Count switch { 1 => 1, 2 => 3, _ => 7 };
    }

    private void Keep(List<uint> labels)
    {
        _key.MplsLabel0 = labels.ElementAtOrDefault(0);
        _key.MplsLabel1 = labels.ElementAtOrDefault(1);
        _key.MplsLabel2 = labels.ElementAtOrDefault(2);
    }

    private bool ServiceHeader(int start)
    {
        if (!Has(start, 8))
        {
            return false;
        }

        ushort first = Word(start);
        int length = (first & 63) * 4;
        byte type = _data[start + 2];
        if (first >> 14 != 0 || !Has(start, length) || !((type == 1 && length == 24) || type == 2))
        {
            return false;
        }

        _key.NshFlags = (byte)((first >> 12) & 3);
        _key.NshTtl = (byte)((first >> 6) & 63);
        _key.NshMdType = type;
        _key.NshNextProtocol = _data[start + 3];
        _key.NshPathHeader = Double(start + 4);
        if (type == 1)
        {
            _key.NshContext0 = Double(start + 8);
            _key.NshContext1 = Double(start + 12);
            _key.NshContext2 = Double(start + 16);
            _key.NshContext3 = Double(start + 20);
        }

        return true;
    }

    private void Version4(int start)
    {
        if (!Has(start, 20))
        {
            return;
        }

        int length = (_data[start] & 15) * 4;
        if (length < 20 || !Has(start, length))
        {
            return;
        }

        _key.IpTos = _data[start + 1];
        _key.IpTtl = _data[start + 8];
        _key.IpProtocol = _data[start + 9];
        _key.Ipv4Source = Double(start + 12);
        _key.Ipv4Destination = Double(start + 16);
        bool more = (Word(start + 6) & 0x2000) != 0;
        bool later = (Word(start + 6) & 0x1fff) != 0;
        _key.IpFragment = (byte)(later ? 2 : more || _udpSegmentation ? 1 : 0);
        Transport(start + length, icmp: 1, read: !later);
    }

    private void Version6(int start)
    {
        if (!Has(start, 40))
        {
            return;
        }

        _key.IpTos = (byte)(Double(start) >> 20);
        _key.Ipv6Label = Double(start) & 0xfffff;
        _key.IpTtl = _data[start + 7];
        _key.Ipv6Source = Address(start + 8);
        _key.Ipv6Destination = Address(start + 24);
        _key.Ipv6ExtensionHeaders = ExtensionBits(start);

        int at = start + 40;
        int next = _data[start + 6];
        byte fragment = 0;
        while (IsExtension(next))
        {
            if (!Has(at, next == 43 ? 4 : 2))
            {
                Broken(next == 44 && Has(at, 2) ? (byte)1 : fragment);
                return;
            }

            int length = (_data[at + 1] + 1) * 8;
            if (next == 51)
            {
                length = (_data[at + 1] + 2) * 4;
            }
            else if (next == 44)
            {
                length = 8;
                fragment = 1;
                if (!Has(at, 4))
                {
                    Broken(fragment);
                    return;
                }

                if (Word(at + 2) >> 3 != 0)
                {
                    if (IsExtension(_data[at]))
                    {
                        Broken(fragment);
                        return;
                    }

                    _key.IpFragment = 2;
                    _key.IpProtocol = 44;
                    return;
                }
            }

            next = _data[at];
            at += length;
        }

        if (at > _data.Length)
        {
            Broken(fragment);
            return;
        }

        _key.IpProtocol = (byte)next;
        _key.IpFragment = _udpSegmentation ? (byte)1 : fragment;
        Transport(at, icmp: 58, read: true);
    }

    private static bool IsExtension(int type) => type is 0 or 43 or 44 or 51 or 60;

    private void Broken(byte fragment)
    {
        _key.IpFragment = fragment;
        _key.IpProtocol = 59;
    }

    // OFPIEH12_*: none 1, authentication 4, destination 8, fragment 16, routing 32, hop by hop 64, repeated 128, out of order 256.
    private ushort ExtensionBits(int start)
    {
        List<int> chain = [];
        bool repeated = false, disordered = false;
        int at = start + 40;
        int type = _data[start + 6];
        while (IsExtension(type))
        {
            int destinations = chain.Count(earlier => earlier == 60);
            switch (type)
            {
                case 0:
                    repeated |= chain.Count > 0 && chain[0] == 0;
                    disordered |= chain.Count > 0;
                    break;
                case 60 when destinations >= 2:
                    repeated = true;
                    break;
                case 60:
                    disordered |= repeated || chain.Except(destinations == 0 ? [0, 43] : [0, 60, 43, 44, 51]).Any();
                    break;
                default:
                    int[] before = type switch { 43 => [0, 60], 44 => [0, 60, 43], _ => [0, 60, 43, 44] };
                    repeated |= chain.Contains(type);
                    disordered |= repeated || destinations >= 2 || chain.Except(before).Any();
                    break;
            }

            chain.Add(type);
            if (!Has(at, 2))
            {
                type = -1;
                break;
            }

            type = _data[at];
            at += (_data[at + 1] + 1) * 8;
        }

        int bits = chain.Count > 0 && chain[0] == 0 ? 64 : 0;
        bits |= chain.Contains(51) ? 4 : 0;
        bits |= chain.Contains(60) ? 8 : 0;
        bits |= chain.Contains(44) ? 16 : 0;
        bits |= chain.Contains(43) ? 32 : 0;
        bits |= type == 59 ? 1 : 0;
        bits |= repeated ? 128 : 0;
        bits |= disordered ? 256 : 0;
        return (ushort)bits;
    }

    private void Transport(int at, byte icmp, bool read)
    {
        TransportOffset = at + (4 * Tags);
        if (!read)
        {
            return;
        }

        byte protocol = _key.IpProtocol;
        bool tcp = protocol == 6 && Has(at, 20) && _data[at + 12] >> 4 >= 5 && Has(at, (_data[at + 12] >> 4) * 4);
        if (tcp || (protocol == 17 && Has(at, 8)) || (protocol == 132 && Has(at, 12)))
        {
            _key.TransportSource = Word(at);
            _key.TransportDestination = Word(at + 2);
        }

        if (tcp)
        {
            _key.TcpFlags = (ushort)(Word(at + 12) & 0xfff);
        }

        if (protocol == icmp && Has(at, 8))
        {
            _key.TransportSource = _data[at];
            _key.TransportDestination = _data[at + 1];
            if (icmp == 58 && (_data[at] is 135 or 136) && _data[at + 1] == 0 && Has(at, 24))
            {
                Neighbor(at);
            }
        }
    }

    private void Neighbor(int at)
    {
        EthernetAddress source = default, target = default;
        _key.NdTarget = Address(at + 8);
        for (at += 24; Has(at, 8); at += _data[at + 1] * 8)
        {
            int length = _data[at + 1] * 8;
            if (length == 0 || !Has(at, length))
            {
                break;
            }

            if (length == 8 && (_data[at] is 1 or 2))
            {
                if ((_data[at] == 1 ? source : target) != default)
                {
                    _key.NdTarget = default;
                    return;
                }

                (source, target) = _data[at] == 1 ? (Mac(at + 2), target) : (source, Mac(at + 2));
            }
        }

        _key.NdSourceLinkLayer = source;
        _key.NdTargetLinkLayer = target;
    }
}
