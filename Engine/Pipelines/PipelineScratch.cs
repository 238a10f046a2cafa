using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <summary>What a thread writes while a pipeline runs: counters, what was found for a batch, keys of packets that need one.</summary>
/// <remarks>Threads: one, but for <see cref="Counters"/>, which others read.</remarks>
internal sealed class PipelineScratch(int flowCount)
{
    private readonly LineAlignedArray<FlowKey> _keys = new(PacketBatch.Capacity);
    private FoundFlows _found;

    /// <summary>The counters of the flows.</summary>
    public PipelineCounters Counters { get; } = new(flowCount);

    /// <summary>What was found for the batch.</summary>
    public ref FoundFlows Found => ref _found;

    /// <summary>A key for each packet of a batch; between batches they hold the old ones.</summary>
    public Span<FlowKey> Keys => _keys.Span;
}
