using System.Diagnostics;
using Engine.Tests.Live;

namespace Engine.Tests.Concurrency;

/// <summary>One thread that changes something while others use it.</summary>
internal static class Race
{
    private const int Seconds = 2;

    /// <summary>Changes for two seconds, and longer while too little has happened: a thread may get no processor for all of the time.</summary>
    /// <param name="stop">Cancelled when it is over, however it ends.</param>
    /// <param name="change">Makes a change.</param>
    /// <param name="hasMinima">Whether enough has happened.</param>
    /// <param name="others">The others, none of which ends by itself unless it has failed.</param>
    public static void Run(CancellationTokenSource stop, Action change, Func<bool> hasMinima, params Task[] others)
    {
        try
        {
            for (long started = Stopwatch.GetTimestamp(); !IsEnough(Stopwatch.GetElapsedTime(started));)
            {
                change();
            }
        }
        finally
        {
            stop.Cancel();
        }

        bool IsEnough(TimeSpan elapsed) =>
            elapsed.TotalSeconds >= Seconds && (hasMinima() || elapsed >= Eventually.Limit || Array.Exists(others, static other => other.IsCompleted));
    }
}
