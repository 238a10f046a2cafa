namespace Engine.Tests.Allocation;

/// <summary>What something allocates whenever it is done.</summary>
/// <remarks>What the runtime itself allocates when it replaces a method by a faster one comes once; a packet's cost comes every time. So the least counts.</remarks>
internal static class Allocated
{
    private const int Attempts = 3;

    /// <summary>The fewest bytes that this thread has allocated for it.</summary>
    public static long ByThisThread(Action action, int attempts = Attempts) => Least(
        () =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        },
        attempts);

    /// <summary>The fewest bytes that were measured.</summary>
    /// <param name="measure">Does it and tells what was allocated.</param>
    /// <param name="attempts">How often at most.</param>
    /// <param name="enough">So few that no further attempt is needed.</param>
    public static long Least(Func<long> measure, int attempts = Attempts, long enough = 0)
    {
        long least = long.MaxValue;
        for (int attempt = 0; attempt < attempts && least > enough; attempt++)
        {
            least = Math.Min(least, measure());
        }

        return least;
    }
}
