using Engine.Datapaths;
using Engine.Flows;
using Engine.Packets;

namespace Engine.Pipelines;

/// <summary>Runs a compiled pipeline for the workers of a datapath.</summary>
/// <remarks>Threads: each worker has a scratch of its own.</remarks>
internal sealed unsafe class DatapathPipelineStage<TPipeline> : PipelineStage
    where TPipeline : IPipeline
{
    private readonly PipelineScratch[] _scratch;

    public DatapathPipelineStage(Datapath datapath)
    {
        _scratch = [.. datapath.Workers.Select(static _ => new PipelineScratch(TPipeline.Table.Flows.Count))];
        Pipeline = new DatapathPipeline(TPipeline.Table, [.. _scratch.Select(static scratch => scratch.Counters)]);
    }

    /// <summary>The pipeline as others see it.</summary>
    public DatapathPipeline Pipeline { get; }

    /// <inheritdoc/>
    public override void Process(Worker worker, uint inPort, ref PacketBatch batch)
    {
        DatapathPipelineHost host = new(worker, inPort, _scratch[worker.Index]);
        TPipeline.Process(ref batch, ref host);
    }

    /// <inheritdoc/>
    public override bool TryProcessAgain(Worker worker, Packet* packet, ref FlowKey key)
    {
        DatapathPipelineHost host = new(worker, key.InPort, _scratch[worker.Index]);
        return TPipeline.Table.TryExecute(packet, ref key, ref host);
    }
}
