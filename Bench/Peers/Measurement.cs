namespace Bench.Peers;

/// <summary>One round of one contender.</summary>
/// <param name="Packets">Processed.</param>
/// <param name="Cycles">Of the time-stamp counter.</param>
/// <param name="Seconds">They took.</param>
internal readonly record struct Measurement(double Packets, double Cycles, double Seconds)
{
    /// <summary>Cost.</summary>
    public double CyclesPerPacket => Cycles / Packets;

    /// <summary>Managed bytes the packet thread allocated; engine only.</summary>
    public long AllocatedBytes { get; init; }

    /// <summary>Share of look-ups answered by a cache (for Open vSwitch, exact-match or signature).</summary>
    public double CacheShare { get; init; }

    /// <summary>Share answered by the table.</summary>
    public double TableShare { get; init; }

    /// <summary>Flow changes or installations, where a case makes any.</summary>
    public double FlowChanges { get; init; }

    /// <summary>Garbage collections meanwhile.</summary>
    public int Collections { get; init; }

    /// <summary>Longest time between two rounds of the worker, in microseconds; 0 where not measured.</summary>
    public double LongestPauseUs { get; init; }

    /// <summary>The longest without what other programs had the processor meanwhile (<see cref="RunQueueDelay"/>), in microseconds.</summary>
    public double LongestOwnPauseUs { get; init; }

    /// <summary>Milliseconds that the hypervisor had the processor meanwhile (<see cref="StolenTime"/>); measured where pauses are.</summary>
    public long StolenMs { get; init; }

    /// <summary>The time between two rounds of which 99.9 % are shorter, in microseconds; 0 where not measured.</summary>
    public double Pause999Us { get; init; }
}

/// <summary>A switch, or one of its settings, that can run a case.</summary>
internal interface IContender : IDisposable
{
    /// <summary>For tables.</summary>
    string Name { get; }

    /// <summary>Runs the traffic of the case that was prepared for so long.</summary>
    Measurement Measure(double seconds);
}
