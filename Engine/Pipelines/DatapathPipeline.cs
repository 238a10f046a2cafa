using Engine.Flows;

namespace Engine.Pipelines;

/// <summary>A compiled pipeline in front of the flow table of a datapath: its flows, and what they have matched.</summary>
/// <remarks>Threads: any.</remarks>
public sealed class DatapathPipeline
{
    private readonly PipelineCounters[] _counters;

    internal DatapathPipeline(PipelineTable table, PipelineCounters[] counters)
    {
        Table = table;
        _counters = counters;
    }

    /// <summary>The flows.</summary>
    public PipelineTable Table { get; }

    /// <summary>What all workers have counted for a flow.</summary>
    /// <param name="flow">Its number, from 0.</param>
    public FlowStats ReadStats(int flow)
    {
        FlowStats sum = default;
        foreach (PipelineCounters worker in _counters)
        {
            sum.Add(in worker[flow]);
        }

        return sum;
    }
}
