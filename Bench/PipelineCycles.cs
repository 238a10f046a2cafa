using System.Globalization;
using Bench.Peers;
using Engine.Datapaths;
using Engine.Packets;
using Engine.Pipelines;
using Engine.Platform;
using Engine.Text;
using Engine.Vports;

namespace Bench;

/// <summary>
/// <c>pipelines</c>: cycles a packet of the same flows in the table, without and with a warm cache, and compiled, in turn in one run; beside
/// them what all have in common: receiving, counting by port, handing on and giving back.
/// </summary>
internal static class PipelineCycles
{
    // Short, so that many fall between what else the machine does.
    private const int Rounds = 1_001;
    private const int BatchesPerRound = 250;

    // Until the runtime has compiled what is hot for good, which it does in the background.
    private const int WarmUpMs = 4_000;

    private static readonly string[] s_ways = ["in common", "table", "cache", "compiled"];

    /// <summary>Measures 16 and 1,000 flows and prints a table.</summary>
    public static int Run()
    {
        Processor.Pin(Processor.Measured);
        Console.WriteLine("Cycles a packet, 60-byte frames from memory to ports that discard; median (least) of rounds in turn.");
        Console.WriteLine($"{"flows",-8}{string.Concat(s_ways.Select(static way => $"{way,17}"))}{"table:compiled",17}{"cache:compiled",17}{"the same without what is in common",38}");
        foreach (int flows in new[] { 16, 1_000 })
        {
            Print(flows);
        }

        return 0;
    }

    private static void Print(int flows)
    {
        (Datapath Datapath, Vport Input)[] contenders = [.. s_ways.Select(way => Make(way, flows))];
        List<double>[] results = [.. s_ways.Select(static _ => new List<double>())];
        long warm = Environment.TickCount64 + WarmUpMs;
        while (Environment.TickCount64 < warm)
        {
            foreach ((Datapath datapath, Vport input) in contenders)
            {
                Measure(datapath.Workers[0], input);
            }

            Thread.Sleep(1);
        }

        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < contenders.Length; i++)
            {
                results[i].Add(Measure(contenders[i].Datapath.Workers[0], contenders[i].Input));
            }
        }

        double[] median = [.. results.Select(PeersReport.Median)];
        string ways = string.Concat(s_ways.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"{median[i],9:F1} ({results[i].Min(),5:F1})")));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{flows,-8}{ways}{median[1] / median[3],17:F2}{median[2] / median[3],17:F2}{(median[1] - median[0]) / (median[3] - median[0]),19:F2}{(median[2] - median[0]) / (median[3] - median[0]),19:F2}"));
        foreach ((Datapath datapath, _) in contenders)
        {
            datapath.Dispose();
        }
    }

    private static double Measure(Worker worker, Vport input)
    {
        ulong start = TimestampCounter.Now;
        for (int i = 0; i < BatchesPerRound; i++)
        {
            worker.Poll(input);
        }

        return (TimestampCounter.Now - start) / ((double)BatchesPerRound * PacketBatch.Capacity);
    }

    private static (Datapath Datapath, Vport Input) Make(string way, int flows)
    {
        Datapath datapath = new(new DatapathOptions { CacheEntries = way == "cache" ? 1 << 15 : 0 });
        datapath.AddVport(1, "in", VportType.Pcap, new PcapLoopDriver(PipelineBench.Frames(flows)), out Vport input);
        datapath.AddVport(2, "out", VportType.Null, new NullDriver(), out _);
        datapath.AddVport(3, "other", VportType.Null, new NullDriver(), out _);
        PipelineTable table = flows == 16 ? SixteenFlows.Table : ThousandFlows.Table;
        switch (way)
        {
            case "in common":
                datapath.Pipeline = new HandOn();
                break;
            case "compiled":
                _ = flows == 16 ? datapath.UsePipeline<SixteenFlows>() : datapath.UsePipeline<ThousandFlows>();
                break;
            default:
                FlowFile.TryParse("bench", string.Join('\n', table.Flows.Select(static flow => flow.Text)), out IReadOnlyList<FlowLine> lines, out _);
                foreach (FlowLine line in lines)
                {
                    line.Install(datapath.Flows, out _);
                }

                break;
        }

        return (datapath, input);
    }

    // Each packet goes to a port, and nobody looks at it.
    private sealed class HandOn : PipelineStage
    {
        public override void Process(Worker worker, uint inPort, ref PacketBatch batch)
        {
            ActionHost host = new(worker);
            host.Output(ref batch, worker.Keys, 2);
            batch.Clear();
        }

        public override unsafe bool TryProcessAgain(Worker worker, Packet* packet, ref Engine.Flows.FlowKey key) => false;
    }
}
