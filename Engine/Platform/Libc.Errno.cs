using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>The C library and the kernel's system calls, in their own spelling, one part per C header. Only what the engine uses.</summary>
/// <remarks>Raw names stay in this folder. Sizes and offsets of the structures are held against the C compiler by a test.</remarks>
internal static unsafe partial class Libc
{
    private const string Library = "libc";

    /// <summary>The error of the last call of this thread that failed.</summary>
    public static Errno LastErrno => (Errno)Marshal.GetLastPInvokeError();
}
