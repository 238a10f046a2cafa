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

    /// <summary>Starts a program that is no child of this process, with this process's environment and nothing to write to.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="input">Its standard input.</param>
    public static void StartInBackground(IReadOnlyList<string> command, FileDescriptor input)
    {
        const int DuplicateClosedOnExec = 1030; // F_DUPFD_CLOEXEC
        string words = string.Join(' ', command.Select(static word => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'"));

        // Some shells redirect descriptors of one digit only, and give their own input to nothing in the background.
        int own = Libc.fcntl(0, DuplicateClosedOnExec, 0);
        _ = Libc.dup2(input.Number, 0);
        _ = Libc.system($"exec 3<&0; {words} <&3 3<&- >/dev/null 2>&1 &");
        _ = own < 0 ? Libc.close(0) : Libc.dup2(own, 0);
        _ = own < 0 ? 0 : Libc.close(own);
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
