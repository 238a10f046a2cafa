using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Platform;
using Engine.Vports;

namespace Bench;

/// <summary>Forwarding on one processor while the others have nothing to do, compute, exchange datagrams, or serve clients that flood requests and never read.</summary>
/// <remarks>
/// <para>In many short turns, one after the other without a pause, so that what else goes on at the machine meets all of them alike: a ratio is of two turns of one
/// round. Rates are of the worker's processor time: what others take of its processor is not counted, what they do to its memory, locks and collections is.</para>
/// <para>The other neighbours tell what processors share anyway (clock, cache, memory, the machine's other guests) from what a flood of the engine costs: the one that computes
/// keeps its processor busy; the one that exchanges datagrams does the system calls of the flood, with answers as long, and nothing of the engine.</para>
/// </remarks>
internal sealed partial class ControlFlood : IDisposable
{
    private const int Flows = 1000, OperationsAtOnce = 50;
    private const int Rounds = 300, MillisecondsOfTurn = 10, MillisecondsToStart = 4;

    // struct timespec clock of this thread's processor time.
    private const int ThreadClock = 3;

    private readonly Worker _worker;
    private readonly Vport _port;
    private readonly int _processor;
    private readonly SequencedSocket _client, _mute, _echoClient, _echoServer;
    private readonly byte[] _requests, _dump;
    private readonly byte[] _answer = new byte[1 << 16];
    private readonly Thread _neighbour, _echo;
    private volatile Neighbour _now;
    private long _served;

    private ControlFlood(Datapath datapath, string path, int processor)
    {
        _worker = datapath.Workers[0];
        _port = datapath.Vports.Find("in")!;
        _processor = processor;
        _client = SequencedSocket.Connect(path);
        _mute = SequencedSocket.Connect(path);
        _echoServer = SequencedSocket.TryPair(isSecondNonBlocking: false, out SequencedSocket? client)!;
        _echoClient = client!;
        byte[] buffer = new byte[1 << 16];
        NetlinkWriter dump = new(buffer);
        ControlRequests.Add(ref dump, ControlRequests.Flows, 3, NetlinkFlags.Dump, ControlPorts.LocalIndex, null);
        _dump = dump.Written.ToArray();
        NetlinkWriter writer = new(buffer);
        for (int i = 0; i < OperationsAtOnce; i++)
        {
            ControlRequests.Add(ref writer, ControlRequests.Vports, 3, 0, ControlPorts.LocalIndex, static (ref writer) => writer.PutOvsVportName("in"));
        }

        _requests = writer.Written.ToArray();
        _neighbour = new Thread(BeNeighbour) { IsBackground = true };
        _echo = new Thread(Echo) { IsBackground = true };
    }

    private enum Neighbour
    {
        None,
        Computation,
        Datagrams,
        Flood,
        End,
    }

    /// <summary>Measures beside each neighbour in turn.</summary>
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
        using ControlFlood flood = new(server.CurrentDatapaths[0].Datapath, path, processor);
        flood._neighbour.Start();
        flood._echo.Start();
        Thread worker = new(flood.Measure);
        worker.Start();
        worker.Join();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _now = Neighbour.End;
        _neighbour.Join();
        _echoClient.Dispose();
        _echo.Join();
        _echoServer.Dispose();
        _client.Dispose();
        _mute.Dispose();
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, Span<long> time);

    private static long ReadProcessorTime()
    {
        Span<long> time = stackalloc long[2];
        _ = clock_gettime(ThreadClock, time);
        return (time[0] * 1_000_000_000) + time[1];
    }

    private static string Quartiles(IEnumerable<double> values, string format)
    {
        double[] sorted = [.. values.Order()];
        string At(int quarter) => sorted[sorted.Length * quarter / 4].ToString(format, CultureInfo.InvariantCulture);
        return $"{At(2)} ({At(1)} to {At(3)})";
    }

    // The worker: it goes on forwarding while neighbours change.
    private void Measure()
    {
        ProcessorSet.TryPin(_processor);
        Neighbour[] neighbours = [Neighbour.None, Neighbour.Computation, Neighbour.Datagrams, Neighbour.Flood];
        string[] names = ["alone", "beside computation", "beside datagrams", "beside a flood"];
        double[][] rates = [.. neighbours.Select(static _ => new double[Rounds])];
        int collections = 0;
        for (int round = -Rounds / 10; round < Rounds; round++)
        {
            if (round == 0)
            {
                _served = 0;
                collections = GC.CollectionCount(0);
            }

            // Each neighbour comes after every other one.
            for (int i = 0; i < neighbours.Length; i++)
            {
                int turn = (round & 1) == 0 ? i : neighbours.Length - 1 - i;
                double rate = Measure(neighbours[turn]);
                if (round >= 0)
                {
                    rates[turn][round] = rate;
                }
            }
        }

        _now = Neighbour.None;
        collections = GC.CollectionCount(0) - collections;
        for (int i = 0; i < names.Length; i++)
        {
            Console.WriteLine($"forwarding {names[i],-20} {Quartiles(rates[i].Select(static rate => rate * 1e3), "N2")} million packets a second of processor time");
        }

        for (int i = 0; i < names.Length - 1; i++)
        {
            Console.WriteLine($"a flood / {names[i],-21} {Quartiles(rates[^1].Select((rate, round) => rate / rates[i][round]), "N3")}");
        }

        Console.WriteLine($"datagrams / computation        {Quartiles(rates[2].Select((rate, round) => rate / rates[1][round]), "N3")}");
        Console.WriteLine($"{_served:N0} requests answered in {Rounds} turns of {MillisecondsOfTurn} ms, {collections} collections");
    }

    private double Measure(Neighbour neighbour)
    {
        _now = neighbour;
        Forward(MillisecondsToStart);
        long used = ReadProcessorTime();
        long packets = Forward(MillisecondsOfTurn);
        return (double)packets / (ReadProcessorTime() - used);
    }

    private long Forward(int milliseconds)
    {
        long packets = 0;
        for (long end = Stopwatch.GetTimestamp() + (Stopwatch.Frequency * milliseconds / 1000); Stopwatch.GetTimestamp() < end;)
        {
            for (int i = 0; i < 64; i++)
            {
                packets += _worker.Poll(_port);
            }
        }

        return packets;
    }

    private void BeNeighbour()
    {
        Neighbour before = Neighbour.None;
        ulong value = 1;
        while (_now is var now && now != Neighbour.End)
        {
            switch (now)
            {
                case Neighbour.Computation:
                    for (int i = 0; i < 10_000; i++)
                    {
                        value = (value * 6364136223846793005) + 1442695040888963407;
                    }

                    break;
                case Neighbour.Datagrams:
                    Exchange(_echoClient);
                    break;
                case Neighbour.Flood:
                    if (before != now)
                    {
                        // One that never reads.
                        _mute.TrySend(_dump);
                    }

                    Exchange(_client);
                    _served += OperationsAtOnce;
                    break;
                default:
                    Thread.Sleep(1);
                    break;
            }

            before = now;
        }

        GC.KeepAlive(value);
    }

    private void Exchange(SequencedSocket socket)
    {
        ControlRequests.Send(socket, _requests);
        for (int i = 0; i < OperationsAtOnce; i++)
        {
            socket.Receive(_answer, out _);
        }
    }

    // What the engine's thread does with its sockets.
    private void Echo()
    {
        using EventPoll poll = new();
        poll.Add(_echoServer.Number);
        List<PollEvent> happened = [];
        byte[] request = new byte[1 << 16];

        // As long as what the engine tells of a port.
        byte[] answer = new byte[252];
        while (_now != Neighbour.End)
        {
            poll.Wait(happened, timeoutMs: 100);
            if (_echoServer.Receive(request, out _) <= 0)
            {
                continue;
            }

            for (int i = 0; i < OperationsAtOnce; i++)
            {
                ControlRequests.Send(_echoServer, answer);
            }
        }
    }
}
