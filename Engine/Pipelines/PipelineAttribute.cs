namespace Engine.Pipelines;

/// <summary>Marks a partial class whose flows are compiled when it is built: those of a file, then those of its <see cref="FlowAttribute"/>s.</summary>
/// <remarks>
/// The class gets <c>Process</c> for batches and for a span. One that is not static is an <see cref="IPipeline"/> too, for
/// <see cref="DatapathPipelines.UsePipeline{TPipeline}"/>; C# takes no static class as a type argument.
/// </remarks>
/// <param name="flows">Name of a file of flows among the project's AdditionalFiles, as <c>engine replay --flows</c> reads; null for none.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PipelineAttribute(string? flows = null) : Attribute
{
    /// <summary>Name of the file of flows.</summary>
    public string? Flows { get; } = flows;
}
