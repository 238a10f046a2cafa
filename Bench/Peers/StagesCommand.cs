using System.Globalization;
using System.Runtime.CompilerServices;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Packets;
using Engine.Platform;
using Engine.Text;
using Engine.Vports;

namespace Bench.Peers;

/// <summary><c>stages</c>: where the cycles of a packet go, by running more and more of its way.</summary>
internal static unsafe class StagesCommand
{
    private const int Rounds = 7;
    private const int BatchesPerRound = 20_000;

    private enum Stage
    {
        Receive, Extract, Hash, Cache, Subtable, Whole,
    }

    /// <summary>Measures three cases and prints a table.</summary>
    public static int Run()
    {
        Processor.Pin(Processor.Measured);
        Console.WriteLine("Cycles a packet; each column adds a stage to those before it. Medians of rounds in turn.");
        Console.WriteLine($"{"",-12}{"receive+free",14}{"extract",10}{"hash",10}{"cache",10}{"subtable",10}{"count, act, transmit",22}{"whole",9}");
        foreach (PeerCase peerCase in PeerCase.All.Where(peerCase => peerCase.Name is "1x1" or "20000x1" or "never"))
        {
            Print(peerCase);
        }

        return 0;
    }

    private static void Print(PeerCase peerCase)
    {
        using Datapath datapath = new();
        CaseTraffic traffic = new(peerCase);
        IVportDriver source = peerCase.Kind == CaseKind.NeverRepeating ? new NeverRepeatingDriver(traffic) : new PcapLoopDriver(traffic.ToStore());
        datapath.AddVport(CaseTraffic.InPort, "in", VportType.Pcap, source, out Vport input);
        datapath.AddVport(CaseTraffic.OutPort, "out", VportType.Null, new DiscardingDriver(), out _);
        if (!FlowFile.TryParse(peerCase.Name, string.Join('\n', Enumerable.Range(0, traffic.FlowCount).Select(traffic.Flow)), out IReadOnlyList<FlowLine> lines, out _))
        {
            throw new InvalidOperationException("the flows of the case cannot be read");
        }

        foreach (FlowLine line in lines)
        {
            line.Install(datapath.Flows, out _);
        }

        Stage[] stages = Enum.GetValues<Stage>();
        List<double>[] results = [.. stages.Select(static _ => new List<double>())];
        for (int round = 0; round < Rounds + 2; round++)
        {
            foreach (Stage stage in stages)
            {
                double cycles = Measure(datapath, input, stage);

                // The first rounds compile, and fill the cache.
                if (round >= 2)
                {
                    results[(int)stage].Add(cycles);
                }
            }
        }

        double[] medians = [.. results.Select(PeersReport.Median)];
        string row = string.Create(
            CultureInfo.InvariantCulture,
            $"{peerCase.Name,-12}{medians[0],14:F1}{medians[1] - medians[0],10:F1}{medians[2] - medians[1],10:F1}{medians[3] - medians[2],10:F1}"
            + $"{medians[4] - medians[3],10:F1}{medians[5] - medians[4],22:F1}{medians[5],9:F1}");
        Console.WriteLine(row);
    }

    private static double Measure(Datapath datapath, Vport input, Stage stage)
    {
        ulong start = TimestampCounter.Now;
        for (int i = 0; i < BatchesPerRound; i++)
        {
            RunBatch(datapath.Workers[0], input, stage);
        }

        return (TimestampCounter.Now - start) / ((double)BatchesPerRound * PacketBatch.Capacity);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunBatch(Worker worker, Vport input, Stage stage)
    {
        if (stage == Stage.Whole)
        {
            worker.Poll(input);
            return;
        }

        uint* hashes = stackalloc uint[2 * PacketBatch.Capacity];
        FlowRecord** found = stackalloc FlowRecord*[PacketBatch.Capacity];
        PacketBatch batch = default;
        input.Driver.Receive(worker.Pool, ref batch);
        RunStages(worker, ref batch, stage, hashes, found);
        worker.Pool.Free(ref batch);
    }

    private static void RunStages(Worker worker, ref PacketBatch batch, Stage stage, uint* hashes, FlowRecord** found)
    {
        if (stage >= Stage.Extract)
        {
            FlowKeyExtractor.ReceiveBatch(ref batch, worker.Keys, CaseTraffic.InPort);
        }

        if (stage >= Stage.Hash)
        {
            worker.Cache!.Hash(worker.PinnedKeys, hashes, 0, batch.Count);
        }

        uint missing = stage >= Stage.Cache ? worker.Cache!.Find(worker.PinnedKeys, hashes, found, 0, batch.Count) : 0;
        if (stage >= Stage.Subtable && missing != 0)
        {
            worker.Datapath.Flows.Lookup(worker.PinnedKeys, missing, found, hashes + PacketBatch.Capacity, out _);
        }
    }
}
