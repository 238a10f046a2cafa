using System.Numerics;

namespace Engine.Datapaths;

/// <summary>How long the rounds of a worker took, in buckets of powers of two of nanoseconds.</summary>
/// <remarks>
/// A round lasts from one look at the rings to the next, so everything that keeps a packet waiting is in it: the work itself, the
/// garbage collector, other programs on the core. Time in which the worker slept because nothing came is not.
/// Threads: the worker writes; a reader may see a bucket of the newest round before the others.
/// </remarks>
public sealed class PauseHistogram
{
    /// <summary>Bucket n counts rounds of 2^n to 2^(n+1) - 1 ns.</summary>
    public const int BucketCount = 40;

    private readonly long[] _buckets = new long[BucketCount];
    private long _longestNs;

    /// <summary>The longest round in nanoseconds.</summary>
    public long LongestNs => Volatile.Read(ref _longestNs);

    /// <summary>Rounds of a bucket.</summary>
    public long this[int bucket] => Volatile.Read(ref _buckets[bucket]);

    /// <summary>Counts a round.</summary>
    public void Add(long nanoseconds)
    {
        int bucket = Math.Min(BitOperations.Log2((ulong)Math.Max(nanoseconds, 1)), BucketCount - 1);
        _buckets[bucket]++;
        if (nanoseconds > _longestNs)
        {
            _longestNs = nanoseconds;
        }
    }

    /// <summary>The time that a share of all rounds does not exceed, in nanoseconds: the end of its bucket, at most the longest.</summary>
    /// <param name="share">Between 0 and 1, for instance 0.999.</param>
    public long Percentile(double share)
    {
        long total = 0;
        for (int i = 0; i < BucketCount; i++)
        {
            total += this[i];
        }

        double rest = Math.Ceiling(total * share);
        for (int i = 0; i < BucketCount; i++)
        {
            rest -= this[i];
            if (rest <= 0 && total != 0)
            {
                return Math.Min((1L << (i + 1)) - 1, LongestNs);
            }
        }

        return LongestNs;
    }

    /// <summary>A copy of what has been counted so far.</summary>
    public PauseHistogram Copy()
    {
        PauseHistogram copy = new() { _longestNs = LongestNs };
        for (int i = 0; i < BucketCount; i++)
        {
            copy._buckets[i] = this[i];
        }

        return copy;
    }

    /// <summary>Forgets everything, for a measurement that starts now. Rounds counted at the same moment may be kept or lost.</summary>
    public void Clear()
    {
        Array.Clear(_buckets);
        Volatile.Write(ref _longestNs, 0);
    }
}
