using System.Buffers.Binary;
using Engine.Protocols;
using Engine.Tests.Oracles;
using Engine.Tests.Tunnels;
using Engine.Tunnels;
using Engine.Vports;

namespace Engine.Tests.Golden;

/// <summary>The tunnel ports that the recorder's datapath had, 6 to 9, and the device below them.</summary>
internal sealed class GoldenUnderlay
{
    // The neighbour's address, the device's, and the type that follows.
    private const string EthernetHeader = "020000000a02020000000a01";

    private const int EthernetLength = 14;

    private readonly List<(Vport Vport, MemoryUnderlay Underlay)> _ports = [];

    public GoldenUnderlay()
    {
        Add(6, VportType.Vxlan, new VxlanCodec(4789));
        Add(7, VportType.Vxlan, new VxlanCodec(4790, hasGroupPolicy: true));
        Add(8, VportType.Gre, new GreCodec(isIpv6: false));
        Add(9, VportType.Geneve, new GeneveCodec(6081));
    }

    /// <summary>The ports.</summary>
    public IEnumerable<Vport> Vports => _ports.Select(port => port.Vport);

    /// <summary>The frames that the device has sent, as one would have seen them that looks before the device finishes checksums, as the recorder did.</summary>
    public IEnumerable<byte[]> Sent => _ports.SelectMany(port => port.Underlay.Sent).Select(Frame);

    public void Clear() => _ports.ForEach(port => port.Underlay.Sent.Clear());

    /// <summary>A frame arrives at the device: the port gets it that it is for.</summary>
    public void Inject(ReadOnlySpan<byte> frame)
    {
        foreach ((_, MemoryUnderlay underlay) in _ports)
        {
            underlay.PutPacket(frame[EthernetLength..]);
        }
    }

    private void Add<TCodec>(uint number, VportType type, TCodec codec)
        where TCodec : struct, ITunnelCodec
    {
        MemoryUnderlay underlay = new(codec.Protocol, codec.Port);
        Vport vport = new(number, $"tunnel{number}", type, new TunnelDriver<TCodec>(codec, underlay)) { TakesBarePackets = codec.TakesBarePackets };
        _ports.Add((vport, underlay));
    }

    private static byte[] Frame(byte[] packet)
    {
        bool isIpv6 = packet[0] >> 4 == 6;
        int transport = isIpv6 ? 40 : 20;
        byte[] ip = [.. packet];
        Span<byte> payload = ip.AsSpan(transport);
        if (ip[isIpv6 ? 6 : 9] == IpProtocols.Udp && BinaryPrimitives.ReadUInt16BigEndian(payload[6..]) != 0)
        {
            // The checksum must be right; what the recorder saw in its place is the sum of the pseudo-header.
            Assert.Equal(0xffffu, MemoryUnderlay.ChecksumOf(ip, payload));
            uint sum = ByteChecksum.PseudoHeader(isIpv6 ? ip.AsSpan(8, 32) : ip.AsSpan(12, 8), IpProtocols.Udp, payload.Length);
            BinaryPrimitives.WriteUInt16BigEndian(payload[6..], (ushort)sum);
        }
        else if (ip[isIpv6 ? 6 : 9] == IpProtocols.Gre && (payload[0] & 0x80) != 0)
        {
            // The same for GRE, whose checksum has no pseudo-header.
            Assert.Equal(0xffffu, ByteChecksum.Sum(payload));
            payload.Slice(4, 2).Clear();
        }

        return [.. Convert.FromHexString(EthernetHeader + (isIpv6 ? "86dd" : "0800")), .. ip];
    }
}
