using System.Runtime.InteropServices;

namespace Bench.Peers;

/// <summary>Which core a thread runs on.</summary>
internal static unsafe partial class Processor
{
    /// <summary>The core that is measured on, by the engine and its peers in turn: the last one.</summary>
    public static int Measured => Environment.ProcessorCount - 1;

    /// <summary>Keeps the calling thread on one core.</summary>
    public static void Pin(int core)
    {
        Span<ulong> set = stackalloc ulong[16];
        set[core / 64] = 1UL << (core % 64);
        fixed (ulong* first = set)
        {
            // Where it is not allowed, the thread stays where it is: slower, not wrong.
            _ = SetAffinity(0, 128, first);
        }
    }

    /// <summary>Sends a signal to a process that the bench started.</summary>
    public static void Signal(int process, int signal) => _ = Kill(process, signal);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nuint size, ulong* set);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
