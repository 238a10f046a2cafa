using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>The outer headers of all packets of one tunnel by one port, with what each packet changes left zero, and the sums of the rest.</summary>
/// <remarks>
/// <para><c>[IPv4 20 | IPv6 40][UDP 8 where it is][tunnel header]</c>. A packet costs a copy of them and the fields of its own. Where the rest of
/// it does not matter to them (<see cref="IsPlain"/>), the copy is one store (TunnelBench).</para>
/// <para>Not changed once it is made but for <see cref="Generation"/>. Threads: any.</para>
/// </remarks>
internal sealed unsafe class TunnelTemplate
{
    /// <summary>The most bytes of a tunnel header: Geneve with all its options.</summary>
    public const int MaximumHeader = 8 + 252;

    private const int Ipv4Size = 20, Ipv6Size = 40, UdpSize = 8;
    private const int Ipv4LengthOffset = 2, Ipv4IdentificationOffset = 4, Ipv4ChecksumOffset = 10;
    private const int Ipv6LengthOffset = 4;
    private const int UdpLengthOffset = 4, UdpChecksumOffset = 6;

    // What the host's routes give where the tunnel says 0.
    private const byte UsualTtl = 64;

    // As many bytes are stored at once before a packet, and the headers are the last of them.
    private const int StoreSize = 64;

    private readonly byte[] _header;
    private readonly Vector512<byte> _store;
    private readonly int _ipSize;
    private readonly bool _isUdp;
    private readonly bool _hasUdpChecksum;
    private readonly byte _tos;

    // RFC 1071 sums that do not change: the IPv4 header, folded; addresses and protocol of the pseudo-header.
    private readonly uint _ipSum;
    private readonly ulong _pseudoSum;

    private TunnelTemplate(byte[] header, int ipSize, bool isUdp, bool hasUdpChecksum, byte tos, bool needsFinish, in OuterRoute route)
    {
        _header = header;
        _ipSize = ipSize;
        _isUdp = isUdp;
        _hasUdpChecksum = hasUdpChecksum;
        _tos = tos;
        NeedsFinish = needsFinish;
        Route = route;
        Room = route.MaximumTransmissionUnit - header.Length;
        if (ipSize == Ipv4Size)
        {
            _ipSum = OnesComplement.Fold(OnesComplement.Sum(header.AsSpan(0, Ipv4Size)));
            _pseudoSum = OnesComplement.Sum(header.AsSpan(12, 8), new Be16(header[9]).Raw);
        }
        else if (ipSize == Ipv6Size)
        {
            _pseudoSum = OnesComplement.Sum(header.AsSpan(8, 32), new Be16(header[6]).Raw);
        }

        IsPlain = BitConverter.IsLittleEndian && header.Length is > 0 and <= StoreSize && !needsFinish && !hasUdpChecksum;
        if (IsPlain)
        {
            Span<byte> store = stackalloc byte[StoreSize];
            store.Clear();
            header.CopyTo(store[^header.Length..]);
            _store = Vector512.Create<byte>(store);
        }
    }

    /// <summary>The port it is of.</summary>
    public required object Port { get; init; }

    /// <summary>State of the routes for which it is known to hold.</summary>
    public int Generation { get; set; }

    /// <summary>Why packets of this tunnel are dropped at this port; null when they are not.</summary>
    public DropReason? Failure { get; private init; }

    /// <summary><see cref="Failure"/> as far as it was known before the headers were made.</summary>
    public DropReason? Expected { get; private init; }

    /// <summary>The way it was made for.</summary>
    public OuterRoute Route { get; }

    /// <summary>The longest inner packet that the path takes whole.</summary>
    public int Room { get; }

    /// <summary>Whether the tunnel header is not yet whole for each packet.</summary>
    public bool NeedsFinish { get; }

    /// <summary>Whether <see cref="WriteBefore"/> does for a whole packet with an Ethernet header.</summary>
    public bool IsPlain { get; }

    /// <summary>Whether the outer header is of IPv6.</summary>
    public bool IsIpv6 => _ipSize == Ipv6Size;

    /// <summary>Whether routers may cut the packets, and so the sender.</summary>
    public bool CanFragment { get; private init; }

    /// <summary>Bytes of all headers.</summary>
    public int Length => _header.Length;

    /// <summary>Where the tunnel header starts.</summary>
    public int TunnelOffset => _ipSize + (_isUdp ? UdpSize : 0);

    /// <summary>One that drops everything.</summary>
    public static TunnelTemplate Unusable(DropReason reason, in OuterRoute route, object port, int generation) =>
        new([], 0, false, false, 0, false, in route) { Port = port, Generation = generation, Failure = reason, Expected = reason };

    /// <summary>Makes the headers of a tunnel that goes this way.</summary>
    public static TunnelTemplate Make<TCodec>(TCodec codec, in FlowKey tunnel, in OuterRoute route, object port, int generation)
        where TCodec : struct, ITunnelCodec
    {
        bool isIpv6 = tunnel.TunnelProtocol == TunnelFamily.Ipv6;
        int ipSize = isIpv6 ? Ipv6Size : Ipv4Size;
        bool isUdp = codec.Protocol == IpProtocols.Udp;
        Span<byte> header = stackalloc byte[Ipv6Size + UdpSize + MaximumHeader];
        header.Clear();
        int tunnelOffset = ipSize + (isUdp ? UdpSize : 0);
        int length = codec.Write(in tunnel, header[tunnelOffset..]);
        if (length < 0)
        {
            return new([], 0, false, false, 0, false, in route) { Port = port, Generation = generation, Failure = DropReason.NoTunnel };
        }

        bool doesNotFragment = (tunnel.TunnelFlags & TunnelKeyFlags.DontFragment) != 0;
        byte ttl = tunnel.TunnelTtl == 0 ? UsualTtl : tunnel.TunnelTtl;
        if (isIpv6)
        {
            Ipv6Header ip = new() { Version = 6, NextHeader = codec.Protocol, HopLimit = ttl, Source = route.Ipv6Source, Destination = tunnel.TunnelIpv6Destination };
            MemoryMarshal.Write(header, ip);
        }
        else
        {
            Ipv4Header ip = new()
            {
                Version = 4,
                HeaderWords = 5,
                DontFragment = doesNotFragment,
                Ttl = ttl,
                Protocol = codec.Protocol,
                Source = route.Ipv4Source,
                Destination = tunnel.TunnelIpv4Destination,
            };
            MemoryMarshal.Write(header, ip);
        }

        if (isUdp)
        {
            MemoryMarshal.Write(header[ipSize..], new UdpHeader { DestinationPort = codec.DestinationPortOf(in tunnel) });
        }

        bool hasUdpChecksum = isUdp && (tunnel.TunnelFlags & TunnelKeyFlags.Checksum) != 0;
        return new TunnelTemplate(header[..(tunnelOffset + length)].ToArray(), ipSize, isUdp, hasUdpChecksum, tunnel.TunnelTos, codec.NeedsFinish(in tunnel), in route)
        {
            Port = port,
            Generation = generation,

            // Routers of IPv6 never cut; the sender may.
            CanFragment = isIpv6 || !doesNotFragment,
        };
    }

    /// <summary>Whether <see cref="WriteBefore"/> does for this packet: nothing left to its sink, not too long, with room before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TakesPlainly(Packet* packet) => IsPlain
        & packet->Offload.IsComplete
        & packet->Length <= Room
        & packet->AvailableHeadroom >= StoreSize;

    /// <summary>Puts the headers before a packet for which <see cref="TakesPlainly"/> holds.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="sourcePort">Of UDP.</param>
    /// <param name="identification">Of the outer IPv4 packet.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteBefore(Packet* packet, ushort sourcePort, ushort identification)
    {
        // In bounds: so much headroom was asked for; the headers are the last bytes of it.
        Invariant.Assert(TakesPlainly(packet));
        int headers = _header.Length;
        ref byte data = ref packet->DataReference;
        uint tos = CongestionMark.Encapsulate(_tos, CongestionMark.TosOf(packet));
        Unaligned.Store(ref data, -StoreSize, _store);
        int length = packet->Length + headers;
        packet->SetData(packet->DataOffset - headers, length);
        ref byte ip = ref Unaligned.ByteAt(ref data, -headers);
        if (_ipSize == Ipv4Size)
        {
            // TOS is the low byte of a big-endian word. RFC 1071: a folded sum of four words needs two steps.
            uint words = BinaryPrimitives.ReverseEndianness((ushort)length) | ((uint)BinaryPrimitives.ReverseEndianness(identification) << 16);
            uint sum = _ipSum + (words & 0xffff) + (words >> 16) + (tos << 8);
            sum = (sum & 0xffff) + (sum >> 16);
            Unaligned.Store(ref ip, 1, (byte)tos);
            Unaligned.Store(ref ip, Ipv4LengthOffset, words);
            Unaligned.Store(ref ip, Ipv4ChecksumOffset, (ushort)~(sum + (sum >> 16)));
        }
        else
        {
            Unaligned.Store(ref ip, 0, BinaryPrimitives.ReverseEndianness((ushort)(0x6000 | (tos << 4))));
            Unaligned.Store(ref ip, Ipv6LengthOffset, BinaryPrimitives.ReverseEndianness((ushort)(length - Ipv6Size)));
        }

        if (_isUdp)
        {
            ref byte udp = ref Unaligned.ByteAt(ref ip, _ipSize);
            Unaligned.Store(ref udp, 0, BinaryPrimitives.ReverseEndianness(sourcePort));
            Unaligned.Store(ref udp, UdpLengthOffset, BinaryPrimitives.ReverseEndianness((ushort)(length - _ipSize)));
        }
    }

    /// <summary>Writes the headers before a packet.</summary>
    /// <param name="bytes">Room for the headers, then the packet.</param>
    /// <param name="innerTos">TOS of the packet, for its congestion mark.</param>
    /// <param name="identification">Of the outer IPv4 packet.</param>
    public void WriteTo(Span<byte> bytes, byte innerTos, ushort identification)
    {
        _header.AsSpan().CopyTo(bytes);
        byte tos = CongestionMark.Encapsulate(_tos, innerTos);
        if (_ipSize == Ipv4Size)
        {
            Be16 length = new((ushort)bytes.Length);
            Be16 id = new(identification);
            bytes[1] = tos;
            MemoryMarshal.Write(bytes[Ipv4LengthOffset..], length.Raw);
            MemoryMarshal.Write(bytes[Ipv4IdentificationOffset..], id.Raw);
            ushort checksum = (ushort)~OnesComplement.Fold(_ipSum + length.Raw + id.Raw + new Be16(tos).Raw);
            MemoryMarshal.Write(bytes[Ipv4ChecksumOffset..], checksum);
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(0x6000 | (tos << 4)));
            BinaryPrimitives.WriteUInt16BigEndian(bytes[Ipv6LengthOffset..], (ushort)(bytes.Length - Ipv6Size));
        }
    }

    /// <summary>Writes the fields of the UDP header, once everything behind it is there.</summary>
    public void WriteUdp(Span<byte> bytes, ushort sourcePort)
    {
        if (!_isUdp)
        {
            return;
        }

        Span<byte> udp = bytes[_ipSize..];
        Be16 length = new((ushort)udp.Length);
        MemoryMarshal.Write(udp, new Be16(sourcePort).Raw);
        MemoryMarshal.Write(udp[UdpLengthOffset..], length.Raw);
        if (_hasUdpChecksum)
        {
            ushort checksum = (ushort)~OnesComplement.Fold(OnesComplement.Sum(udp, _pseudoSum + length.Raw));

            // RFC 768: zero would mean no checksum.
            MemoryMarshal.Write(udp[UdpChecksumOffset..], checksum == 0 ? (ushort)0xffff : checksum);
        }
    }
}
