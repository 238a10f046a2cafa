namespace Engine.Platform;

/// <summary>A few descriptors to wait for at once (poll(2)).</summary>
internal static unsafe class DescriptorSet
{
    /// <summary>Waits until something happens to one of them.</summary>
    /// <param name="polls">The descriptors, and what is waited for; a number below 0 is passed over. What happened is noted there.</param>
    /// <param name="timeoutMs">How long at most; -1 waits as long as it takes.</param>
    public static void Wait(Span<Libc.pollfd> polls, int timeoutMs)
    {
        fixed (Libc.pollfd* first = polls)
        {
            if (Libc.poll(first, (nuint)polls.Length, timeoutMs) >= 0)
            {
                return;
            }
        }

        foreach (ref Libc.pollfd poll in polls)
        {
            poll.revents = 0;
        }
    }
}
