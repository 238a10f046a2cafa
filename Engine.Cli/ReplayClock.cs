using System.Diagnostics;
using Engine.Platform;

namespace Engine.Cli;

/// <summary>What a stretch of a replay cost the thread that ran it: time, cycles, memory.</summary>
internal sealed class ReplayClock
{
    private long _startedAt;
    private ulong _startCycles;
    private long _startAllocated;

    private ReplayClock()
    {
    }

    /// <summary>Seconds from start to stop.</summary>
    public double Seconds { get; private set; }

    /// <summary>Cycles of the time-stamp counter from start to stop.</summary>
    public ulong Cycles { get; private set; }

    /// <summary>Bytes of managed memory that the thread allocated from start to stop.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Starts a clock.</summary>
    public static ReplayClock Start()
    {
        // Read once in vain: the first time, the counter is set up, which allocates.
        ReplayClock clock = new() { _startCycles = TimestampCounter.Now };
        clock._startAllocated = GC.GetAllocatedBytesForCurrentThread();
        clock._startedAt = Stopwatch.GetTimestamp();
        clock._startCycles = TimestampCounter.Now;
        return clock;
    }

    /// <summary>Stops it; on the thread that started it.</summary>
    public void Stop()
    {
        Cycles = TimestampCounter.Now - _startCycles;
        Seconds = Stopwatch.GetElapsedTime(_startedAt).TotalSeconds;
        AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - _startAllocated;
    }
}
