using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>A system call failed while something was set up or changed. Never thrown where packets move.</summary>
public sealed class SystemCallException : IOException
{
    /// <summary>States what failed and how.</summary>
    /// <param name="call">The call and what it was for, for instance "setsockopt PACKET_RX_RING".</param>
    /// <param name="errno">What the kernel said.</param>
    public SystemCallException(string call, Errno errno)
        : base($"{call}: {Marshal.GetPInvokeErrorMessage((int)errno)}{Hint(errno)}.", (int)errno)
    {
        Call = call;
        Errno = errno;
    }

    /// <summary>The call and what it was for.</summary>
    public string Call { get; }

    /// <summary>What the kernel said.</summary>
    public Errno Errno { get; }

    internal static void ThrowIfFailed(nint result, string call)
    {
        if (result < 0)
        {
            throw new SystemCallException(call, Libc.LastErrno);
        }
    }

    private static string Hint(Errno errno) =>
        errno == Errno.NotPermitted ? "; it needs the capabilities CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF" : string.Empty;
}
