using Engine.Datapaths;
using Engine.Packets;
using Engine.Tests.Golden;
using Engine.Vports;

namespace Engine.Tests.Pipelines;

/// <summary>Packets that leave a compiled pipeline together, where a port does not take all of them, or is not there.</summary>
public sealed class PipelineOutputTests
{
    private const int LongestFrame = 80;

    [Fact]
    public void A_port_refuses_what_is_too_long_and_takes_its_neighbours_in_their_order()
    {
        using Datapath datapath = Make(out RecordingDriver driver, out Vport vport);
        Send(datapath, 1, 60, LongestFrame + 1, 61, LongestFrame, 200, 62);
        Assert.Equal([60, 61, LongestFrame, 62], driver.Sent.Select(static frame => frame.Length));
        Assert.Equal((2ul, 2ul), (datapath.DropsOf(DropReason.TooBig), vport.ReadStats().TxErrors));
        Assert.Equal((4ul, (ulong)(60 + 61 + LongestFrame + 62)), (vport.ReadStats().TxPackets, vport.ReadStats().TxBytes));
        Assert.Equal(0, datapath.Workers[0].Pool.UsedCount);
    }

    [Fact]
    public void Packets_for_a_port_that_is_not_there_are_dropped()
    {
        using Datapath datapath = Make(out RecordingDriver driver, out _);
        Send(datapath, 3, 60, 61, 62);
        Assert.Empty(driver.Sent);
        Assert.Equal(3ul, datapath.DropsOf(DropReason.NoSuchPort));
        Assert.Equal(0, datapath.Workers[0].Pool.UsedCount);
    }

    [Fact]
    public void Several_batches_wait_for_one_port_in_their_order()
    {
        using Datapath datapath = Make(out RecordingDriver driver, out Vport vport);
        for (int i = 0; i < 3; i++)
        {
            Send(datapath, 1, [.. Enumerable.Range(55 + i, 12)], isFlushed: false);
        }

        datapath.Workers[0].Flush();
        Assert.Equal(Enumerable.Range(0, 3).SelectMany(static i => Enumerable.Range(55 + i, 12)), driver.Sent.Select(static frame => frame.Length));
        Assert.Equal(36ul, vport.ReadStats().TxPackets);
    }

    private static Datapath Make(out RecordingDriver driver, out Vport vport)
    {
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", "in_port(1),eth_type(0x0800),ipv4(proto=17,frag=no) 2\nin_port(3),eth_type(0x0800),ipv4(proto=17,frag=no) 9"));
        Assert.Empty(run.Reported);
        Datapath datapath = new();
        datapath.AddVport(2, "out", VportType.Loopback, driver = new RecordingDriver(), out vport);
        vport.MaximumTransmissionUnit = LongestFrame - 14;
        PipelineRun.Use(datapath, run.Load().GetType("Sample.Edge")!);
        return datapath;
    }

    private static void Send(Datapath datapath, uint port, params int[] lengths) => Send(datapath, port, lengths, isFlushed: true);

    private static unsafe void Send(Datapath datapath, uint port, int[] lengths, bool isFlushed)
    {
        Worker worker = datapath.Workers[0];
        PacketBatch batch = default;
        foreach (int length in lengths)
        {
            byte[] frame = new byte[length];
            Convert.FromHexString("0200000000020200000000010800450000100000000040110000").CopyTo(frame, 0);
            Packet* packet = worker.Pool.TryAllocate(length);
            Assert.True(packet->TrySetBytes(frame));
            batch.Add(packet);
        }

        datapath.Process(worker, port, ref batch);
        if (isFlushed)
        {
            worker.Flush();
        }
    }
}
