namespace Engine.Cli;

/// <summary>The arguments of <c>engine replay</c>.</summary>
internal sealed record ReplayOptions
{
    /// <summary>The capture to play.</summary>
    public required string CapturePath { get; init; }

    /// <summary>The flows file; null when there is a pipeline only.</summary>
    public string? FlowsPath { get; init; }

    /// <summary>The assembly with a compiled pipeline, which packets go through before the flows; null for none.</summary>
    public string? PipelinePath { get; init; }

    /// <summary>The port by which the packets come in.</summary>
    public uint InPort { get; init; } = 1;

    /// <summary>Where captures of the output ports go; null to discard what is sent.</summary>
    public string? OutDirectory { get; init; }

    /// <summary>How long to play from memory, in seconds; null to play once from the file.</summary>
    public double? LoopSeconds { get; init; }

    /// <summary>Whether to print JSON, not tables.</summary>
    public bool IsJson { get; init; }
}
