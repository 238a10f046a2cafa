using Microsoft.CodeAnalysis;

namespace Engine.Generators.Pipelines;

/// <summary>Every diagnostic of compiled pipelines. Ids are stable: ENG04xx, behind those of the other generators.</summary>
internal static class PipelineDiagnostics
{
    private const string Category = "Engine.Pipeline";

    /// <summary>The marked class cannot be extended.</summary>
    public static readonly DiagnosticDescriptor NotPartial = Error(
        "ENG0401", "A pipeline must be a partial class of a namespace", "'{0}' is marked [Pipeline] but is not a partial, not generic class of a namespace; make it one");

    /// <summary>What the runtime would refuse, in its own words.</summary>
    public static readonly DiagnosticDescriptor FlowRefused = Error(
        "ENG0402", "A flow must be one that the datapath takes", "{0}");

    /// <summary>The same key and mask twice.</summary>
    public static readonly DiagnosticDescriptor FlowGivenTwice = Error(
        "ENG0403", "A flow must be given once", "The flow matches exactly what the flow at {0} does; remove one of them");

    /// <summary>The file is not among the additional files, or several are called so.</summary>
    public static readonly DiagnosticDescriptor FileMissing = Error(
        "ENG0404", "A file of flows must be an additional file", "'{0}' is {1} of the additional files; add it to the project once, as <AdditionalFiles Include=\"{0}\" />");

    /// <summary>Every packet misses.</summary>
    public static readonly DiagnosticDescriptor WithoutFlows = Warning(
        "ENG0405", "A pipeline should have flows", "'{0}' has no flows, so every packet misses; add [Flow] or lines to its file");

    /// <summary>More than code can be written for.</summary>
    public static readonly DiagnosticDescriptor TooManyFlows = Error(
        "ENG0406", "A pipeline has at most 10,000 flows", "'{0}' has {1} flows, more than 10,000; put the others into a dynamic table");

    /// <summary>Some packets match both, and it matters which is taken.</summary>
    public static readonly DiagnosticDescriptor FlowsOverlap = Warning(
        "ENG0407", "Flows with different actions should not overlap", "Some packets match this flow and the one at {0}, which comes first and is taken; narrow one of them");

    /// <summary>All its packets are taken by one before it.</summary>
    public static readonly DiagnosticDescriptor FlowUnreachable = Warning(
        "ENG0408", "A flow should be reachable", "Every packet of this flow is taken by the one at {0}, which comes first; move it up or remove it");

    /// <summary>No packet has what it asks for.</summary>
    public static readonly DiagnosticDescriptor FlowNeverMatches = Warning(
        "ENG0409", "A flow should be able to match", "No packet matches this flow: {0}");

    private static DiagnosticDescriptor Error(string id, string title, string message) =>
        new(id, title, message, Category, DiagnosticSeverity.Error, isEnabledByDefault: true);

    private static DiagnosticDescriptor Warning(string id, string title, string message) =>
        new(id, title, message, Category, DiagnosticSeverity.Warning, isEnabledByDefault: true);
}
