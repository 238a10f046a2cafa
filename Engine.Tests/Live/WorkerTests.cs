using System.Diagnostics;
using System.Diagnostics.Metrics;
using Engine.Control;
using Engine.Datapaths;
using Engine.Packets;
using Engine.Tests.Allocation;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>Threads that serve the rings of live ports.</summary>
public sealed class WorkerTests
{
    [SkippableFact]
    public void Each_ring_is_served_by_the_worker_that_was_named()
    {
        using TwoHosts hosts = new();
        using LiveSwitch live = new(hosts.Switch, 2, LiveSwitch.Joined(",workers=1"));
        Traffic.Ping(hosts.Left, 2);

        // A round is counted when it ends, which may be after the host has its answer.
        Eventually.IsSo(() => live.Runner.ReadStats()[1].Packets >= 20, "the worker that was named counts the packets");
        WorkerStats[] stats = [.. live.Runner.ReadStats()];
        Assert.Equal(0ul, stats[0].Packets);
        Assert.True(stats[1].Packets >= 20, $"{stats[1].Packets} packets");
        Assert.True(stats[1].Batches is > 0 && stats[1].Batches <= stats[1].Packets);
        Assert.True(stats[1].BusyCycles > 0);
        live.Do("del-if dp-live left");
        Assert.False(live.TryDo("add-if dp-live left,workers=2", out _));
    }

    [SkippableFact]
    public void Listeners_of_the_meter_read_the_counters()
    {
        using TwoHosts hosts = new();
        using LiveSwitch live = new(hosts.Switch, 1, LiveSwitch.Joined());
        using WorkerMetrics metrics = new(live.Runner);
        Traffic.Ping(hosts.Left, 2);
        Eventually.IsSo(() => live.Runner.ReadStats()[0].Packets >= 20, "the worker counts the packets");
        Dictionary<string, long> read = [];
        using MeterListener listener = new() { InstrumentPublished = static (instrument, listener) => listener.EnableMeasurementEvents(instrument) };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
        {
            if (instrument.Meter.Name == WorkerMetrics.MeterName)
            {
                read[instrument.Name] = value;
            }
        });
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.InRange(read["engine.worker.packets"], 20, (long)live.Runner.ReadStats()[0].Packets);
        Assert.True(read["engine.worker.pause.longest"] >= read["engine.worker.pause.p999"]);
    }

    [SkippableFact]
    public void Rings_go_to_the_workers_with_the_fewest()
    {
        using TwoHosts hosts = new();
        using LiveSwitch live = new(hosts.Switch, 2, LiveSwitch.Joined());
        Traffic.Ping(hosts.Left, 2);

        // The local port's ring, and one for each device.
        int[] rings = [.. live.Runner.ReadStats().Select(stats => stats.RingCount)];
        Assert.Equal(3, rings.Sum());
        Assert.Equal(1, rings.Min());
    }

    [SkippableFact]
    public void Frames_of_a_device_with_two_rings_reach_both_workers()
    {
        using TwoHosts hosts = new();
        using LiveSwitch live = new(hosts.Switch, 2, LiveSwitch.Joined(",rings=2,workers=0+1"));
        for (int i = 0; i < 8; i++)
        {
            Traffic.Udp(hosts.Left, hosts.Right, "10.77.0.2", 1000, 10);
            Traffic.Tcp(hosts.Right, hosts.Left, "fd77::1", 1 << 20);
        }

        Assert.All(live.Runner.ReadStats(), stats => Assert.True(stats.Packets > 10, $"worker {stats.Index}: {stats.Packets} packets"));
    }

    [SkippableFact]
    public void A_worker_without_traffic_sleeps()
    {
        using TwoHosts hosts = new();
        using LiveSwitch live = new(hosts.Switch, 1, LiveSwitch.Joined());
        Traffic.Ping(hosts.Left, 2);
        Thread.Sleep(50);
        WorkerStats before = live.Runner.ReadStats()[0];
        Thread.Sleep(300);
        WorkerStats after = live.Runner.ReadStats()[0];

        // Looking all the time would be millions of rounds. What the hosts send of themselves wakes it now and then.
        Assert.True(after.Rounds - before.Rounds < 50_000, $"{after.Rounds - before.Rounds} rounds");
        Assert.True(after.Sleeps > 0);
    }

    [SkippableFact]
    public void Ports_come_and_go_while_others_forward()
    {
        using TwoHosts hosts = new();
        hosts.Switch.Run("ip link add spare type veth peer name other; ip link set spare up; ip link set other up");
        using LiveSwitch live = new(hosts.Switch, 2, LiveSwitch.Joined());
        using CancellationTokenSource stop = new();
        Task changes = Task.Run(() =>
        {
            for (int i = 0; !stop.IsCancellationRequested || i < 20; i++)
            {
                live.Do("""
                    add-if dp-live spare other
                    add-if dp-live inner,type=internal
                    del-if dp-live inner spare other
                    """);
            }
        });
        try
        {
            Traffic.Tcp(hosts.Left, hosts.Right, "10.77.0.2", 100 << 20);
            Traffic.Tcp(hosts.Right, hosts.Left, "fd77::1", 20 << 20);
        }
        finally
        {
            stop.Cancel();
            changes.GetAwaiter().GetResult();
        }

        live.Do("del-if dp-live left right");
        foreach (Worker worker in live.Datapath.Datapath.Workers)
        {
            Assert.Equal(0, worker.Pool.UsedCount);
        }
    }

    [SkippableTheory]
    [InlineData("spare,driver=packet")]
    [InlineData("spare,driver=uring")]
    [InlineData("spare,driver=xdp")]
    [InlineData("inner,type=internal")]
    public void A_port_can_come_back_at_once_while_programs_are_started(string port)
    {
        using TwoHosts hosts = new();
        hosts.Switch.Run("ip link add spare type veth peer name other; ip link set spare up; ip link set other up");
        using LiveSwitch live = new(hosts.Switch, 1, LiveSwitch.Joined());
        using CancellationTokenSource stop = new();

        // Between its fork and its exec a process has copies of all descriptors of this one, those that are closed meanwhile too.
        Task starts = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                using Process process = Process.Start("true");
                process.WaitForExit();
            }
        });
        try
        {
            string name = port.Split(',')[0];
            for (int i = 0; i < 30; i++)
            {
                live.Do($"add-if dp-live {port}");
                live.Do($"del-if dp-live {name}");
            }
        }
        finally
        {
            stop.Cancel();
            starts.GetAwaiter().GetResult();
        }
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void A_packet_on_its_way_through_the_engine_allocates_nothing(string driver)
    {
        using TwoHosts hosts = new();
        using LiveSwitch live = new(hosts.Switch, 1, LiveSwitch.Joined($",driver={driver}"));
        Traffic.Tcp(hosts.Left, hosts.Right, "10.77.0.2", 5 << 20);
        Traffic.Ping(hosts.Left, 2);
        Assert.Equal(0, Allocated.Least(Measure));

        long Measure()
        {
            (long before, ulong packets) = Settle(live);
            Traffic.Tcp(hosts.Left, hosts.Right, "10.77.0.2", 20 << 20);
            Traffic.Ping(hosts.Left, 2);
            (long after, ulong packetsAfter) = Settle(live);
            Assert.True(packetsAfter > packets + 200, $"{packetsAfter - packets} packets");
            return after - before;
        }
    }

    [SkippableFact]
    public void Tags_are_pushed_and_popped_on_super_frames()
    {
        using TwoHosts hosts = new();
        hosts.Switch.Run("ip link add one type veth peer name other; ip link set one up; ip link set other up");

        // With the tag from "one" to "other" and back, without it at the hosts.
        using LiveSwitch live = new(hosts.Switch, 1, """
            add-dp dp-live
            add-if dp-live left right one other
            add-flow dp-live in_port(1),eth(),eth_type(0x0800),ipv4() push_vlan(vid=7,pcp=0),3
            add-flow dp-live in_port(1),eth(),eth_type(0x0806),arp() push_vlan(vid=7,pcp=0),3
            add-flow dp-live in_port(2),eth(),eth_type(0x0800),ipv4() push_vlan(vid=7,pcp=0),4
            add-flow dp-live in_port(2),eth(),eth_type(0x0806),arp() push_vlan(vid=7,pcp=0),4
            add-flow dp-live in_port(4),eth(),eth_type(0x8100),vlan(vid=7),encap(eth_type(0x0800),ipv4()) pop_vlan,2
            add-flow dp-live in_port(4),eth(),eth_type(0x8100),vlan(vid=7),encap(eth_type(0x0806),arp()) pop_vlan,2
            add-flow dp-live in_port(3),eth(),eth_type(0x8100),vlan(vid=7),encap(eth_type(0x0800),ipv4()) pop_vlan,1
            add-flow dp-live in_port(3),eth(),eth_type(0x8100),vlan(vid=7),encap(eth_type(0x0806),arp()) pop_vlan,1
            """);
        Traffic.Tcp(hosts.Left, hosts.Right, "10.77.0.2", 50 << 20);
        Traffic.Tcp(hosts.Right, hosts.Left, "10.77.0.1", 50 << 20);
        VportStats sent = live.Find("one")!.Vport.ReadStats();
        Assert.True(sent.TxBytes / sent.TxPackets > 3000, $"{sent.TxBytes / sent.TxPackets} bytes a packet: super-frames were cut");
    }

    [Fact]
    public void Workers_are_assigned_in_turn_or_by_load()
    {
        using PacketPool pool = new(16);
        VportWorkers workers = new([pool, pool, pool, pool], 3, worker => worker == 0 ? 5 : worker == 1 ? 1 : 3);
        Assert.Equal([1, 2, 0, 1], Assign(VportOptions.Default, 4));
        Assert.Equal([2, 0, 2], Assign(new VportOptions { Workers = [2, 0] }, 3));
        Assert.True(workers.TryAssign(new VportOptions { Workers = [3] }, 1, out _).IsRefused);

        int[] Assign(VportOptions options, int rings)
        {
            Assert.False(workers.TryAssign(options, rings, out int[] chosen).IsRefused);
            return chosen;
        }
    }

    [Fact]
    public void Lengths_of_rounds_are_told_by_bucket()
    {
        PauseHistogram pauses = new();
        for (int i = 0; i < 999; i++)
        {
            pauses.Add(1500);
        }

        pauses.Add(70_000);
        Assert.Equal(999, pauses[10]);
        Assert.Equal(1, pauses[16]);
        Assert.Equal(2047, pauses.Percentile(0.999));
        Assert.Equal(70_000, pauses.Percentile(1));
        Assert.Equal(70_000, pauses.LongestNs);
        pauses.Clear();
        Assert.Equal(0, pauses.Percentile(0.999));
    }

    // What the worker has allocated, once it has nothing to do.
    private static (long Allocated, ulong Packets) Settle(LiveSwitch live)
    {
        (long Allocated, ulong Packets) settled = Look(), before;
        Eventually.IsSo(
            () =>
            {
                before = settled;
                Thread.Sleep(200);
                settled = Look();
                return settled == before;
            },
            "the worker has nothing to do");
        return settled;

        (long, ulong) Look() => (live.Runner.AllocatedBytesOf(0), live.Runner.ReadStats()[0].Packets);
    }
}
