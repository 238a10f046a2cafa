using Engine.Datapaths;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <summary>Runs a compiled pipeline for the workers of a datapath.</summary>
/// <remarks>Threads: each worker has keys and counters of its own.</remarks>
internal sealed unsafe class DatapathPipelineStage<TPipeline> : PipelineStage
    where TPipeline : IPipeline
{
    private readonly LineAlignedArray<FlowKey>[] _keys;
    private readonly PipelineCounters[] _counters;

    public DatapathPipelineStage(Datapath datapath)
    {
        int workers = datapath.Workers.Count;
        _keys = new LineAlignedArray<FlowKey>[workers];
        _counters = new PipelineCounters[workers];
        for (int i = 0; i < workers; i++)
        {
            _keys[i] = new LineAlignedArray<FlowKey>(PacketBatch.Capacity);
            _counters[i] = new PipelineCounters(TPipeline.Table.Flows.Count);
        }

        Pipeline = new DatapathPipeline(TPipeline.Table, _counters);
    }

    /// <summary>The pipeline as others see it.</summary>
    public DatapathPipeline Pipeline { get; }

    /// <inheritdoc/>
    public override void Process(Worker worker, uint inPort, ref PacketBatch batch)
    {
        DatapathPipelineHost host = new(worker, inPort, _keys[worker.Index], _counters[worker.Index]);
        TPipeline.Process(ref batch, ref host);
    }

    /// <inheritdoc/>
    public override bool TryProcessAgain(Worker worker, Packet* packet, ref FlowKey key)
    {
        DatapathPipelineHost host = new(worker, key.InPort, _keys[worker.Index], _counters[worker.Index]);
        return TPipeline.Table.TryExecute(packet, ref key, ref host);
    }
}
