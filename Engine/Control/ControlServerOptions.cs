using Engine.Actions;
using Engine.Datapaths;

namespace Engine.Control;

/// <summary>What a control server is made for.</summary>
public sealed record ControlServerOptions
{
    /// <summary>Number of the first of the six families; the others follow. Must not meet those of the host's kernel where both are seen.</summary>
    public ushort FirstFamilyId { get; init; } = 0x7f00;

    /// <summary>Number of the first multicast group; the others follow.</summary>
    public uint FirstGroup { get; init; } = 0x7f00;

    /// <summary>Processors that port ids are given for: the longest list of port ids that is accepted and told.</summary>
    public int ProcessorCount { get; init; } = Environment.ProcessorCount;

    /// <summary>Which actions are known to the datapaths.</summary>
    public ActionFeatures Actions { get; init; } = ActionFeatures.Linux61 with { Conntrack = false };

    /// <summary>Sizes of each datapath that is made. With a runner, the runner says how many workers there are.</summary>
    public DatapathOptions Datapath { get; init; } = new();

    /// <summary>Drives the ports that are added; null when somebody else does.</summary>
    public IVportRunner? Runner { get; init; }

    /// <summary>Gets a sentence for each refusal that the kernel would log, or null.</summary>
    public Action<string>? Log { get; init; }
}
