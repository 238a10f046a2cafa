using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Packets;
using Engine.Tests.Golden;
using Engine.Tests.Oracles;
using Engine.Vports;
using Xunit.Abstractions;

namespace Engine.Tests.Datapaths;

/// <summary>The datapath against its slow twin: random flows, random packets, the same packets out of the same ports in the same order.</summary>
public sealed unsafe class DatapathOracleTests(ITestOutputHelper output)
{
    private const int PacketCount = 10_000;
    private const int FlowCount = 60;

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 16)] // A cache so small that its entries push each other out.
    [InlineData(4, 1 << 12)]
    [InlineData(5, 1 << 12)]
    [InlineData(6, 1 << 12)]
    public void Random_flows_send_random_packets_out_as_the_twin_does(int seed, int cacheEntries)
    {
        PacketMix mix = new(seed, hosts: 4);
        using Datapath datapath = new(new DatapathOptions { FrameCount = 512, CacheEntries = cacheEntries });
        Dictionary<uint, RecordingDriver> ports = [];
        for (uint port = 1; port <= FlowMix.Ports; port++)
        {
            Assert.False(datapath.AddVport(port, $"port{port}", VportType.Loopback, ports[port] = new RecordingDriver(), out _).IsRefused);
        }

        ByteDatapath twin = new();
        List<Flow> flows = [];
        foreach ((FlowKey key, FlowKey mask, ActionList actions) in new FlowMix(mix).Next(FlowCount))
        {
            Assert.False(datapath.Flows.Put(in key, in mask, actions, default, FlowPutMode.CreateOnly, out Flow? flow).IsRefused);
            flows.Add(flow!);
            twin.Add($"flow {flows.Count}", in key, in mask, actions.Attributes);
        }

        Worker worker = datapath.Workers[0];
        for (int sent = 0; sent < PacketCount;)
        {
            PacketBatch batch = default;
            for (int count = mix.Random.Next(1, PacketBatch.Capacity + 1); count > 0; count--, sent++)
            {
                ReadOnlySpan<byte> bytes = mix.Next();
                Packet* packet = worker.Pool.TryAllocate();
                Assert.True(packet->TrySetBytes(bytes));
                batch.Add(packet);
                twin.Receive(1, bytes);
            }

            datapath.Process(worker, 1, ref batch);
            worker.Flush();
        }

        int outputs = ports.Values.Sum(port => port.Sent.Count);
        output.WriteLine($"seed {seed}: {flows.Count} flows of {datapath.Flows.MaskCount} masks, {PacketCount} packets, {outputs} sent, {twin.Missed} missed");
        foreach ((uint port, RecordingDriver driver) in ports)
        {
            AssertSame(seed, port, twin.Sent.TryGetValue(port, out List<byte[]>? expected) ? expected : [], driver.Sent);
        }

        Assert.Equal((ulong)twin.Missed, datapath.ReadStats().Missed);
        Assert.Equal(
            twin.Counters.Select(counter => (counter.Packets, counter.Bytes)),
            flows.Select(flow => flow.ReadStats()).Select(stats => (stats.Packets, stats.Bytes)));
        Assert.Equal(0, worker.Pool.UsedCount);
        Assert.InRange(outputs, PacketCount / 20, int.MaxValue);
    }

    private static void AssertSame(int seed, uint port, List<byte[]> expected, List<byte[]> actual)
    {
        for (int i = 0; i < Math.Min(expected.Count, actual.Count); i++)
        {
            if (!expected[i].AsSpan().SequenceEqual(actual[i]))
            {
                Assert.Fail($"seed {seed} port {port} packet {i}:\n  twin   {Convert.ToHexStringLower(expected[i])}\n  engine {Convert.ToHexStringLower(actual[i])}");
            }
        }

        Assert.True(expected.Count == actual.Count, $"seed {seed} port {port}: {actual.Count} packets, the twin sent {expected.Count}");
    }
}
