using System.Runtime.InteropServices;

namespace Engine.Platform;

// linux/seccomp.h, linux/filter.h, linux/audit.h, sys/prctl.h, sys/uio.h
internal static unsafe partial class Libc
{
    public const uint SECCOMP_SET_MODE_FILTER = 1;
    public const uint SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3;
    public const uint SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 1 << 5;

    public const uint SECCOMP_RET_USER_NOTIF = 0x7fc00000;
    public const uint SECCOMP_RET_ALLOW = 0x7fff0000;

    public const nuint SECCOMP_IOCTL_NOTIF_RECV = 0xc0502100;
    public const nuint SECCOMP_IOCTL_NOTIF_SEND = 0xc0182101;
    public const nuint SECCOMP_IOCTL_NOTIF_ID_VALID = 0x40082102;
    public const nuint SECCOMP_IOCTL_NOTIF_ADDFD = 0x40182103;
    public const nuint SECCOMP_IOCTL_NOTIF_SET_FLAGS = 0x40082104;

    public const uint SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1;
    public const nuint SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP = 1;
    public const uint SECCOMP_ADDFD_FLAG_SETFD = 1;
    public const uint SECCOMP_ADDFD_FLAG_SEND = 2;

    public const ushort BPF_LD_W_ABS = 0x20; // BPF_LD | BPF_W | BPF_ABS
    public const ushort BPF_JMP_JEQ_K = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    public const ushort BPF_JMP_JGE_K = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    public const ushort BPF_RET_K = 0x06; // BPF_RET | BPF_K

    public const uint AUDIT_ARCH_X86_64 = 0xc000003e;
    public const uint AUDIT_ARCH_AARCH64 = 0xc00000b7;

    public const int PR_SET_NO_NEW_PRIVS = 38;

    [LibraryImport(Library, SetLastError = true)]
    public static partial int prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint process_vm_readv(int pid, iovec* local_iov, nuint liovcnt, iovec* remote_iov, nuint riovcnt, nuint flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint process_vm_writev(int pid, iovec* local_iov, nuint liovcnt, iovec* remote_iov, nuint riovcnt, nuint flags);

    public struct sock_filter
    {
        public ushort code;
        public byte jt;
        public byte jf;
        public uint k;
    }

    public struct sock_fprog
    {
        public ushort len;
        public sock_filter* filter;
    }

    public struct seccomp_notif
    {
        public ulong id;
        public uint pid;
        public uint flags;
        public int nr;
        public uint arch;
        public ulong instruction_pointer;
        public fixed ulong args[6];
    }

    public struct seccomp_notif_resp
    {
        public ulong id;
        public long val;
        public int error;
        public uint flags;
    }

    public struct seccomp_notif_addfd
    {
        public ulong id;
        public uint flags;
        public uint srcfd;
        public uint newfd;
        public uint newfd_flags;
    }
}
