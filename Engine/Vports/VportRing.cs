using System.Runtime.InteropServices;

namespace Engine.Vports;

/// <summary>One way in of a port, looked at by one worker: a socket of a fanout group, a queue of the device, a tunnel's socket.</summary>
/// <param name="Driver">Its packets. One worker receives; it also transmits by it when the device names it as the worker's channel.</param>
/// <param name="WaitHandle">What to wait on (epoll) when nothing comes; null for memory, which nothing is waited for.</param>
public sealed record VportRing(IVportDriver Driver, SafeHandle? WaitHandle)
{
    /// <summary>The worker that must look at it, because the ring lies in that worker's memory; null when any may.</summary>
    public int? Worker { get; init; }

    /// <summary>
    /// Whether looking for packets is a system call. Such a ring is looked at only when its handle says that something waits; others in every round.
    /// </summary>
    public bool LooksByCall { get; init; }
}
