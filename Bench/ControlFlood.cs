using System.Diagnostics;
using System.Globalization;
using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Platform;
using Engine.Vports;

namespace Bench;

/// <summary>Forwarding on one processor while the others have nothing to do, compute, or serve clients that flood requests and never read: in short turns.</summary>
/// <remarks>The neighbour that computes is there to tell what processors share anyway (clock, cache, the machine's other guests) from what a flood costs.</remarks>
internal sealed class ControlFlood
{
    private const int Flows = 1000, OperationsAtOnce = 50;

    // Short turns, so that what else goes on at the machine meets all of them alike.
    private const int Rounds = 60, MillisecondsOfTurn = 100, MillisecondsToStart = 20;

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

    /// <summary>Measures alone, beside a neighbour that computes, beside a flood, in turn.</summary>
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
        Action[] neighbours = [static () => { }, flood.Compute, flood.Flood];
        flood.Measure(flood.Compute);
        flood.Measure(flood.Flood);
        flood._requests = 0;
        List<double>[] rates = [[], [], []];
        List<double> ratios = [];
        for (int round = 0; round < Rounds; round++)
        {
            // Every other round the other way round.
            for (int i = 0; i < neighbours.Length; i++)
            {
                int turn = round % 2 == 0 ? i : neighbours.Length - 1 - i;
                rates[turn].Add(flood.Measure(neighbours[turn]));
            }

            ratios.Add(rates[2][^1] / rates[1][^1]);
        }

        string[] names = ["alone", "beside computation", "beside a flood"];
        for (int i = 0; i < names.Length; i++)
        {
            Console.WriteLine($"forwarding {names[i],-20} {Quartiles([.. rates[i].Select(static rate => rate / 1e6)], "N2")} million packets a second of processor time");
        }

        Console.WriteLine($"flood / computation             {Quartiles(ratios, "N3")}   ({flood._requests:N0} requests in {Rounds} turns of {MillisecondsOfTurn} ms)");
    }

    private static string Quartiles(List<double> values, string format)
    {
        values.Sort();
        return $"{values[values.Count / 2].ToString(format, CultureInfo.InvariantCulture)} ({values[values.Count / 4].ToString(format, CultureInfo.InvariantCulture)} to {values[values.Count * 3 / 4].ToString(format, CultureInfo.InvariantCulture)})";
    }

    // Packets in a second of the worker's processor time: what others take of its processor is not counted, what they do to its memory, locks and collections is.
    private double Measure(Action neighbour)
    {
        _isStopping = false;
        Thread beside = new(() => neighbour());
        beside.Start();
        Thread.Sleep(MillisecondsToStart);
        long packets = 0;
        double seconds = 0;
        Thread worker = new(() =>
        {
            ProcessorSet.TryPin(_processor);
            double used = ReadProcessorSeconds();
            for (long end = Stopwatch.GetTimestamp() + (Stopwatch.Frequency * MillisecondsOfTurn / 1000); Stopwatch.GetTimestamp() < end;)
            {
                for (int i = 0; i < 64; i++)
                {
                    packets += _worker.Poll(_port);
                }
            }

            seconds = ReadProcessorSeconds() - used;
        });
        worker.Start();
        worker.Join();
        _isStopping = true;
        beside.Join();
        return packets / seconds;
    }

    // The first number is nanoseconds on a processor.
    private static double ReadProcessorSeconds() =>
        long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1e9;

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
