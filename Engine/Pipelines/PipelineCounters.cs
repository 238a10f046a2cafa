using System.Runtime.CompilerServices;
using Engine.Flows;

namespace Engine.Pipelines;

/// <summary>The counters of a pipeline's flows in one thread.</summary>
/// <remarks>Threads: one writes, any reads.</remarks>
internal sealed class PipelineCounters(int flowCount)
{
    // The first is for what no flow matched, so that nobody has to ask whether one did.
    private readonly FlowStats[] _stats = new FlowStats[Math.Max(flowCount, 1) + 1];

    /// <summary>The counters of a flow.</summary>
    public ref readonly FlowStats this[int flow] => ref _stats[flow + 1];

    /// <summary>The counters for a batch.</summary>
    /// <param name="nowMs">Milliseconds of the monotonic clock.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public FlowCounters At(long nowMs) => new(ref _stats[1], nowMs);
}
