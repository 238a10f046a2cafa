namespace Engine.Datapaths;

/// <summary>What a worker thread has done since it started.</summary>
public sealed record WorkerStats
{
    /// <summary>Its number, by which rings are assigned to it.</summary>
    public required int Index { get; init; }

    /// <summary>The processor it is pinned to, or null.</summary>
    public required int? Core { get; init; }

    /// <summary>Rings that it looks at.</summary>
    public required int RingCount { get; init; }

    /// <summary>Cycles of rounds that found packets.</summary>
    public required ulong BusyCycles { get; init; }

    /// <summary>Cycles of rounds that found none, and of sleep.</summary>
    public required ulong IdleCycles { get; init; }

    /// <summary>Times it has looked at all its rings.</summary>
    public required ulong Rounds { get; init; }

    /// <summary>Times it has gone to sleep because nothing came.</summary>
    public required ulong Sleeps { get; init; }

    /// <summary>Batches received.</summary>
    public required ulong Batches { get; init; }

    /// <summary>Packets received.</summary>
    public required ulong Packets { get; init; }

    /// <summary>Packets that matched no flow.</summary>
    public required ulong Misses { get; init; }

    /// <summary>Upcalls handed to a handler.</summary>
    public required ulong Upcalls { get; init; }

    /// <summary>How long its rounds took.</summary>
    public required PauseHistogram Pauses { get; init; }
}
