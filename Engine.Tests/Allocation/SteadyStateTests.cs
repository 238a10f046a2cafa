using System.Globalization;
using System.Text;
using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;
using Engine.Tests.Golden;
using Engine.Tests.Oracles;
using Engine.Tests.Tunnels;
using Engine.Text;
using Engine.Tunnels;
using Engine.Upcalls;
using Engine.Vports;

namespace Engine.Tests.Allocation;

/// <summary>In steady state a packet costs no managed allocation, whatever its flow does with it.</summary>
/// <remarks>After a warm-up the thread's allocated bytes must not move at all: the number is exact, so it is compared with 0.</remarks>
[Collection(AloneCollection.Name)]
public sealed unsafe class SteadyStateTests
{
    private const int WarmUpRounds = 64;
    private const int Rounds = 64;

    /// <summary>The categories of recorded actions, a test each.</summary>
    public static TheoryData<string> Categories =>
        [.. GoldenFiles.Actions.Where(IsUsable).Select(vector => vector.Category).Distinct()];

    [Theory]
    [MemberData(nameof(Categories))]
    public void Recorded_actions_allocate_nothing(string category)
    {
        StringBuilder failures = new();
        foreach (ActionVector vector in GoldenFiles.Actions.Where(IsUsable).Where(vector => vector.Category == category))
        {
            using Datapath datapath = NewDatapath();
            if (!TryPutFlow(datapath, vector))
            {
                failures.AppendLine(CultureInfo.InvariantCulture, $"{vector.Name}: the flow was refused");
                continue;
            }

            long allocated = Measure(datapath, [vector.Packet!]);
            if (allocated != 0)
            {
                failures.AppendLine(CultureInfo.InvariantCulture, $"{vector.Name} {vector.ActionsText}: {allocated} bytes in {Rounds} rounds");
            }
        }

        Assert.True(failures.Length == 0, failures.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Packets_of_every_kind_that_match_nothing_allocate_nothing(bool withHandler)
    {
        using Datapath datapath = NewDatapath();
        datapath.UpcallHandler = withHandler ? datapath.UpcallHandler : null;
        PacketMix mix = new(1);
        List<byte[]> packets = [.. Enumerable.Range(0, 512).Select(i => (i % 2 == 0 ? mix.Next() : mix.NextMutated()).ToArray())];

        Assert.Equal(0, Measure(datapath, packets));
        Assert.True(datapath.ReadStats().Missed > 0);
    }

    [Fact]
    public void Tunnels_allocate_nothing_in_either_direction()
    {
        using Datapath datapath = NewDatapath();
        MemoryUnderlay underlay = new(protocol: 17, port: 4789) { KeepsPackets = false };
        TunnelDriver<VxlanCodec> driver = new(new VxlanCodec(4789), underlay);
        Vport tunnel = new(60, "vxlan", VportType.Vxlan, driver);
        Assert.False(datapath.Vports.TryAdd(tunnel).IsRefused);
        ActionVector sent = GoldenFiles.Actions.First(vector => vector.Name == "meta_tunnel_min");
        FlowLine wrap = Flow("in_port(1),eth(),eth_type(0x0800),ipv4(frag=no) set(tunnel(tun_id=0x5,dst=10.99.0.2,ttl=64,flags(key))),60");
        Assert.Null(wrap.Install(datapath.Flows, out _));
        Assert.Equal(0, Measure(datapath, [sent.Packet!]));
        Assert.True(underlay.SentCount >= WarmUpRounds + Rounds);

        // The other way, to a port that discards: datagrams that wait already, so that only the datapath is measured.
        Assert.False(datapath.Vports.TryAdd(new Vport(61, "null", VportType.Null, new NullDriver())).IsRefused);
        Assert.Null(Flow("tunnel(tun_id=0x5,src=10.99.0.2,dst=10.99.0.1,ttl=64,flags(key)),in_port(60),eth(),eth_type(0x0800),ipv4(frag=no) 61").Install(datapath.Flows, out _));
        byte[] datagram = [8, 0, 0, 0, 0, 0, 5, 0, .. sent.Packet!];
        Assert.Equal(0, Allocated.Least(Unwrap));

        long Unwrap()
        {
            for (int i = 0; i < WarmUpRounds * DatagramBatch.Capacity; i++)
            {
                underlay.Put(new Datagram { Ipv4Source = 0x0a630002, Ipv4Destination = 0x0a630001, Ttl = 64 }, datagram);
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            while (datapath.Workers[0].Poll(tunnel, driver.Rings[0].Driver) != 0)
            {
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static FlowLine Flow(string text)
    {
        Assert.True(FlowFile.TryParse("flow", text, out IReadOnlyList<FlowLine> lines, out _));
        return lines[0];
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(1 << 12)]
    public void Many_flows_and_masks_allocate_nothing_with_or_without_a_cache(int cacheEntries)
    {
        using Datapath datapath = NewDatapath(cacheEntries);
        PacketMix mix = new(2);
        foreach ((FlowKey key, FlowKey mask, ActionList actions) in new FlowMix(mix).Next(60))
        {
            Assert.False(datapath.Flows.Put(in key, in mask, actions, default, FlowPutMode.CreateOnly, out _).IsRefused);
        }

        List<byte[]> packets = [.. Enumerable.Range(0, 512).Select(_ => mix.Next().ToArray())];
        Assert.Equal(0, Measure(datapath, packets));
        DatapathStats stats = datapath.ReadStats();
        Assert.True(stats.Hit > 0 && stats.Missed > 0);
    }

    private static bool IsUsable(ActionVector vector) =>
        !vector.IsSequence && vector.Errno == 0 && vector.Packet!.Length >= 14 && GoldenCoverage.Awaits(vector) is null;

    private static Datapath NewDatapath(int cacheEntries = 64)
    {
        Datapath datapath = new(new DatapathOptions { FrameCount = 512, CacheEntries = cacheEntries, UpcallCapacity = 32 });
        for (uint port = 0; port <= 6; port++)
        {
            Assert.False(datapath.AddVport(port, $"port{port}", VportType.Null, new NullDriver(), out _).IsRefused);
        }

        datapath.UpcallHandler = new LookingHandler();
        return datapath;
    }

    // A flow that matches exactly what the packet has, and does what was recorded.
    private static bool TryPutFlow(Datapath datapath, ActionVector vector)
    {
        FlowKey key = FlowKeyExtractorTwin.Receive(vector.Packet, udpSegmentation: false, 1).Key;
        FlowKey mask = new() { InPort = uint.MaxValue, EtherType = ushort.MaxValue, RecirculationId = uint.MaxValue };
        Refusal refusal = ActionList.TryCreate(vector.Actions, in key, ActionFeatures.All, out ActionList? actions);

        // What was recorded of a bare packet need not be valid for a frame; then there is nothing to measure.
        return refusal.IsRefused
            ? vector.Category is "l3" or "combo" or "meta" or "exec"
            : !datapath.Flows.Put(in key, in mask, actions!, default, FlowPutMode.CreateOnly, out _).IsRefused;
    }

    private static long Measure(Datapath datapath, List<byte[]> packets)
    {
        for (int round = 0; round < WarmUpRounds; round++)
        {
            Play(datapath, packets);
        }

        return Allocated.ByThisThread(() =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                Play(datapath, packets);
            }
        });
    }

    private static void Play(Datapath datapath, List<byte[]> packets)
    {
        Worker worker = datapath.Workers[0];
        PacketBatch batch = default;
        for (int i = 0; i < packets.Count; i++)
        {
            Packet* packet = worker.Pool.TryAllocate(packets[i].Length);
            packet->TrySetBytes(packets[i]);
            batch.Add(packet);
            if (batch.IsFull || i + 1 == packets.Count)
            {
                datapath.Process(worker, 1, ref batch);
                worker.Flush();
            }
        }
    }

    // Looks at everything an upcall carries, as a controller in the process would.
    private sealed class LookingHandler : IUpcallHandler
    {
        private long _seen;

        public void Handle(ref Upcall upcall, IUpcallReply port) =>
            _seen += upcall.Bytes.Length + upcall.Userdata.Length + upcall.Actions.Length + upcall.Key.InPort;
    }
}
