using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Tests.Golden;
using Engine.Tests.Oracles;
using Engine.Upcalls;
using Engine.Vports;
using Xunit.Abstractions;

namespace Engine.Tests.Fuzz;

/// <summary>Any bytes go through any actions without harm: no exception, no frame lost, no endless round.</summary>
/// <remarks>Debug builds check the bounds of every view on the way.</remarks>
public sealed unsafe class DatapathFuzzTests(ITestOutputHelper output)
{
    private const int BatchesPerSeed = 8_000;

    [Theory]
    [MemberData(nameof(FuzzSeeds.All), MemberType = typeof(FuzzSeeds))]
    public void Mutated_packets_survive_every_recorded_action_list(int seed)
    {
        PacketMix mix = new(seed);
        using Datapath datapath = NewDatapath(seed);
        List<byte[]> packets = [];
        foreach (ActionVector vector in GoldenFiles.Actions.Where(vector => !vector.IsSequence && vector.Errno == 0 && vector.Packet!.Length is >= 14 and <= PacketMix.MaximumLength))
        {
            if (TryPutFlow(datapath, vector, inPort: (uint)packets.Count))
            {
                packets.Add(vector.Packet!);
            }
        }

        long played = Play(datapath, mix, batch =>
        {
            int chosen = mix.Random.Next(packets.Count);
            return ((uint)chosen, packets[chosen]);
        });
        output.WriteLine($"seed {seed}: {played} inputs, {packets.Count} action lists, {datapath.ReadStats().Hit} matched");
        Assert.True(datapath.ReadStats().Hit > (ulong)played / 4);
    }

    [Theory]
    [MemberData(nameof(FuzzSeeds.All), MemberType = typeof(FuzzSeeds))]
    public void Packets_of_every_kind_survive_random_flows(int seed)
    {
        PacketMix mix = new(seed);
        using Datapath datapath = NewDatapath(seed);
        foreach ((FlowKey key, FlowKey mask, ActionList actions) in new FlowMix(mix).Next(80))
        {
            Assert.False(datapath.Flows.Put(in key, in mask, actions, default, FlowPutMode.CreateOnly, out _).IsRefused);
        }

        long played = Play(datapath, mix, _ => (1, null));
        output.WriteLine($"seed {seed}: {played} inputs, {datapath.Flows.Count} flows, {datapath.ReadStats().Hit} matched");
        Assert.True(datapath.ReadStats().Hit > 0);
    }

    private static Datapath NewDatapath(int seed)
    {
        // Some without the cache.
        Datapath datapath = new(new DatapathOptions { FrameCount = 512, CacheEntries = seed % 3 == 0 ? 0 : 256, UpcallCapacity = 64 });
        for (uint port = 0; port <= 6; port++)
        {
            Assert.False(datapath.AddVport(port, $"port{port}", VportType.Null, new NullDriver(), out _).IsRefused);
        }

        datapath.UpcallHandler = new CountingHandler();
        return datapath;
    }

    // Wide enough that a mutated packet still matches, narrow enough that the actions are allowed.
    private static bool TryPutFlow(Datapath datapath, ActionVector vector, uint inPort)
    {
        FlowKey key = FlowKeyExtractorTwin.Receive(vector.Packet, udpSegmentation: false, inPort).Key;
        FlowKey mask = new() { InPort = uint.MaxValue, EtherType = ushort.MaxValue, IpProtocol = byte.MaxValue, VlanTci = 0x1000, InnerVlanTci = 0x1000 };
        Refusal refusal = ActionList.TryCreate(vector.Actions, in key, ActionFeatures.All, out ActionList? actions);
        return !refusal.IsRefused && !datapath.Flows.Put(in key, in mask, actions!, default, FlowPutMode.CreateOnly, out _).IsRefused;
    }

    // A batch comes by one port; without a packet to start from, each is drawn from the mix.
    private static long Play(Datapath datapath, PacketMix mix, Func<int, (uint InPort, byte[]? Packet)> choose)
    {
        Worker worker = datapath.Workers[0];
        long played = 0;
        for (int round = 0; round < BatchesPerSeed; round++)
        {
            PacketBatch batch = default;
            (uint inPort, byte[]? origin) = choose(round);
            for (int i = 0; i < PacketBatch.Capacity; i++)
            {
                ReadOnlySpan<byte> bytes = origin is not null ? mix.Mutated(origin) : i % 4 == 0 ? mix.Next() : mix.NextMutated();
                Packet* packet = worker.Pool.TryAllocate();
                Assert.True(packet->TrySetBytes(bytes));
                batch.Add(packet);
            }

            datapath.Process(worker, inPort, ref batch);
            worker.Flush();
            played += PacketBatch.Capacity;
            Assert.Equal(0, worker.Pool.UsedCount);
        }

        return played;
    }

    private sealed class CountingHandler : IUpcallHandler
    {
        private long _bytes;

        public void Handle(ref Upcall upcall, IUpcallReply port) => _bytes += upcall.Bytes.Length;
    }
}
