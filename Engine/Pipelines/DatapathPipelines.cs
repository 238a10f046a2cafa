using Engine.Datapaths;

namespace Engine.Pipelines;

/// <summary>Pipelines of datapaths.</summary>
public static class DatapathPipelines
{
    /// <summary>Puts a compiled pipeline before the flow table: what it does not match goes on to the table.</summary>
    /// <remarks>Before the workers start, or by the control thread at any time: a batch sees the one that was there when it came.</remarks>
    /// <typeparam name="TPipeline">A class marked <see cref="PipelineAttribute"/> that is not static.</typeparam>
    /// <returns>Its flows and counters.</returns>
    public static DatapathPipeline UsePipeline<TPipeline>(this Datapath datapath)
        where TPipeline : IPipeline
    {
        ArgumentNullException.ThrowIfNull(datapath);
        DatapathPipelineStage<TPipeline> stage = new(datapath);
        datapath.Pipeline = stage;
        return stage.Pipeline;
    }
}
