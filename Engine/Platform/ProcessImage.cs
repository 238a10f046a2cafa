using System.Runtime.InteropServices;
using System.Text;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>What this process runs, and how it becomes another program.</summary>
internal static unsafe class ProcessImage
{
    private const int BrokenPipe = 13; // SIGPIPE

    /// <summary>How many descriptors the process may have.</summary>
    /// <exception cref="SystemCallException">The system does not tell.</exception>
    public static int ReadDescriptorLimit()
    {
        Libc.rlimit limit = default;
        SystemCallException.ThrowIfFailed(Libc.getrlimit(Libc.RLIMIT_NOFILE, &limit), "getrlimit RLIMIT_NOFILE");
        return (int)Math.Min(limit.rlim_cur, int.MaxValue);
    }

    /// <summary>Becomes another program, looked for in PATH. Returns only when that fails.</summary>
    public static Errno Replace(IReadOnlyList<string> command)
    {
        // The runtime ignores SIGPIPE, and that would be inherited.
        Libc.signal(BrokenPipe, 0);
        byte** arguments = (byte**)NativeMemory.AllocZeroed((nuint)command.Count + 1, (nuint)sizeof(byte*));
        for (int i = 0; i < command.Count; i++)
        {
            arguments[i] = (byte*)NativeMemory.AllocZeroed((nuint)Encoding.UTF8.GetByteCount(command[i]) + 1);
            Encoding.UTF8.GetBytes(command[i], new Span<byte>(arguments[i], Encoding.UTF8.GetByteCount(command[i])));
        }

        _ = Libc.execvp(arguments[0], arguments);
        Errno errno = Libc.LastErrno;
        for (int i = 0; i < command.Count; i++)
        {
            NativeMemory.Free(arguments[i]);
        }

        NativeMemory.Free(arguments);
        return errno;
    }
}
