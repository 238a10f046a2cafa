using System.Diagnostics.Metrics;
using System.Globalization;
using Engine.Datapaths;

namespace Engine.Control;

/// <summary>What workers have done, as instruments of the meter <c>Engine</c> (System.Diagnostics.Metrics), each with the worker's number as a tag.</summary>
/// <remarks>Nothing is measured for it: an instrument that somebody listens to reads the workers' own counters. Threads: any.</remarks>
public sealed class WorkerMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Engine";

    private readonly Meter _meter = new(MeterName);
    private readonly VportRunner _runner;

    /// <summary>Makes the instruments.</summary>
    public WorkerMetrics(VportRunner runner)
    {
        ArgumentNullException.ThrowIfNull(runner);
        _runner = runner;
        Count("engine.worker.busy", "{cycle}", "Cycles of rounds that found packets.", static stats => stats.BusyCycles);
        Count("engine.worker.idle", "{cycle}", "Cycles of rounds that found none, and of sleep.", static stats => stats.IdleCycles);
        Count("engine.worker.rounds", "{round}", "Times the worker has looked at all its rings.", static stats => stats.Rounds);
        Count("engine.worker.batches", "{batch}", "Batches received.", static stats => stats.Batches);
        Count("engine.worker.packets", "{packet}", "Packets received.", static stats => stats.Packets);
        Count("engine.worker.misses", "{packet}", "Packets that matched no flow.", static stats => stats.Misses);
        Count("engine.worker.upcalls", "{upcall}", "Upcalls handed to a handler.", static stats => stats.Upcalls);
        _meter.CreateObservableGauge("engine.worker.pause.longest", () => Read(static stats => stats.Pauses.LongestNs), "ns", "The longest round.");
        _meter.CreateObservableGauge("engine.worker.pause.p999", () => Read(static stats => stats.Pauses.Percentile(0.999)), "ns", "What 999 of 1,000 rounds do not exceed.");
    }

    /// <summary>Ends the instruments.</summary>
    public void Dispose() => _meter.Dispose();

    private void Count(string name, string unit, string description, Func<WorkerStats, ulong> read) =>
        _meter.CreateObservableCounter(name, () => Read(stats => (long)read(stats)), unit, description);

    private IEnumerable<Measurement<long>> Read(Func<WorkerStats, long> read) =>
        _runner.ReadStats().Select(stats => new Measurement<long>(read(stats), new KeyValuePair<string, object?>("worker", stats.Index.ToString(CultureInfo.InvariantCulture))));
}
