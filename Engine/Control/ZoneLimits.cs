namespace Engine.Control;

/// <summary>How many connections each conntrack zone may have (the kernel's <c>ovs_ct_limit_info</c>). One set serves all datapaths.</summary>
/// <remarks>Threads: the control thread.</remarks>
public sealed class ZoneLimits
{
    // The kernel dumps zones bucket by bucket, in each the newest first.
    private const int BucketCount = 512;

    private readonly List<ZoneLimit>[] _buckets = new List<ZoneLimit>[BucketCount];

    /// <summary>The limit of zones that have none of their own; 0 for any number.</summary>
    public uint DefaultLimit { get; private set; }

    /// <summary>Sets the limit of a zone, or the default.</summary>
    /// <returns>False, with nothing changed, when there can be no such zone.</returns>
    public bool TrySet(int zone, uint limit)
    {
        if (zone == ZoneLimit.DefaultZone)
        {
            DefaultLimit = limit;
            return true;
        }

        if (zone is < 0 or > ushort.MaxValue)
        {
            return false;
        }

        List<ZoneLimit> bucket = _buckets[zone % BucketCount] ??= [];
        int index = bucket.FindIndex(other => other.Zone == zone);
        if (index >= 0)
        {
            bucket[index] = new ZoneLimit(zone, limit, 0);
        }
        else
        {
            bucket.Insert(0, new ZoneLimit(zone, limit, 0));
        }

        return true;
    }

    /// <summary>Takes the limit of a zone away, or sets the default to any number.</summary>
    /// <returns>False when there can be no such zone.</returns>
    public bool TryRemove(int zone)
    {
        if (zone == ZoneLimit.DefaultZone)
        {
            DefaultLimit = 0;
            return true;
        }

        if (zone is < 0 or > ushort.MaxValue)
        {
            return false;
        }

        _buckets[zone % BucketCount]?.RemoveAll(other => other.Zone == zone);
        return true;
    }

    /// <summary>The limit that holds for a zone.</summary>
    /// <returns>False when there can be no such zone.</returns>
    public bool TryGet(int zone, out ZoneLimit limit)
    {
        if (zone == ZoneLimit.DefaultZone)
        {
            limit = new ZoneLimit(zone, DefaultLimit, 0);
            return true;
        }

        limit = default;
        if (zone is < 0 or > ushort.MaxValue)
        {
            return false;
        }

        List<ZoneLimit>? bucket = _buckets[zone % BucketCount];
        int index = bucket?.FindIndex(other => other.Zone == zone) ?? -1;
        limit = index >= 0 ? bucket![index] : new ZoneLimit(zone, DefaultLimit, 0);
        return true;
    }

    /// <summary>The default, then all zones that have a limit of their own.</summary>
    public IEnumerable<ZoneLimit> All()
    {
        yield return new ZoneLimit(ZoneLimit.DefaultZone, DefaultLimit, 0);
        foreach (List<ZoneLimit>? bucket in _buckets)
        {
            foreach (ZoneLimit limit in bucket ?? [])
            {
                yield return limit;
            }
        }
    }
}
