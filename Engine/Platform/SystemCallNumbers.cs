using System.Runtime.InteropServices;

namespace Engine.Platform;

/// <summary>The numbers of the system calls that are taken over or made by number, on this machine (asm/unistd.h).</summary>
internal static class SystemCallNumbers
{
    private static readonly bool IsX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>socket(2).</summary>
    public static int Socket { get; } = IsX64 ? 41 : 198;

    /// <summary>connect(2).</summary>
    public static int Connect { get; } = IsX64 ? 42 : 203;

    /// <summary>sendto(2).</summary>
    public static int SendTo { get; } = IsX64 ? 44 : 206;

    /// <summary>sendmsg(2).</summary>
    public static int SendMessage { get; } = IsX64 ? 46 : 211;

    /// <summary>bind(2).</summary>
    public static int Bind { get; } = IsX64 ? 49 : 200;

    /// <summary>getsockname(2).</summary>
    public static int GetSocketName { get; } = IsX64 ? 51 : 204;

    /// <summary>getpeername(2).</summary>
    public static int GetPeerName { get; } = IsX64 ? 52 : 205;

    /// <summary>setsockopt(2).</summary>
    public static int SetSocketOption { get; } = IsX64 ? 54 : 208;

    /// <summary>getsockopt(2).</summary>
    public static int GetSocketOption { get; } = IsX64 ? 55 : 209;

    /// <summary>write(2).</summary>
    public static int Write { get; } = IsX64 ? 1 : 64;

    /// <summary>writev(2).</summary>
    public static int WriteVector { get; } = IsX64 ? 20 : 66;

    /// <summary>seccomp(2).</summary>
    public static int Seccomp { get; } = IsX64 ? 317 : 277;

    /// <summary>The architecture as a seccomp filter sees it.</summary>
    public static uint AuditArchitecture { get; } = IsX64 ? Libc.AUDIT_ARCH_X86_64 : Libc.AUDIT_ARCH_AARCH64;

    /// <summary>Whether this machine's numbers are known.</summary>
    public static bool IsKnown { get; } = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;
}
