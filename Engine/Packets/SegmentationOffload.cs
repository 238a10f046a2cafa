using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Packets;

/// <summary>Cuts a super-frame (GSO: TCP over IPv4 and IPv6, UDP) into the packets its source left to its sink, in software, one after the other.</summary>
/// <remarks>
/// As the kernel does it: IPv4 identifications count up; FIN and PSH stay with the last segment, CWR with the first; checksums
/// are complete. Tags and labels before the IP header are repeated. Frames whose IP header is not directly followed by
/// the segmented one (tunnels) are refused.
/// </remarks>
public unsafe ref struct SegmentationOffload
{
    private const byte TcpFin = 0x01, TcpPush = 0x08, TcpCwr = 0x80;
    private const int TcpFlags = 13, TcpSequence = 4, TcpChecksum = 16, TcpMinimum = 20;
    private const int UdpLength = 4, UdpChecksum = 6, UdpHeader = 8;
    private const byte ProtocolTcp = 6, ProtocolUdp = 17;

    private readonly ref Packet _packet;
    private readonly int _network;
    private readonly int _transport;
    private readonly int _header;
    private readonly int _segmentSize;
    private readonly bool _isTcp;
    private readonly bool _isIpv6;
    private int _next;

    private SegmentationOffload(ref Packet packet, int network, int header, bool isTcp, bool isIpv6)
    {
        _packet = ref packet;
        _network = network;
        _transport = packet.Offload.ChecksumStart;
        _header = header;
        _segmentSize = packet.Offload.SegmentSize;
        _isTcp = isTcp;
        _isIpv6 = isIpv6;
    }

    /// <summary>Segments still to come.</summary>
    public readonly int Remaining => ((_packet.Length - _header - 1) / _segmentSize) + 1 - _next;

    /// <summary>Bytes of the longest segment.</summary>
    public readonly int SegmentLength => Math.Min(_header + _segmentSize, _packet.Length);

    /// <summary>Reads the headers of a super-frame.</summary>
    /// <param name="packet">A packet whose <see cref="PacketOffload.GsoType"/> is not zero; it stays the caller's.</param>
    /// <param name="segments">What gives the segments.</param>
    /// <returns>False when the frame is not what its offload says, or is of a kind that cannot be cut.</returns>
    public static bool TryStart(ref Packet packet, out SegmentationOffload segments)
    {
        segments = default;
        ReadOnlySpan<byte> bytes = packet.Bytes;
        ref PacketOffload offload = ref packet.Offload;
        int type = offload.GsoType & ~PacketOffload.GsoEcn;
        bool isTcp = type is PacketOffload.GsoTcpIpv4 or PacketOffload.GsoTcpIpv6;
        int transport = offload.ChecksumStart;
        if ((!isTcp && type != PacketOffload.GsoUdp)
            || offload.SegmentSize == 0
            || !TryFindNetwork(bytes, packet.HasEthernet, out int network, out bool isIpv6)
            || (isTcp && isIpv6 != (type == PacketOffload.GsoTcpIpv6))
            || !Leads(bytes, network, transport, isIpv6, isTcp ? ProtocolTcp : ProtocolUdp))
        {
            return false;
        }

        int minimum = isTcp ? TcpMinimum : UdpHeader;
        if (transport + minimum >= bytes.Length)
        {
            return false;
        }

        int header = transport + (isTcp ? (bytes[transport + 12] >> 4) * 4 : UdpHeader);
        if (header < transport + minimum || header >= bytes.Length)
        {
            return false;
        }

        segments = new SegmentationOffload(ref packet, network, header, isTcp, isIpv6);
        return true;
    }

    /// <summary>Makes the next segment.</summary>
    /// <param name="pool">Where its frame is taken from.</param>
    /// <returns>The segment, the caller's from now on; null when no frame is free, or after the last.</returns>
    public Packet* TryNext(PacketPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ReadOnlySpan<byte> bytes = _packet.Bytes;
        int offset = _header + (_next * _segmentSize);
        int length = Math.Min(_segmentSize, bytes.Length - offset);
        if (length <= 0)
        {
            return null;
        }

        Packet* segment = pool.TryAllocate(_header + length);
        if (segment == null)
        {
            return null;
        }

        segment->SetData(Packet.DefaultDataOffset, _header + length);
        segment->TimestampNs = _packet.TimestampNs;
        segment->FlowHash = _packet.FlowHash;
        segment->HasEthernet = _packet.HasEthernet;
        segment->Protocol = _packet.Protocol;
        Span<byte> to = segment->Bytes;
        bytes[.._header].CopyTo(to);
        bytes.Slice(offset, length).CopyTo(to[_header..]);
        WriteNetwork(to[_network..], to.Length - _network);
        WriteTransport(to, isLast: offset + length == bytes.Length);
        _next++;
        return segment;
    }

    // The IP header behind Ethernet, VLAN tags and MPLS labels. A bare packet starts with it.
    private static bool TryFindNetwork(ReadOnlySpan<byte> bytes, bool hasEthernet, out int network, out bool isIpv6)
    {
        isIpv6 = false;
        network = hasEthernet ? 14 : 0;
        if (bytes.Length < network + TcpMinimum)
        {
            return false;
        }

        if (!hasEthernet)
        {
            isIpv6 = bytes[0] >> 4 == 6;
            return isIpv6 || bytes[0] >> 4 == 4;
        }

        ushort type = BinaryPrimitives.ReadUInt16BigEndian(bytes[12..]);
        while (type is 0x8100 or 0x88a8)
        {
            network += 4;
            if (network + TcpMinimum > bytes.Length)
            {
                return false;
            }

            type = BinaryPrimitives.ReadUInt16BigEndian(bytes[(network - 2)..]);
        }

        if (type is 0x8847 or 0x8848)
        {
            bool isBottom = false;
            while (!isBottom)
            {
                isBottom = (bytes[network + 2] & 1) != 0;
                network += 4;
                if (network + TcpMinimum > bytes.Length)
                {
                    return false;
                }
            }

            type = (ushort)((bytes[network] >> 4) == 4 ? 0x0800 : 0x86dd);
        }

        isIpv6 = type == 0x86dd;
        return type is 0x0800 or 0x86dd;
    }

    // Whether the IP header at network, with its options or extensions, is followed by the protocol at transport.
    private static bool Leads(ReadOnlySpan<byte> bytes, int network, int transport, bool isIpv6, byte protocol)
    {
        if (transport > bytes.Length)
        {
            return false;
        }

        if (!isIpv6)
        {
            return (bytes[network] >> 4) == 4 && network + ((bytes[network] & 15) * 4) == transport && transport >= network + 20 && bytes[network + 9] == protocol;
        }

        int at = network + 40;
        if (at > transport)
        {
            return false;
        }

        byte next = bytes[network + 6];
        while (at < transport && next is 0 or 43 or 60)
        {
            // Hop-by-hop options, routing, destination options: next header, length in 8 bytes without the first 8.
            if (at + 8 > transport)
            {
                return false;
            }

            next = bytes[at];
            at += (bytes[at + 1] + 1) * 8;
        }

        return at == transport && next == protocol;
    }

    private readonly void WriteNetwork(Span<byte> ip, int length)
    {
        if (_isIpv6)
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(length - 40));
            return;
        }

        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)length);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(BinaryPrimitives.ReadUInt16BigEndian(ip[4..]) + _next));
        Span<byte> checksum = ip.Slice(10, 2);
        checksum.Clear();
        MemoryMarshal.Write(checksum, (ushort)~OnesComplement.Fold(OnesComplement.Sum(ip[..(_transport - _network)])));
    }

    private readonly void WriteTransport(Span<byte> packet, bool isLast)
    {
        Span<byte> transport = packet[_transport..];
        int checksum = UdpChecksum;
        if (_isTcp)
        {
            checksum = TcpChecksum;
            uint sequence = BinaryPrimitives.ReadUInt32BigEndian(transport[TcpSequence..]);
            BinaryPrimitives.WriteUInt32BigEndian(transport[TcpSequence..], sequence + (uint)(_next * _segmentSize));
            int flags = transport[TcpFlags] & ~(isLast ? 0 : TcpFin | TcpPush) & ~(_next == 0 ? 0 : TcpCwr);
            transport[TcpFlags] = (byte)flags;
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport[UdpLength..], (ushort)transport.Length);
        }

        transport.Slice(checksum, 2).Clear();
        ReadOnlySpan<byte> addresses = _isIpv6 ? packet.Slice(_network + 8, 32) : packet.Slice(_network + 12, 8);
        ulong sum = OnesComplement.Sum(addresses, OnesComplement.PseudoHeader(_isTcp ? ProtocolTcp : ProtocolUdp, transport.Length));
        ushort complete = (ushort)~OnesComplement.Fold(OnesComplement.Sum(transport, sum));

        // RFC 768: zero would mean no checksum.
        MemoryMarshal.Write(transport[checksum..], complete == 0 && !_isTcp ? (ushort)0xffff : complete);
    }
}
