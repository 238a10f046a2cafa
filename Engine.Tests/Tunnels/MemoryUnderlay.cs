using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;
using Engine.Protocols;
using Engine.Tests.Oracles;
using Engine.Tunnels;

namespace Engine.Tests.Tunnels;

/// <summary>A network in memory: keeps what is sent, and gives what was put in as a host would that has taken the IP and UDP headers off.</summary>
internal sealed class MemoryUnderlay(byte protocol, ushort port) : ITunnelUnderlay, IDatagramSource
{
    private readonly Queue<(Datagram Datagram, byte[] Bytes)> _arrived = [];

    /// <summary>The IP packets that were sent, in order.</summary>
    public List<byte[]> Sent { get; } = [];

    /// <summary>Whether packets are kept; if not they are counted only.</summary>
    public bool KeepsPackets { get; init; } = true;

    /// <summary>How many were sent.</summary>
    public int SentCount { get; private set; }

    /// <summary>The longest outer packet.</summary>
    public int MaximumTransmissionUnit { get; set; } = 1500;

    /// <inheritdoc/>
    public IReadOnlyList<IDatagramSource> Sources => [this];

    /// <inheritdoc/>
    public SafeHandle? WaitHandle => null;

    /// <inheritdoc/>
    public int RouteGeneration { get; set; } = 1;

    /// <summary>Whether the port was closed.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>The only networks with a route: 10.99.0.0/24 from 10.99.0.1, 2001:db8:99::/64 from its first address.</summary>
    public Errno FindRoute(in FlowKey tunnel, out OuterRoute route)
    {
        Ipv6Address source = new(Convert.FromHexString("20010db8009900000000000000000001"));
        route = new OuterRoute(0x0a630001, source, MaximumTransmissionUnit);
        Span<byte> destination = stackalloc byte[16];
        tunnel.TunnelIpv6Destination.CopyTo(destination);
        Span<byte> network = stackalloc byte[16];
        source.CopyTo(network);
        bool isReached = tunnel.TunnelProtocol == TunnelFamily.Ipv6 ? destination[..8].SequenceEqual(network[..8]) : tunnel.TunnelIpv4Destination.Value >> 8 == 0x0a6300;
        return isReached ? Errno.None : Errno.NoSuchDeviceOrAddress;
    }

    /// <inheritdoc/>
    public int Send(ref PacketBatch packets)
    {
        SentCount += packets.Count;
        for (int i = 0; KeepsPackets && i < packets.Count; i++)
        {
            Sent.Add(packets[i].Bytes.ToArray());
        }

        return packets.Count;
    }

    /// <inheritdoc/>
    public void Receive(DatagramBatch datagrams)
    {
        while (datagrams.Count < DatagramBatch.Capacity && _arrived.TryDequeue(out (Datagram Datagram, byte[] Bytes) next))
        {
            datagrams.Add(in next.Datagram, next.Bytes);
        }
    }

    /// <summary>A datagram arrives.</summary>
    public void Put(in Datagram datagram, ReadOnlySpan<byte> bytes) => _arrived.Enqueue((datagram, bytes.ToArray()));

    /// <summary>An IP packet arrives at the host, which drops it where its checksum is wrong and when it is for somebody else.</summary>
    public void PutPacket(ReadOnlySpan<byte> ip)
    {
        bool isIpv6 = ip[0] >> 4 == 6;
        int header = isIpv6 ? 40 : (ip[0] & 15) * 4;
        ReadOnlySpan<byte> payload = ip[header..];
        Datagram datagram = isIpv6
            ? new Datagram { IsIpv6 = true, Tos = (byte)((ip[0] << 4) | (ip[1] >> 4)), Ttl = ip[7], Ipv6Source = new(ip[8..]), Ipv6Destination = new(ip[24..]) }
            : new Datagram { Tos = ip[1], Ttl = ip[8], Ipv4Source = MemoryMarshal.Read<Be32>(ip[12..]), Ipv4Destination = MemoryMarshal.Read<Be32>(ip[16..]) };
        if (ip[isIpv6 ? 6 : 9] != protocol)
        {
            return;
        }

        if (protocol == IpProtocols.Udp)
        {
            UdpHeader udp = MemoryMarshal.Read<UdpHeader>(payload);
            if (udp.DestinationPort.Value != port || (udp.Checksum.Raw != 0 && ChecksumOf(ip, payload) != 0xffff))
            {
                return;
            }

            datagram.HasChecksum = udp.Checksum.Raw != 0;
            datagram.SourcePort = udp.SourcePort;
            payload = payload[8..BinaryPrimitives.ReadUInt16BigEndian(payload[4..])];
        }

        Put(in datagram, payload);
    }

    /// <inheritdoc/>
    public void Dispose() => IsDisposed = true;

    /// <summary>The sum over pseudo-header and datagram: 0xffff when the checksum is right.</summary>
    internal static uint ChecksumOf(ReadOnlySpan<byte> ip, ReadOnlySpan<byte> udp)
    {
        ReadOnlySpan<byte> addresses = ip[0] >> 4 == 6 ? ip.Slice(8, 32) : ip.Slice(12, 8);
        uint sum = ByteChecksum.PseudoHeader(addresses, IpProtocols.Udp, udp.Length) + ByteChecksum.Sum(udp);
        return (sum & 0xffff) + (sum >> 16);
    }
}
