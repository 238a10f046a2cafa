using System.Numerics;
using Engine.Platform;

namespace Bench.Peers;

/// <summary>Times between the rounds of a worker, in buckets an eighth of a power of two wide.</summary>
/// <remarks>Threads: made and marked by the worker's thread.</remarks>
internal sealed class GapHistogram : IDisposable
{
    // How often the time on the run queue is read, so that what a long gap is credited with is of this gap.
    private const double UsBetweenReadings = 1_000;
    private const int StepsPerDoubling = 8;

    private static readonly double s_cyclesPerUs = MeasureFrequency();

    private readonly long[] _buckets = new long[64 * StepsPerDoubling];
    private ulong _last;
    private readonly RunQueueDelay _delay = new();
    private readonly ulong _cyclesBetweenReadings = (ulong)(UsBetweenReadings * s_cyclesPerUs);
    private ulong _longest;
    private ulong _nextReading;
    private double _delayUs;
    private long _count;

    /// <summary>Begins.</summary>
    public GapHistogram()
    {
        _delayUs = _delay.ReadUs();
        _last = TimestampCounter.Now;
        _nextReading = _last + _cyclesBetweenReadings;
    }

    /// <summary>The longest time, in microseconds.</summary>
    public double LongestUs => _longest / s_cyclesPerUs;

    /// <summary>The longest time without what others had the processor meanwhile, in microseconds.</summary>
    public double LongestOwnUs { get; private set; }

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
        if (gap > _cyclesBetweenReadings / 10 || now > _nextReading)
        {
            ReadDelay(gap / s_cyclesPerUs);
        }
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

    /// <inheritdoc/>
    public void Dispose() => _delay.Dispose();

    private void ReadDelay(double gapUs)
    {
        double delayUs = _delay.ReadUs();
        LongestOwnUs = Math.Max(LongestOwnUs, gapUs - (delayUs - _delayUs));
        _delayUs = delayUs;
        _nextReading = TimestampCounter.Now + _cyclesBetweenReadings;
    }

    private static double MeasureFrequency()
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        ulong cycles = TimestampCounter.Now;
        Thread.Sleep(50);
        return (TimestampCounter.Now - cycles) / System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }
}
