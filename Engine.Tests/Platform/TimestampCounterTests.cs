using System.Diagnostics;
using System.Runtime.InteropServices;
using Engine.Platform;

namespace Engine.Tests.Platform;

/// <summary>Cycles pass, at a steady rate.</summary>
public sealed class TimestampCounterTests
{
    [Fact]
    public void Cycles_go_with_the_clock()
    {
        // Medians: a sample is off when the thread loses its processor between the two clocks.
        double first = Median(CyclesPerSecond), second = Median(CyclesPerSecond);
        Assert.InRange(first, 0.5e9, 10e9);
        Assert.InRange(second / first, 0.9, 1.1);
    }

    [SkippableFact]
    public void On_Linux_on_x64_they_are_the_processor_s_own()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64);
        Assert.True(TimestampCounter.IsExact);
    }

    private static double Median(Func<double> sample)
    {
        double[] samples = [.. Enumerable.Range(0, 9).Select(_ => sample())];
        Array.Sort(samples);
        return samples[samples.Length / 2];
    }

    private static double CyclesPerSecond()
    {
        long start = Stopwatch.GetTimestamp();
        ulong startCycles = TimestampCounter.Now;
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < 5)
        {
        }

        return (TimestampCounter.Now - startCycles) / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
