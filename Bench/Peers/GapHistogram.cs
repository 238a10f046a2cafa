using System.Numerics;
using Engine.Platform;

namespace Bench.Peers;

/// <summary>Times between the rounds of a worker, in buckets an eighth of a power of two wide.</summary>
internal sealed class GapHistogram
{
    private const int StepsPerDoubling = 8;

    private static readonly double s_cyclesPerUs = MeasureFrequency();

    private readonly long[] _buckets = new long[64 * StepsPerDoubling];
    private ulong _last = TimestampCounter.Now;
    private ulong _longest;
    private long _count;

    /// <summary>The longest time, in microseconds.</summary>
    public double LongestUs => _longest / s_cyclesPerUs;

    /// <summary>A round has ended.</summary>
    public void Mark()
    {
        ulong now = TimestampCounter.Now;
        ulong gap = Math.Max(now - _last, StepsPerDoubling);
        _last = now;
        _longest = Math.Max(_longest, gap);
        int power = BitOperations.Log2(gap);
        _buckets[(power * StepsPerDoubling) + (int)(gap >> (power - 3) & (StepsPerDoubling - 1))]++;
        _count++;
    }

    /// <summary>The time that this share of the rounds stays below, in microseconds: the upper edge of its bucket.</summary>
    public double QuantileUs(double share)
    {
        long left = (long)(_count * share);
        for (int i = 0; i < _buckets.Length; i++)
        {
            left -= _buckets[i];
            if (left < 0)
            {
                return Math.ScaleB(1 + ((i % StepsPerDoubling) + 1) / (double)StepsPerDoubling, i / StepsPerDoubling) / s_cyclesPerUs;
            }
        }

        return LongestUs;
    }

    private static double MeasureFrequency()
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        ulong cycles = TimestampCounter.Now;
        Thread.Sleep(50);
        return (TimestampCounter.Now - cycles) / System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }
}
