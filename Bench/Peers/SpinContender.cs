namespace Bench.Peers;

/// <summary>Does nothing but read the clock, on the core that is measured: the pauses that the machine makes by itself.</summary>
internal sealed class SpinContender : IContender
{
    private const int LooksBetweenLooksAtTheTime = 1_000;

    /// <inheritdoc/>
    public string Name => "a loop that only reads the clock";

    /// <inheritdoc/>
    public Measurement Measure(double seconds)
    {
        Measurement result = default;
        Processor.Start(Processor.Measured, () => result = MeasureHere(seconds)).Join();
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static Measurement MeasureHere(double seconds)
    {
        long stolen = StolenTime.ReadMs(Processor.Measured);
        using GapHistogram gaps = new();
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        ulong cycles = Engine.Platform.TimestampCounter.Now;
        double looks = 0, elapsed;
        do
        {
            for (int i = 0; i < LooksBetweenLooksAtTheTime; i++)
            {
                gaps.Mark();
            }

            looks += LooksBetweenLooksAtTheTime;
            elapsed = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        while (elapsed < seconds);
        return new Measurement(looks, Engine.Platform.TimestampCounter.Now - cycles, elapsed)
        {
            LongestPauseUs = gaps.LongestUs,
            LongestOwnPauseUs = gaps.LongestOwnUs,
            StolenMs = StolenTime.ReadMs(Processor.Measured) - stolen,
            Pause999Us = gaps.QuantileUs(0.999),
        };
    }
}
