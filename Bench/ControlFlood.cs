using System.Diagnostics;
using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Platform;
using Engine.Vports;

namespace Bench;

/// <summary>Forwarding on one processor while the others have nothing to do, compute, or serve clients that flood requests and never read.</summary>
/// <remarks>The neighbour that computes is there to tell what processors share anyway (clock, cache, the machine's other guests) from what a flood costs.</remarks>
internal sealed class ControlFlood
{
    private const int Flows = 1000, OperationsAtOnce = 50;

    private readonly string _path;
    private readonly Worker _worker;
    private readonly Vport _port;
    private readonly int _processor;
    private volatile bool _isStopping;
    private long _requests;

    private ControlFlood(Datapath datapath, string path, int processor)
    {
        _path = path;
        _worker = datapath.Workers[0];
        _port = datapath.Vports.Find("in")!;
        _processor = processor;
    }

    /// <summary>Measures in rounds of alone, beside a neighbour that computes, beside a flood.</summary>
    /// <param name="server">A server with the ports of <see cref="ControlPorts"/>.</param>
    /// <param name="path">Its socket.</param>
    public static void Run(ControlServer server, string path)
    {
        if (!OperatingSystem.IsLinux() || ProcessorSet.Current is not [.., var processor] || processor == 0)
        {
            Console.WriteLine("forwarding: needs two processors");
            return;
        }

        using (SequencedSocket client = SequencedSocket.Connect(path))
        {
            for (int first = 0; first < Flows; first += OperationsAtOnce)
            {
                ControlRequests.Send(client, ControlRequests.MakeFlows(first, first + OperationsAtOnce));
            }
        }

        Process.GetCurrentProcess().ProcessorAffinity = (nint)((1L << processor) - 1);
        ControlFlood flood = new(server.CurrentDatapaths[0].Datapath, path, processor);
        flood.Measure(null);
        for (int round = 0; round < 5; round++)
        {
            double alone = flood.Measure(null);
            double computing = flood.Measure(flood.Compute);
            double flooded = flood.Measure(flood.Flood);
            Console.WriteLine($"forwarding {alone / 1e6,6:N2} Mpps alone   {computing / 1e6,6:N2} beside computation   {flooded / 1e6,6:N2} beside {flood._requests:N0} requests   "
                + $"flood/computation {flooded / computing:N3}   flood/alone {flooded / alone:N3}");
        }
    }

    // Packets in a second.
    private double Measure(Action? neighbour)
    {
        _isStopping = false;
        _requests = 0;
        Thread? beside = neighbour is null ? null : new Thread(() => neighbour());
        beside?.Start();
        long packets = 0;
        double seconds = 0;
        Thread worker = new(() =>
        {
            ProcessorSet.TryPin(_processor);
            long start = Stopwatch.GetTimestamp();
            for (long end = start + Stopwatch.Frequency; Stopwatch.GetTimestamp() < end;)
            {
                for (int i = 0; i < 256; i++)
                {
                    packets += _worker.Poll(_port);
                }
            }

            seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        });
        worker.Start();
        worker.Join();
        _isStopping = true;
        beside?.Join();
        return packets / seconds;
    }

    private void Compute()
    {
        ulong value = 1;
        while (!_isStopping)
        {
            for (int i = 0; i < 10_000; i++)
            {
                value = (value * 6364136223846793005) + 1442695040888963407;
            }
        }

        GC.KeepAlive(value);
    }

    // One client asks as fast as it is answered, another has begun a dump and never reads.
    private void Flood()
    {
        using SequencedSocket client = SequencedSocket.Connect(_path);
        using SequencedSocket mute = SequencedSocket.Connect(_path);
        byte[] buffer = new byte[1 << 16];
        NetlinkWriter dump = new(buffer);
        ControlRequests.Add(ref dump, ControlRequests.Flows, 3, NetlinkFlags.Dump, ControlPorts.LocalIndex, null);
        ControlRequests.Send(mute, dump.Written);
        NetlinkWriter writer = new(buffer);
        for (int i = 0; i < OperationsAtOnce; i++)
        {
            ControlRequests.Add(ref writer, ControlRequests.Vports, 3, 0, ControlPorts.LocalIndex, static (ref writer) => writer.PutOvsVportName("in"));
        }

        byte[] requests = writer.Written.ToArray();
        while (!_isStopping)
        {
            ControlRequests.Send(client, requests);
            for (int i = 0; i < OperationsAtOnce; i++)
            {
                client.Receive(buffer, out _);
            }

            _requests += OperationsAtOnce;
        }
    }
}
