using System.Runtime.InteropServices;
using Engine.Platform;

namespace Bench.Peers;

/// <summary>Which core a thread runs on.</summary>
internal static partial class Processor
{
    /// <summary>The core that is measured on, by the engine and its peers in turn: the last one.</summary>
    public static int Measured => Environment.ProcessorCount - 1;

    /// <summary>Keeps the calling thread on one core.</summary>
    public static void Pin(int core) => _ = ProcessorSet.TryPin(core); // Where it is not allowed, the thread stays where it is: slower, not wrong.

    /// <summary>Starts work on a thread of its own that is kept on one core: the caller's is not ours to pin.</summary>
    public static Thread Start(int core, Action work)
    {
        Thread thread = new(() =>
        {
            Pin(core);
            work();
        });
        thread.Start();
        return thread;
    }

    /// <summary>Sends a signal to a process that the bench started.</summary>
    public static void Signal(int process, int signal) => _ = Kill(process, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
