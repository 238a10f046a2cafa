namespace Engine.Control;

/// <summary>A datapath as a server tells it.</summary>
/// <param name="Name">Name of its local port.</param>
/// <param name="Ifindex">Index of its local port's device, by which requests name it.</param>
public sealed record DatapathEntry(string Name, int Ifindex)
{
    /// <summary>Packets that matched a flow.</summary>
    public ulong Hit { get; init; }

    /// <summary>Packets that matched none.</summary>
    public ulong Missed { get; init; }

    /// <summary>Packets that matched none and did not reach a handler.</summary>
    public ulong Lost { get; init; }

    /// <summary>Flows.</summary>
    public ulong Flows { get; init; }

    /// <summary>Masks looked at.</summary>
    public ulong MaskHit { get; init; }

    /// <summary>Masks.</summary>
    public uint Masks { get; init; }

    /// <summary>Packets whose mask a cache knew.</summary>
    public ulong CacheHit { get; init; }

    /// <summary>Entries of the cache of masks, or null when the server tells none.</summary>
    public uint? MasksCacheSize { get; init; }

    /// <summary>OVS_DP_F_* bits.</summary>
    public uint Features { get; init; }
}
