using System.Diagnostics;
using System.Runtime.CompilerServices;
using Engine.Control;

namespace Engine.Tests.Control;

/// <summary>Counters that are asked for as fast as it goes are read seldom, and others always.</summary>
public sealed class PacedReadingTests
{
    [Fact]
    public void A_flood_reads_a_few_times_a_millisecond_and_who_asks_now_and_then_hears_the_present()
    {
        StrongBox<int> reads = new();
        PacedReading<int> paced = default;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 100_000; i++)
        {
            int read = paced.Read(reads, static reads => ++reads.Value);
            Assert.Equal(reads.Value, read);
        }

        // A window begins with the first reading after the last one has ended.
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Assert.InRange(reads.Value, 1, (int)((milliseconds + 1) * PacedReading<int>.MostInMillisecond));

        for (int i = 0; i < 5; i++)
        {
            Thread.Sleep(2);
            int before = reads.Value;
            Assert.Equal(before + 1, paced.Read(reads, static reads => ++reads.Value));
        }
    }
}
