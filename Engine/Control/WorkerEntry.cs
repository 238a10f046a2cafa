namespace Engine.Control;

/// <summary>A worker as a server tells it; see <see cref="Datapaths.WorkerStats"/> for the numbers.</summary>
/// <param name="Worker">Its number.</param>
/// <param name="Core">The processor it is pinned to, or null.</param>
/// <param name="Rings">Rings that it looks at.</param>
/// <param name="BusyCycles">Cycles of rounds that found packets.</param>
/// <param name="IdleCycles">Cycles of rounds that found none, and of sleep.</param>
/// <param name="Rounds">Times it has looked at all its rings.</param>
/// <param name="Sleeps">Times it has gone to sleep.</param>
/// <param name="Batches">Batches received.</param>
/// <param name="Packets">Packets received.</param>
/// <param name="Misses">Packets that matched no flow.</param>
/// <param name="Upcalls">Upcalls handed to a handler.</param>
/// <param name="LongestRoundNs">Its longest round.</param>
/// <param name="UsualRoundNs">What 999 of 1,000 rounds did not exceed.</param>
public sealed record WorkerEntry(
    uint Worker,
    uint? Core,
    uint Rings,
    ulong BusyCycles,
    ulong IdleCycles,
    ulong Rounds,
    ulong Sleeps,
    ulong Batches,
    ulong Packets,
    ulong Misses,
    ulong Upcalls,
    ulong LongestRoundNs,
    ulong UsualRoundNs);
