using Engine.Actions;
using Engine.Flows;
using Engine.Packets;

namespace Engine.Pipelines;

/// <summary>What a thread needs to run a pipeline without a datapath: packet memory, keys, counters. Made once.</summary>
/// <remarks>Threads: one, but for <see cref="ReadStats"/>.</remarks>
public sealed class PipelineMemory : IDisposable
{
    private const int FrameCount = 256;

    /// <summary>Maps the packet memory.</summary>
    /// <param name="table">The flows of the pipeline that is run.</param>
    public PipelineMemory(PipelineTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        Scratch = new PipelineScratch(table.Flows.Count);
    }

    /// <summary>Where packets live.</summary>
    public PacketPool Pool { get; } = new(FrameCount);

    internal ActionContext Context { get; } = new();

    internal PipelineScratch Scratch { get; }

    internal uint Random { get; set; } = 0x9e37_79b9;

    /// <summary>What a flow has matched.</summary>
    /// <param name="flow">Its number, from 0.</param>
    public FlowStats ReadStats(int flow) => Scratch.Counters[flow];

    /// <summary>Frees the packet memory.</summary>
    public void Dispose() => Pool.Dispose();
}
