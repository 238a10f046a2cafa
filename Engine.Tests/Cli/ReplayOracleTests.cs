using System.Buffers.Binary;
using System.Text.Json;
using Engine.Cli;
using Engine.Tests.Oracles;
using Engine.Text;
using Xunit.Abstractions;

namespace Engine.Tests.Cli;

/// <summary><c>engine replay</c> of a long capture writes the files that the slow twin of the datapath would.</summary>
public sealed class ReplayOracleTests(ITestOutputHelper output) : IDisposable
{
    private const int PacketCount = 100_000;
    private const int Seed = 20261121;

    // Twenty flows, disjoint, with every kind of action the twin knows.
    private const string Flows = """
        # IPv4: rewrite, count down, tag.
        recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(dst=10.0.0.0,proto=6,frag=no),tcp(dst=0) set(ipv4(src=192.0.2.1,ttl=63)),set(tcp(dst=8080)),2
        recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(dst=10.0.0.0,proto=6,frag=no),tcp(dst=1) push_vlan(vid=100,pcp=3),2,pop_vlan,3
        recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(dst=10.0.0.0,proto=6,frag=no),tcp(dst=2) trunc(60),2,3
        recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(dst=10.0.0.0,proto=17,frag=no) set(udp(src=5353)),set(ipv4(dst=198.51.100.7)),4
        recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(dst=10.0.0.0,proto=132,frag=no) set(sctp(dst=9)),4
        recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(dst=10.0.0.0,proto=1,frag=no) 2,3,4
        recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(dst=10.0.0.1/255.255.255.255,frag=no) recirc(0x1),5
        recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(dst=10.0.0.2/255.255.255.254,frag=no) clone(set(ipv4(tos=0xfc)),2),3
        recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(frag=first) check_pkt_len(size=80,gt(5),le(6))
        recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(frag=later) set(ipv4(src=203.0.113.9)),6
        recirc_id(0x1),in_port(1),eth(),eth_type(0x0800),ipv4(proto=6) set(tcp(src=1)),2
        recirc_id(0x1),in_port(1),eth(),eth_type(0x0800),ipv4(proto=17) push_mpls(label=77,tc=1,ttl=64,bos=1,eth_type=0x8847),3
        # IPv6, ARP, the rest.
        recirc_id(0),in_port(1),eth(),eth_type(0x86dd),ipv6(proto=6,frag=no) set(ipv6(dst=2001:db8::99,hlimit=9)),5
        recirc_id(0),in_port(1),eth(),eth_type(0x86dd),ipv6(proto=17,frag=no) set(udp(dst=53)),5
        recirc_id(0),in_port(1),eth(),eth_type(0x86dd),ipv6(proto=58,frag=no) set(ipv6(src=2001:db8::98,tclass=0x20)),6
        recirc_id(0),in_port(1),eth(),eth_type(0x0806),arp(op=1) set(eth(dst=ff:ff:ff:ff:ff:ff)),2,3,4,5,6
        recirc_id(0),in_port(1),eth(),eth_type(0x8847),mpls(label=16/0xffff0,tc=0/0,ttl=0/0,bos=1/1) pop_mpls(eth_type=0x800),2
        recirc_id(0),in_port(1),eth(),eth_type(0x88b5) set(eth(src=02:00:00:00:00:aa/ff:ff:ff:ff:ff:ff)),6
        recirc_id(0),in_port(1),eth(),eth_type(0x8100),vlan(vid=1,pcp=0/0),encap(eth_type(0x0800),ipv4(frag=no)) pop_vlan,3
        recirc_id(0),in_port(1),eth(),eth_type(0x8100),vlan(vid=2,pcp=0/0),encap(eth_type(0x0800),ipv4(frag=no)) set(eth(dst=02:00:00:00:00:bb)),push_vlan(tpid=0x88a8,vid=5,pcp=1),4
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_long_capture_through_twenty_flows_gives_the_files_of_the_twin()
    {
        string capture = Path.Combine(_folder.FullName, "in.pcap"), flows = Path.Combine(_folder.FullName, "in.flows"), results = Path.Combine(_folder.FullName, "out");
        File.WriteAllText(flows, Flows);
        ByteDatapath twin = new();
        Assert.True(
            FlowFile.TryParse("in.flows", Flows, out IReadOnlyList<FlowLine> lines, out IReadOnlyList<FlowFileError> errors),
            string.Join('\n', errors));
        Assert.Equal(20, lines.Count);
        foreach (FlowLine line in lines)
        {
            twin.Add(line.KeyText, in line.Key, in line.Mask, line.Actions.Span);
        }

        WriteCapture(capture, twin);
        using StringWriter report = new(), complaints = new();
        int exitCode = Replay.Run(
            new ReplayOptions { CapturePath = capture, FlowsPath = flows, OutDirectory = results, IsJson = true }, report, complaints);
        Assert.True(exitCode == 0, complaints.ToString());

        JsonElement json = JsonDocument.Parse(report.ToString()).RootElement;
        output.WriteLine($"seed {Seed}: {PacketCount} packets, {twin.Sent.Sum(port => port.Value.Count)} sent, {twin.Missed} missed");
        Assert.Equal(PacketCount, json.GetProperty("packets").GetInt32());
        Assert.Equal(twin.Missed, json.GetProperty("missed").GetInt32());
        Assert.Equal(
            twin.Counters.Select(counter => (counter.Packets, counter.Bytes)),
            json.GetProperty("flows").EnumerateArray().Select(flow => (flow.GetProperty("packets").GetUInt64(), flow.GetProperty("bytes").GetUInt64())));
        Assert.All(twin.Counters, counter => Assert.True(counter.Packets > 0, $"no packet for {counter.Name}"));

        foreach ((uint port, List<byte[]> expected) in twin.Sent)
        {
            List<byte[]> actual = ReadCapture(Path.Combine(results, $"port-{port}.pcap"));
            for (int i = 0; i < Math.Min(expected.Count, actual.Count); i++)
            {
                Assert.True(
                    expected[i].AsSpan().SequenceEqual(actual[i]),
                    $"port {port} packet {i}:\n  twin   {Convert.ToHexStringLower(expected[i])}\n  engine {Convert.ToHexStringLower(actual[i])}");
            }

            Assert.Equal(expected.Count, actual.Count);
        }
    }

    // Classic pcap, microseconds, Ethernet.
    private static void WriteCapture(string path, ByteDatapath twin)
    {
        PacketMix mix = new(Seed, hosts: 4);
        using BinaryWriter file = new(File.Create(path));
        file.Write(0xa1b2c3d4);
        file.Write((ushort)2);
        file.Write((ushort)4);
        file.Write(0UL);
        file.Write(65535);
        file.Write(1);
        for (int i = 0; i < PacketCount; i++)
        {
            ReadOnlySpan<byte> packet = mix.Next();
            twin.Receive(1, packet);
            file.Write(i / 1000);
            file.Write(i % 1000);
            file.Write(packet.Length);
            file.Write(packet.Length);
            file.Write(packet);
        }
    }

    private static List<byte[]> ReadCapture(string path)
    {
        List<byte[]> packets = [];
        ReadOnlySpan<byte> bytes = File.ReadAllBytes(path);
        Assert.Contains(BinaryPrimitives.ReadUInt32LittleEndian(bytes), (uint[])[0xa1b2c3d4, 0xa1b23c4d]);
        for (bytes = bytes[24..]; bytes.Length != 0;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
            packets.Add(bytes.Slice(16, length).ToArray());
            bytes = bytes[(16 + length)..];
        }

        return packets;
    }
}
