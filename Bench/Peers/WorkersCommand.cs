using System.Globalization;
using System.Runtime.CompilerServices;
using Engine.Datapaths;
using Engine.Text;
using Engine.Vports;

namespace Bench.Peers;

/// <summary><c>workers</c>: one worker, then one on each core, on one datapath with one table; each has an input of its own.</summary>
internal static class WorkersCommand
{
    private const int Rounds = 5;
    private const double Seconds = 0.5;
    private const int PollsBetweenLooksAtTheClock = 128;

    /// <summary>Measures in turn and prints packets a second and the ratio.</summary>
    public static int Run()
    {
        foreach (PeerCase peerCase in PeerCase.All.Where(peerCase => peerCase.Name is "1x1" or "20000x10"))
        {
            int cores = Environment.ProcessorCount;
            using Datapath datapath = Make(peerCase, cores, out Vport[] inputs);
            List<double> one = [], all = [], ratios = [], floors = [];
            for (int round = 0; round < Rounds + 1; round++)
            {
                double single = Measure(datapath, inputs.AsSpan(cores - 1), cores - 1), together = Measure(datapath, inputs, 0);
                double plain = RunThreads(1, cores - 1, static _ => ComputeSome()), plainTogether = RunThreads(cores, 0, static _ => ComputeSome());

                // The first round compiles.
                if (round > 0)
                {
                    one.Add(single);
                    all.Add(together);
                    ratios.Add(together / single);
                    floors.Add(plainTogether / plain);
                }
            }

            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{peerCase.Name}: 1 worker {PeersReport.Median(one):F1} Mpps, {cores} workers {PeersReport.Median(all):F1} Mpps, ratio {PeersReport.Median(ratios):F2} ({ratios.Min():F2}-{ratios.Max():F2}); "
                + $"arithmetic in registers on the same cores in the same rounds {PeersReport.Median(floors):F2} ({floors.Min():F2}-{floors.Max():F2})"));
        }

        return 0;
    }

    private static Datapath Make(PeerCase peerCase, int workers, out Vport[] inputs)
    {
        Datapath datapath = new(new DatapathOptions { WorkerCount = workers });
        CaseTraffic traffic = new(peerCase);

        // As a device with a queue for each worker.
        IVportDriver[] channels = [.. Enumerable.Range(0, workers).Select(static _ => new NullDriver())];
        if (datapath.Vports.TryAdd(new Vport(CaseTraffic.OutPort, "out", VportType.Null, channels[0], workers, channels)).IsRefused)
        {
            throw new InvalidOperationException("the output cannot be added");
        }

        inputs = new Vport[workers];
        for (int i = 0; i < workers; i++)
        {
            // Every input has a number of its own, and flows of its own.
            uint number = i == 0 ? CaseTraffic.InPort : 100 + (uint)i;
            datapath.AddVport(number, $"in{i}", VportType.Pcap, new PcapLoopDriver(traffic.ToStore()), out inputs[i]);
        }

        for (int i = 0; i < workers; i++)
        {
            string text = string.Join('\n', Enumerable.Range(0, traffic.FlowCount).Select(traffic.Flow)).Replace("in_port(2)", $"in_port({inputs[i].Number})", StringComparison.Ordinal);
            if (!FlowFile.TryParse(peerCase.Name, text, out IReadOnlyList<FlowLine> lines, out _))
            {
                throw new InvalidOperationException("the flows of the case cannot be read");
            }

            foreach (FlowLine line in lines)
            {
                line.Install(datapath.Flows, out _);
            }
        }

        return datapath;
    }

    // Millions of packets a second of all these workers together.
    private static double Measure(Datapath datapath, ReadOnlySpan<Vport> inputs, int firstCore)
    {
        Vport[] ports = inputs.ToArray();
        return RunThreads(ports.Length, firstCore, i => PollSome(datapath.Workers[firstCore + i], ports[i]));
    }

    // A thread on each of these cores does its work again and again; the sum of what the calls return, in millions a second.
    private static double RunThreads(int count, int firstCore, Func<int, int> work)
    {
        double[] perSecond = new double[count];
        Thread[] threads = new Thread[count];
        using Barrier barrier = new(count);
        for (int i = 0; i < threads.Length; i++)
        {
            int index = i;
            threads[i] = Processor.Start(firstCore + index, () =>
            {
                barrier.SignalAndWait();
                long start = System.Diagnostics.Stopwatch.GetTimestamp(), end = start + (long)(Seconds * System.Diagnostics.Stopwatch.Frequency), now;
                long done = 0;
                do
                {
                    done += work(index);
                    now = System.Diagnostics.Stopwatch.GetTimestamp();
                }
                while (now < end);

                // Written once, so that threads do not write one cache line meanwhile.
                perSecond[index] = done / ((now - start) / (double)System.Diagnostics.Stopwatch.Frequency);
            });
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        return perSecond.Sum() / 1e6;
    }

    // What two cores do together without sharing anything: where it is less than twice one, they are no two cores, or others use them.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ComputeSome()
    {
        const int Steps = 100_000;
        ulong value = 1;
        for (int i = 0; i < Steps; i++)
        {
            value = (value * 6364136223846793005) + 1442695040888963407;
        }

        return value == 0 ? 0 : Steps;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int PollSome(Worker worker, Vport input)
    {
        int received = 0;
        for (int i = 0; i < PollsBetweenLooksAtTheClock; i++)
        {
            received += worker.Poll(input);
        }

        return received;
    }
}
