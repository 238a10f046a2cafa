namespace Engine.Platform;

/// <summary>
/// Waiting for what was closed a moment ago: the kernel takes some of it apart later, when it gets to it, and a program that is being started
/// elsewhere in this process holds a copy of every descriptor between its fork and its exec.
/// </summary>
/// <remarks>
/// What this process itself has let go of is known to come free, and is waited for until it does. What somebody else seems to hold is
/// refused after a short time, since the control thread waits here. Threads: any.
/// </remarks>
internal struct Lingering
{
    private const int PauseMs = 10;
    private const int OwnMs = 10_000;

    // When each was let go of, in the milliseconds of the monotonic clock. Old ones go when another comes.
    private static readonly Dictionary<string, long> s_left = [];

    private readonly long _until;

    /// <summary>Before the first attempt. Once it is taken, nobody is to wait for it because of what was before.</summary>
    /// <param name="what">What is to be taken, as <see cref="Left"/> was told.</param>
    /// <param name="othersMs">Milliseconds until it is refused when it was not this process that had it.</param>
    public Lingering(string what, int othersMs)
    {
        lock (s_left)
        {
            _until = Environment.TickCount64 + (s_left.Remove(what, out long at) && IsRecent(at) ? OwnMs : othersMs);
        }
    }

    /// <summary>This process has let go of something.</summary>
    public static void Left(string what)
    {
        lock (s_left)
        {
            foreach ((string old, long at) in s_left)
            {
                if (!IsRecent(at))
                {
                    s_left.Remove(old);
                }
            }

            s_left[what] = Environment.TickCount64;
        }
    }

    /// <summary>Waits a little before the next attempt.</summary>
    /// <returns>False when the time is over.</returns>
    public readonly bool Wait()
    {
        if (Environment.TickCount64 >= _until)
        {
            return false;
        }

        Thread.Sleep(PauseMs);
        return true;
    }

    private static bool IsRecent(long at) => Environment.TickCount64 - at < OwnMs;
}
