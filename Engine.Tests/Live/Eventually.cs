using System.Diagnostics;

namespace Engine.Tests.Live;

/// <summary>Waiting for what the kernel or another program does in its own time. On a busy machine that may take long, so the limit is not a measure of anything.</summary>
internal static class Eventually
{
    /// <summary>After this it will not happen any more.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Waits until something is so; fails when it never is.</summary>
    /// <param name="isSo">Looks.</param>
    /// <param name="what">What was waited for, for the failure.</param>
    public static void IsSo(Func<bool> isSo, string what) => IsSo(isSo, () => what);

    /// <inheritdoc cref="IsSo(Func{bool}, string)"/>
    public static void IsSo(Func<bool> isSo, Func<string> what)
    {
        for (long started = Stopwatch.GetTimestamp(); !isSo(); Thread.Sleep(10))
        {
            if (Stopwatch.GetElapsedTime(started) > Limit)
            {
                Assert.Fail($"Waited in vain for: {what()}");
            }
        }
    }
}
