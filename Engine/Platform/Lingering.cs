namespace Engine.Platform;

/// <summary>
/// Waiting for what was closed a moment ago: the kernel takes some of it apart later, and a program that is being started elsewhere in this
/// process holds a copy of every descriptor between its fork and its exec.
/// </summary>
/// <remarks>Used where devices are attached, on the control thread; what is taken for good is refused after the whole time.</remarks>
internal static class Lingering
{
    private const int PauseMs = 10;

    /// <summary>Waits a little before the next attempt.</summary>
    /// <param name="attempt">How many there were; counted here.</param>
    /// <param name="limitMs">Milliseconds in all.</param>
    /// <returns>False when the time is over.</returns>
    public static bool Wait(ref int attempt, int limitMs)
    {
        if (++attempt > limitMs / PauseMs)
        {
            return false;
        }

        Thread.Sleep(PauseMs);
        return true;
    }
}
