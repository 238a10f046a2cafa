namespace Engine.Datapaths;

/// <summary>struct ovs_dp_stats and ovs_dp_megaflow_stats of linux/openvswitch.h, by one worker or summed over all.</summary>
public struct DatapathStats
{
    /// <summary>Packets that matched a flow (n_hit).</summary>
    public ulong Hit;

    /// <summary>Packets that matched none (n_missed).</summary>
    public ulong Missed;

    /// <summary>Upcalls that could not be delivered (n_lost).</summary>
    public ulong Lost;

    /// <summary>Subtables searched over all look-ups, one for a packet found in the cache (n_mask_hit).</summary>
    public ulong MaskHit;

    /// <summary>Packets found in a flow cache (n_cache_hit).</summary>
    public ulong CacheHit;

    internal void Add(in DatapathStats other)
    {
        Hit += other.Hit;
        Missed += other.Missed;
        Lost += other.Lost;
        MaskHit += other.MaskHit;
        CacheHit += other.CacheHit;
    }
}
