using System.Collections.Immutable;

namespace Engine.Vports;

/// <summary>How a port's device is to be driven, where there is a choice. Netlink requests name none of it and get the defaults.</summary>
public sealed record VportOptions
{
    /// <summary>Everything by the engine's own choice.</summary>
    public static VportOptions Default { get; } = new();

    /// <summary>How frames of a netdev are moved.</summary>
    public NetdevDriverKind Driver { get; init; }

    /// <summary>Receive rings of a netdev; 0 for as many as it has queues, at most one for each worker.</summary>
    public int RingCount { get; init; }

    /// <summary>The workers that look at the rings, in turn, by number; empty for those with the least to do.</summary>
    public ImmutableArray<int> Workers { get; init; } = [];
}
