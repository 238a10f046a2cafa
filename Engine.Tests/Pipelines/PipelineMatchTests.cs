using System.Buffers.Binary;
using Engine.Pipelines;

namespace Engine.Tests.Pipelines;

/// <summary>Matching in each of its forms: comparisons, vectors of lanes, perfect hashes, the table; and the order of flows that overlap.</summary>
public sealed class PipelineMatchTests
{
    // The number of exact flows, and of others before and behind them: what decides between the forms. And by what the form is known; null when there is no code.
    [Theory]
    [InlineData(2, 0, "return 1;")]
    [InlineData(12, 3, "MatchIpv4Telling(")]
    [InlineData(6, 24, "MatchIpv4Telling(")]
    [InlineData(20, 0, "MatchIpv4Hash0(")]
    [InlineData(40, 30, "MatchIpv4Lanes0(")]
    [InlineData(700, 10, "MatchIpv4Hash0(")]
    [InlineData(5, 400, null)]
    public void Every_flow_is_found_and_its_neighbours_are_not(int exact, int prefixes, string? form)
    {
        List<string> flows = [];
        for (int i = 0; i < exact; i++)
        {
            flows.Add($"in_port(1),eth_type(0x0800),ipv4(src=10.0.{i / 256}.{i % 256},dst=172.16.0.1,proto=17,frag=no),udp(src={1000 + i},dst=53) {1 + (i % 70)}");
        }

        // A mask of its own for each, and disjoint by the destination.
        for (int i = 0; i < prefixes; i++)
        {
            flows.Insert(i % 2 == 0 ? flows.Count : 0, $"in_port(1),eth_type(0x0800),ipv4(src=10.{i % 250}.0.0/{9 + (i % 20)},dst=192.168.{i / 256}.{i % 256},proto=17,ttl={i % 8}/{7 | (i & 0xf8)},frag=no) set(ipv4(ttl={1 + (i % 200)})),2");
        }

        string table = string.Join('\n', flows);
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", table));
        Assert.Empty(run.Reported);
        string code = run.Sources.Values.Single();
        Assert.Equal(form is null, !code.Contains("MatchIpv4(", StringComparison.Ordinal));
        Assert.Contains(form ?? string.Empty, code, StringComparison.Ordinal);
        using Comparison comparison = new(run.Load().GetType("Sample.Edge")!, table);
        for (int i = 0; i < exact; i++)
        {
            uint source = 0x0a00_0000u + (uint)i;
            comparison.Send(1, Udp(source, 0xac10_0001, 1000 + i, 53, 64));
            comparison.Send(1, Udp(source + 1, 0xac10_0001, 1000 + i, 53, 64));
            comparison.Send(1, Udp(source, 0xac10_0001, 1000 + i, 54, 64));
            comparison.Send(2, Udp(source, 0xac10_0001, 1000 + i, 53, 64));
        }

        for (int i = 0; i < prefixes; i++)
        {
            comparison.Send(1, Udp(0x0a00_0000u | ((uint)(i % 250) << 16), 0xc0a8_0000u + (uint)i, 5, 6, (byte)(i % 8)));
            comparison.Send(1, Udp(0x0aff_0000u, 0xc0a8_0000u + (uint)i, 5, 6, (byte)(i % 8)));
        }

        string outcome = comparison.AssertSame($"{exact} + {prefixes}");
        Assert.DoesNotContain(" 0 matched", outcome, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_flows_that_overlap_the_first_is_taken()
    {
        // Twenty of one mask in the middle, so that a hash and lanes both match.
        List<string> flows = ["in_port(1),eth_type(0x0800),ipv4(dst=10.1.0.0/16,ttl=1,frag=no) 2"];
        flows.AddRange(Enumerable.Range(0, 20).Select(static i => $"in_port(1),eth_type(0x0800),ipv4(dst=10.1.0.{i},frag=no) 3"));
        flows.Add("in_port(1),eth_type(0x0800),ipv4(dst=10.1.0.0/16,frag=no) 4");
        flows.Add("in_port(1) 5");
        AssertTaken(flows, (0x0a01_0003u, 1, 0), (0x0a01_0003u, 2, 4), (0x0a01_0100u, 2, 21), (0x0a02_0000u, 1, 22), (0x0a01_0100u, 1, 0));
    }

    [Fact]
    public void Of_few_flows_that_overlap_the_first_is_taken() => AssertTaken(
        [
            "in_port(1),eth_type(0x0800),ipv4(dst=10.1.0.0/16,ttl=1,frag=no) 2",
            "in_port(1),eth_type(0x0800),ipv4(dst=10.1.0.0/16,frag=no) 3",
            "in_port(1) 4",
        ],
        (0x0a01_0000u, 1, 0),
        (0x0a01_0000u, 2, 1),
        (0x0a02_0000u, 1, 2));

    private static void AssertTaken(IReadOnlyList<string> flows, params (uint Destination, byte Ttl, int Flow)[] packets)
    {
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", string.Join('\n', flows)));
        Assert.All(run.Reported, static found => Assert.Equal("ENG0407", found.Id));
        using Engine.Datapaths.Datapath datapath = new();
        DatapathPipeline pipeline = PipelineRun.Use(datapath, run.Load().GetType("Sample.Edge")!);
        foreach ((uint destination, byte ttl, int flow) in packets)
        {
            ulong before = pipeline.ReadStats(flow).Packets;
            Send(datapath, Udp(1, destination, 5, 6, ttl));
            Assert.Equal((flow, before + 1), (flow, pipeline.ReadStats(flow).Packets));
        }
    }

    private static unsafe void Send(Engine.Datapaths.Datapath datapath, byte[] frame)
    {
        Engine.Packets.PacketBatch batch = default;
        Engine.Packets.Packet* packet = datapath.Workers[0].Pool.TryAllocate(frame.Length);
        packet->TrySetBytes(frame);
        batch.Add(packet);
        datapath.Process(datapath.Workers[0], 1, ref batch);
        datapath.Workers[0].Flush();
    }

    private static byte[] Udp(uint source, uint destination, int from, int to, byte ttl)
    {
        byte[] frame = Convert.FromHexString("0200000000020200000000010800" + "4500002e00000000" + "0011" + "0000" + "00000000" + "00000000" + "00000000" + "001a0000" + new string('0', 36));
        frame[22] = ttl;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(26), source);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(30), destination);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(34), (ushort)from);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(36), (ushort)to);
        return frame;
    }
}
