using System.Diagnostics;
using System.Runtime.CompilerServices;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Platform;
using Engine.Text;
using Engine.Vports;

namespace Bench.Peers;

/// <summary>The engine with the flows of a case: from memory by one port, out by a port that discards.</summary>
/// <remarks>Threads: the worker runs on a thread of its own, pinned; flows are made and changed by the caller's thread.</remarks>
internal sealed class EngineContender : IContender
{
    private const int PollsBetweenLooksAtTheClock = 128;

    private readonly PeerCase _case;
    private readonly CaseTraffic _traffic;
    private readonly List<FlowLine> _lines = [];
    private readonly List<Flow> _flows = [];
    private readonly DiscardingDriver _output = new();
    private readonly Datapath _datapath;
    private readonly bool _changesFlows;
    private readonly Vport _input;
    private readonly NeverRepeatingDriver? _neverRepeating;

    /// <summary>Makes a datapath and installs the flows.</summary>
    /// <param name="peerCase">The case.</param>
    /// <param name="name">For tables.</param>
    /// <param name="options">Of the datapath.</param>
    /// <param name="isStill">Whether flows do not change, though the case says so: to tell what the machine itself does to the pauses.</param>
    public EngineContender(PeerCase peerCase, string name, DatapathOptions options, bool isStill = false)
    {
        Name = name;
        _changesFlows = peerCase.Kind == CaseKind.Churn && !isStill;
        _case = peerCase;
        _traffic = new CaseTraffic(peerCase);
        _datapath = new Datapath(options);
        IVportDriver source = peerCase.Kind is CaseKind.NeverRepeating or CaseKind.Upcalls
            ? _neverRepeating = new NeverRepeatingDriver(_traffic)
            : new PcapLoopDriver(_traffic.ToStore());
        _datapath.AddVport(CaseTraffic.InPort, "in", VportType.Pcap, source, out _input);
        _datapath.AddVport(CaseTraffic.OutPort, "out", VportType.Null, _output, out _);
        Read(installs: peerCase.Kind != CaseKind.Upcalls);
        if (peerCase.Kind == CaseKind.Upcalls)
        {
            _datapath.UpcallHandler = new FlowInstaller(_datapath, _lines[0]);
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Flows installed a second when the case was made; parsing is not counted.</summary>
    public double FlowsInstalledPerSecond { get; private set; }

    /// <inheritdoc/>
    public Measurement Measure(double seconds)
    {
        Measurement result = default;
        Exception? failure = null;
        using FlowChurn? churn = _changesFlows ? new FlowChurn(_datapath, _lines) : null;
        Thread worker = Processor.Start(Processor.Measured, () =>
        {
            try
            {
                result = MeasureHere(seconds, churn);
            }
            catch (InvalidOperationException exception)
            {
                failure = exception;
            }
        });

        // The control thread of an engine does not run where a worker does, if there is another core.
        Thread? control = churn is null ? null : Processor.Start(0, () => churn.Run(worker));
        worker.Join();
        control?.Join();
        return failure is null ? result : throw new InvalidOperationException($"{_case.Name}, {Name}: {failure.Message}", failure);
    }

    /// <summary>Sends a sample of the traffic through and compares what comes out with the slow twin's output.</summary>
    /// <exception cref="InvalidOperationException">It differs.</exception>
    public void CompareSample()
    {
        if (_case.Kind is CaseKind.Replay or CaseKind.NeverRepeating)
        {
            OracleSample.Compare(_datapath, _output, _traffic, _lines);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _datapath.Dispose();

    // In pieces: the text of a million flows does not have to be there at once, and what was just read is in the cache, as a request's flow is.
    private void Read(bool installs)
    {
        const int Piece = 100;
        TimeSpan spent = default;
        for (int start = 0; start < _traffic.FlowCount; start += Piece)
        {
            int end = Math.Min(start + Piece, _traffic.FlowCount);
            string text = string.Join('\n', Enumerable.Range(start, end - start).Select(_traffic.Flow));
            if (!FlowFile.TryParse(_case.Name, text, out IReadOnlyList<FlowLine> lines, out IReadOnlyList<FlowFileError> errors))
            {
                throw new InvalidOperationException(errors[0].ToString());
            }

            _lines.AddRange(lines);
            if (installs)
            {
                spent += Install(lines);
            }
        }

        FlowsInstalledPerSecond = installs ? _flows.Count / spent.TotalSeconds : 0;
    }

    private TimeSpan Install(IReadOnlyList<FlowLine> lines)
    {
        long start = Stopwatch.GetTimestamp();
        foreach (FlowLine line in lines)
        {
            if (line.Install(_datapath.Flows, out Flow? flow) is { } error)
            {
                throw new InvalidOperationException(error.ToString());
            }

            _flows.Add(flow!);
        }

        return Stopwatch.GetElapsedTime(start);
    }

    private Measurement MeasureHere(double seconds, FlowChurn? churn)
    {
        Worker worker = _datapath.Workers[0];
        Play(worker, seconds * 0.5, null);
        if (_case.Kind == CaseKind.Upcalls)
        {
            _datapath.Flows.Flush();
        }

        churn?.Begin();
        using GapHistogram? gaps = _case.Kind == CaseKind.Churn ? new GapHistogram() : null;
        long stolen = StolenTime.ReadMs(Processor.Measured);
        DatapathStats before = _datapath.ReadStats();
        (ulong Received, ulong Sent, ulong Matched) countersBefore = Counters();
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        int collections = GC.CollectionCount(0);
        long start = Stopwatch.GetTimestamp();
        ulong cycles = TimestampCounter.Now;
        Play(worker, seconds, gaps);
        cycles = TimestampCounter.Now - cycles;
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        long changes = churn?.End() ?? 0;
        DatapathStats after = _datapath.ReadStats();
        (ulong Received, ulong Sent, ulong Matched) counters = Counters();
        ulong packets = counters.Received - countersBefore.Received;
        ulong hits = after.Hit - before.Hit, missed = after.Missed - before.Missed;
        Check(counters.Sent - countersBefore.Sent == packets, "packets sent and received differ");
        Check(hits + missed == packets, "packets matched and missed do not add up to packets received");
        Check(_case.Kind == CaseKind.Upcalls ? hits == 0 : missed == 0, "there were misses where there should be hits, or hits where there should be misses");
        Check(_flows.Count == 0 || counters.Matched - countersBefore.Matched == hits, "the counters of the flows do not add up");
        Check(_neverRepeating is null || !_neverRepeating.HasWrapped, "five-tuples have repeated");
        return new Measurement(packets, cycles, elapsed)
        {
            AllocatedBytes = allocated,
            CacheShare = (after.CacheHit - before.CacheHit) / (double)packets,
            TableShare = (hits - (after.CacheHit - before.CacheHit)) / (double)packets,
            FlowChanges = _case.Kind == CaseKind.Upcalls ? missed : changes,
            LongestPauseUs = gaps?.LongestUs ?? 0,
            LongestOwnPauseUs = gaps?.LongestOwnUs ?? 0,
            StolenMs = StolenTime.ReadMs(Processor.Measured) - stolen,
            Collections = GC.CollectionCount(0) - collections,
            Pause999Us = gaps?.QuantileUs(0.999) ?? 0,
        };
    }

    private (ulong Received, ulong Sent, ulong Matched) Counters()
    {
        ulong matched = 0;
        foreach (Flow flow in _flows)
        {
            matched += flow.ReadStats().Packets;
        }

        return (_input.ReadStats().RxPackets, _datapath.Vports[CaseTraffic.OutPort]!.ReadStats().TxPackets, matched);
    }

    private static void Check(bool holds, string failure)
    {
        if (!holds)
        {
            throw new InvalidOperationException(failure);
        }
    }

    private void Play(Worker worker, double seconds, GapHistogram? gaps)
    {
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        do
        {
            if (gaps is null)
            {
                PollSome(worker, _input);
            }
            else
            {
                PollSome(worker, _input, gaps);
            }
        }
        while (Stopwatch.GetTimestamp() < end);
    }

    // Called often, so that the runtime can replace it by faster code in between.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void PollSome(Worker worker, Vport input)
    {
        for (int i = 0; i < PollsBetweenLooksAtTheClock; i++)
        {
            worker.Poll(input);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void PollSome(Worker worker, Vport input, GapHistogram gaps)
    {
        for (int i = 0; i < PollsBetweenLooksAtTheClock; i++)
        {
            worker.Poll(input);
            gaps.Mark();
        }
    }
}
