using Engine.Datapaths;
using Engine.Packets;
using Engine.Tests.Allocation;
using Engine.Tests.Oracles;
using Engine.Vports;

namespace Engine.Tests.Pipelines;

/// <summary>A packet through a compiled pipeline costs no managed memory, whatever its shape and its actions.</summary>
[Collection(AloneCollection.Name)]
public sealed class PipelineAllocationTests
{
    private const int WarmUpRounds = 200;
    private const int Rounds = 50;

    [Fact]
    public unsafe void No_packet_costs_managed_memory()
    {
        const string Flows = """
            in_port(1),eth_type(0x0800),ipv4(proto=6,frag=no) set(ipv4(src=10.9.9.9,ttl=7)),set(tcp(src=7)),2
            in_port(1),eth_type(0x0800),ipv4(proto=17,frag=no) push_vlan(vid=7,pcp=0),2,2
            in_port(1),eth_type(0x0800),ipv4(proto=1,frag=no) clone(2)
            in_port(1),eth_type(0x86dd),ipv6(proto=6) set(ipv6(hlimit=9)),2
            """;
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", Flows));
        Assert.Empty(run.Reported);
        using Datapath datapath = new(new DatapathOptions { FrameCount = 512 });
        datapath.AddVport(2, "out", VportType.Null, new NullDriver(), out _);
        PipelineRun.Use(datapath, run.Load().GetType("Sample.Edge")!);
        PacketMix mix = new(1);
        List<byte[]> frames = [.. Enumerable.Range(0, 512).Select(i => (i % 2 == 0 ? mix.NextPlain() : mix.NextMutated()).ToArray())];
        for (int round = 0; round < WarmUpRounds; round++)
        {
            Play(datapath, frames);
        }

        Assert.Equal(0, Allocated.ByThisThread(PlayRounds, attempts: 5));

        void PlayRounds()
        {
            for (int round = 0; round < Rounds; round++)
            {
                Play(datapath, frames);
            }
        }
    }

    private static unsafe void Play(Datapath datapath, List<byte[]> frames)
    {
        Worker worker = datapath.Workers[0];
        PacketBatch batch = default;
        foreach (byte[] frame in frames)
        {
            Packet* packet = worker.Pool.TryAllocate(frame.Length);
            packet->TrySetBytes(frame);
            batch.Add(packet);
            if (batch.IsFull)
            {
                datapath.Process(worker, 1, ref batch);
                worker.Flush();
            }
        }
    }
}
