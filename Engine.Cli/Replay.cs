using System.Diagnostics;
using System.Runtime.CompilerServices;
using Engine.Datapaths;
using Engine.Vports;

namespace Engine.Cli;

/// <summary>Plays a capture through a datapath with the flows of a file and tells what became of the packets.</summary>
internal static class Replay
{
    // Time for the runtime to compile the packet path in full: at least the first, at most the second number of windows.
    private const double WarmUpWindowSeconds = 0.25;
    private const int FewestWarmUpWindows = 6;
    private const int MostWarmUpWindows = 40;
    private const int PollsBetweenLooksAtTheClock = 256;

    /// <summary>Does it.</summary>
    /// <param name="options">The arguments.</param>
    /// <param name="output">Gets the report.</param>
    /// <param name="error">Gets what went wrong, each a line.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(ReplayOptions options, TextWriter output, TextWriter error)
    {
        try
        {
            RunOrFail(options, output, error);
            return ExitCode.Success;
        }
        catch (CommandFailure failure)
        {
            foreach (string line in failure.Lines)
            {
                error.WriteLine(line);
            }

            return failure.ExitCode;
        }
    }

    private static void RunOrFail(ReplayOptions options, TextWriter output, TextWriter error)
    {
        using Datapath datapath = new();
        ReplayFlows flows = ReplayFlows.Load(options, datapath);
        using ReplayCapture capture = ReplayCapture.Open(options.CapturePath);
        ReplayPorts ports = options.LoopSeconds is null
            ? ReplayPorts.ToFiles(datapath, options, capture, flows.OutputPorts)
            : ReplayPorts.Discarding(datapath, options.InPort, capture, flows.OutputPorts);
        if (options is { LoopSeconds: not null, OutDirectory: not null })
        {
            error.WriteLine("engine: with --loop, ports discard: nothing is written to --out-dir");
        }

        ReplayReport report = options.LoopSeconds is { } seconds
            ? PlayLoop(datapath, flows, ports, seconds)
            : PlayOnce(datapath, flows, ports, ReplayProgress.Wanted(output, options, capture.Length) ? capture : null);
        ports.Flush();
        ReplayOutput.Write(report, options, output);
        ports.ThrowIfNotWritten();
        capture.ThrowIfFaulty();
    }

    private static ReplayReport PlayOnce(Datapath datapath, ReplayFlows flows, ReplayPorts ports, ReplayCapture? shown)
    {
        Worker worker = datapath.Workers[0];
        ReplayCounters before = ReplayCounters.Take(datapath, flows, ports);
        ReplayClock clock = ReplayClock.Start();
        if (shown is null)
        {
            while (PollSome(worker, ports.Input))
            {
            }
        }
        else
        {
            ReplayProgress.Show(shown.Length, report =>
            {
                while (PollSome(worker, ports.Input))
                {
                    report(shown.Reader.Position);
                }
            });
        }

        clock.Stop();
        return ReplayCounters.Take(datapath, flows, ports).ReportSince(before, clock);
    }

    private static ReplayReport PlayLoop(Datapath datapath, ReplayFlows flows, ReplayPorts ports, double seconds)
    {
        Worker worker = datapath.Workers[0];
        WarmUp(worker, ports.Input);
        ReplayCounters before = ReplayCounters.Take(datapath, flows, ports);
        ReplayClock clock = ReplayClock.Start();
        PlayFor(worker, ports.Input, seconds);
        clock.Stop();
        return ReplayCounters.Take(datapath, flows, ports).ReportSince(before, clock);
    }

    // While the runtime loads and compiles it allocates on this thread too; on a busy machine that takes longer. The measurement
    // begins after a window without an allocation, or the report shows them.
    private static void WarmUp(Worker worker, Vport input)
    {
        for (int window = 1; window <= MostWarmUpWindows; window++)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            PlayFor(worker, input, WarmUpWindowSeconds);
            if (window >= FewestWarmUpWindows && GC.GetAllocatedBytesForCurrentThread() == allocated)
            {
                return;
            }
        }
    }

    private static void PlayFor(Worker worker, Vport input, double seconds)
    {
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        while (PollSome(worker, input) && Stopwatch.GetTimestamp() < end)
        {
        }
    }

    // A method of its own, called often: the runtime replaces it by faster code while the replay runs. False when nothing is left to receive.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool PollSome(Worker worker, Vport input)
    {
        int received = 0;
        for (int i = 0; i < PollsBetweenLooksAtTheClock; i++)
        {
            received = worker.Poll(input);
        }

        return received != 0;
    }
}
