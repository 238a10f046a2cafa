using System.Buffers.Binary;
using Engine.Flows;
using Engine.Primitives;

namespace Engine.Tests.Oracles;

/// <summary>The extractor's slow twin: a frame read front to back, a field at a time, without views, vectors or shortcuts.</summary>
/// <remarks>Written from Documentation/networking/openvswitch.rst, the RFCs and what golden/README.md says of malformed packets. One frame, one instance.</remarks>
internal ref struct ByteExtractor
{
    private const ushort Vlan = 0x8100, ServiceVlan = 0x88a8, Llc = 4;
    private readonly ReadOnlySpan<byte> _bytes;
    private FlowKey _key;
    private int _at;

    private ByteExtractor(ReadOnlySpan<byte> bytes, in FlowKey metadata)
    {
        _bytes = bytes;
        _key = metadata;
    }

    private readonly int Left => _bytes.Length - _at;

    /// <summary>The key of a frame that came in on a port.</summary>
    /// <returns>False when it is dropped.</returns>
    public static bool TryReceive(ReadOnlySpan<byte> bytes, uint inPort, out FlowKey key)
    {
        key = default;
        if (bytes.Length < 14 || (bytes.Length < 20 && IsVlan(BinaryPrimitives.ReadUInt16BigEndian(bytes[12..]))))
        {
            return false;
        }

        key.InPort = inPort;
        return TryExtract(bytes, hasEthernet: true, ref key, out _);
    }

    /// <summary>The key of a packet whose metadata is known; for a bare packet the type is part of that.</summary>
    /// <param name="bytes">The packet.</param>
    /// <param name="hasEthernet">Whether it starts with an Ethernet header.</param>
    /// <param name="key">Metadata in, whole key out.</param>
    /// <param name="network">Where the network header starts.</param>
    public static bool TryExtract(ReadOnlySpan<byte> bytes, bool hasEthernet, ref FlowKey key, out int network)
    {
        FlowKey metadata = new()
        {
            InPort = key.InPort,
            RecirculationId = key.RecirculationId,
            DatapathHash = key.DatapathHash,
            SkbMark = key.SkbMark,
            SkbPriority = key.SkbPriority,
            EtherType = hasEthernet ? default : key.EtherType,
        };
        ByteExtractor extractor = new(bytes, in metadata);
        bool extracted = (!hasEthernet || extractor.Ethernet()) && !IsVlanOfBarePacket(hasEthernet, in metadata);
        network = extractor._at;
        extracted = extracted && extractor.Network();
        key = extractor._key;
        key.Segments = key.FindSegments();
        return extracted;
    }

    private static bool IsVlan(int type) => type is Vlan or ServiceVlan;

    private static bool IsVlanOfBarePacket(bool hasEthernet, in FlowKey key) => !hasEthernet && IsVlan(key.EtherType.Value);

    private readonly byte U8(int offset) => _bytes[offset];

    private readonly ushort U16(int offset) => BinaryPrimitives.ReadUInt16BigEndian(_bytes[offset..]);

    private readonly uint U32(int offset) => BinaryPrimitives.ReadUInt32BigEndian(_bytes[offset..]);

    private readonly EthernetAddress Mac(int offset) => new(_bytes.Slice(offset, 6));

    private readonly Ipv6Address Address(int offset) => new(_bytes.Slice(offset, 16));

    private bool Ethernet()
    {
        if (_bytes.Length < 14)
        {
            return false;
        }

        _key.MacProtocol = 1;
        _key.EthernetDestination = Mac(0);
        _key.EthernetSource = Mac(6);
        _at = 12;

        // A tag counts only with a type behind it.
        if (IsVlan(U16(_at)) && Left >= 6)
        {
            (_key.VlanTpid, _key.VlanTci) = (U16(_at), (ushort)(U16(_at + 2) | 0x1000));
            _at += 4;
            if (IsVlan(U16(_at)) && Left >= 6)
            {
                (_key.InnerVlanTpid, _key.InnerVlanTci) = (U16(_at), (ushort)(U16(_at + 2) | 0x1000));
                _at += 4;
            }
        }

        int type = U16(_at);
        _at += 2;
        if (type < 0x600)
        {
            type = Llc;
            if (Left >= 8 && U16(_at) == 0xaaaa && U8(_at + 3) == 0 && U16(_at + 4) == 0)
            {
                int snap = U16(_at + 6);
                _at += 8;
                type = snap < 0x600 ? Llc : snap;
            }
        }

        _key.EtherType = (ushort)type;
        return true;
    }

    private bool Network()
    {
        switch (_key.EtherType.Value)
        {
            case 0x0800:
                Ipv4();
                break;
            case 0x86dd:
                Ipv6();
                break;
            case 0x0806 or 0x8035:
                Arp();
                break;
            case 0x8847 or 0x8848:
                Mpls();
                break;
            case 0x894f:
                return Nsh();
        }

        return true;
    }

    private void Ipv4()
    {
        int ip = _at, headerLength = Left < 20 ? 0 : (U8(ip) & 15) * 4;
        if (headerLength < 20 || headerLength > Left)
        {
            return;
        }

        _key.Ipv4Source = U32(ip + 12);
        _key.Ipv4Destination = U32(ip + 16);
        _key.IpProtocol = U8(ip + 9);
        _key.IpTos = U8(ip + 1);
        _key.IpTtl = U8(ip + 8);
        int fragment = U16(ip + 6);
        if ((fragment & 0x1fff) != 0)
        {
            _key.IpFragment = 2;
            return;
        }

        _key.IpFragment = (byte)((fragment & 0x2000) != 0 ? 1 : 0);
        _at += headerLength;
        if (_key.IpProtocol == 1 && Left >= 8)
        {
            (_key.TransportSource, _key.TransportDestination) = (U8(_at), U8(_at + 1));
        }

        Ports();
    }

    private void Ports()
    {
        bool whole = _key.IpProtocol switch
        {
            6 => Left >= 20 && U8(_at + 12) >> 4 >= 5 && (U8(_at + 12) >> 4) * 4 <= Left,
            17 => Left >= 8,
            132 => Left >= 12,
            _ => false,
        };
        if (whole)
        {
            (_key.TransportSource, _key.TransportDestination) = (U16(_at), U16(_at + 2));
            _key.TcpFlags = (ushort)(_key.IpProtocol == 6 ? U16(_at + 12) & 0xfff : 0);
        }
    }

    private void Arp()
    {
        // Ethernet and IPv4, addresses of 6 and 4 bytes.
        if (Left < 28 || U16(_at) != 1 || U16(_at + 2) != 0x0800 || U16(_at + 4) != 0x0604)
        {
            return;
        }

        int operation = U16(_at + 6);
        _key.IpProtocol = (byte)(operation > 255 ? 0 : operation);
        _key.ArpSenderHardware = Mac(_at + 8);
        _key.Ipv4Source = U32(_at + 14);
        _key.ArpTargetHardware = Mac(_at + 18);
        _key.Ipv4Destination = U32(_at + 24);
    }

    private void Mpls()
    {
        for (int count = 1; Left >= 4; count++, _at += 4)
        {
            uint entry = U32(_at);
            switch (count)
            {
                case 1:
                    _key.MplsLabel0 = entry;
                    break;
                case 2:
                    _key.MplsLabel1 = entry;
                    break;
                case 3:
                    _key.MplsLabel2 = entry;
                    break;
            }

            if ((entry & 0x100) != 0)
            {
                _key.MplsLabelsMask = (1u << Math.Min(count, 3)) - 1;
                return;
            }
        }
    }

    // RFC 8300 section 2.2: Ver O U TTL Length, MD-Type, Next Protocol. The kernel takes a type 2 of any length, and the unassigned bits as part of the type.
    private bool Nsh()
    {
        if (Left < 8)
        {
            return false;
        }

        int first = U16(_at), type = U8(_at + 2), length = (first & 0x3f) * 4;
        if (first >> 14 != 0 || length > Left || (type == 1 && length != 24) || type is not (1 or 2))
        {
            return false;
        }

        _key.NshFlags = (byte)((first >> 12) & 3);
        _key.NshTtl = (byte)((first >> 6) & 0x3f);
        _key.NshMdType = (byte)type;
        _key.NshNextProtocol = U8(_at + 3);
        _key.NshPathHeader = U32(_at + 4);
        if (type == 1)
        {
            _key.NshContext0 = U32(_at + 8);
            _key.NshContext1 = U32(_at + 12);
            _key.NshContext2 = U32(_at + 16);
            _key.NshContext3 = U32(_at + 20);
        }

        return true;
    }

    private void Ipv6()
    {
        if (Left < 40)
        {
            return;
        }

        int ip = _at;
        _key.Ipv6Label = U32(ip) & 0xfffff;
        _key.IpTos = (byte)(U16(ip) >> 4);
        _key.IpTtl = U8(ip + 7);
        _key.Ipv6Source = Address(ip + 8);
        _key.Ipv6Destination = Address(ip + 24);
        _key.Ipv6ExtensionHeaders = ByteExtensionHeaders.Seen(_bytes[(ip + 40)..], U8(ip + 6));
        _at = ip + 40;
        int last = ByteExtensionHeaders.Last(_bytes, ref _at, U8(ip + 6), out _key.IpFragment);
        _key.IpProtocol = (byte)(_key.IpFragment == 2 ? 44 : last);
        if (_key.IpFragment == 2 || last == ByteExtensionHeaders.Broken)
        {
            return;
        }

        if (last == 58 && Left >= 8)
        {
            (_key.TransportSource, _key.TransportDestination) = (U8(_at), U8(_at + 1));
            NeighborDiscovery();
        }

        Ports();
    }

    // RFC 4861 sections 4.3, 4.4, 4.6.1.
    private void NeighborDiscovery()
    {
        if (U8(_at) is not (135 or 136) || U8(_at + 1) != 0 || Left < 24)
        {
            return;
        }

        _key.NdTarget = Address(_at + 8);
        _at += 24;
        while (Left >= 8 && U8(_at + 1) != 0 && U8(_at + 1) * 8 <= Left)
        {
            bool isSource = U8(_at) == 1, isTarget = U8(_at) == 2;
            if ((isSource || isTarget) && U8(_at + 1) == 1)
            {
                if ((isSource ? _key.NdSourceLinkLayer : _key.NdTargetLinkLayer) != default)
                {
                    (_key.NdTarget, _key.NdSourceLinkLayer, _key.NdTargetLinkLayer) = (default, default, default);
                    return;
                }

                if (isSource)
                {
                    _key.NdSourceLinkLayer = Mac(_at + 2);
                }
                else
                {
                    _key.NdTargetLinkLayer = Mac(_at + 2);
                }
            }

            _at += U8(_at + 1) * 8;
        }
    }
}
