using System.Runtime.InteropServices;

namespace Engine.Platform;

// unistd.h, stdlib.h, fcntl.h, sys/ioctl.h, poll.h, sched.h, linux/capability.h
internal static unsafe partial class Libc
{
    public const int O_RDWR = 2;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;

    public const short POLLIN = 1;
    public const short POLLERR = 8;
    public const short POLLHUP = 0x10;

    public const int SEEK_END = 2;

    public const int F_ADD_SEALS = 1033;
    public const int F_GET_SEALS = 1034;
    public const int F_SEAL_SEAL = 1;
    public const int F_SEAL_SHRINK = 2;

    public const int CLONE_NEWNET = 0x40000000;

    public const uint _LINUX_CAPABILITY_VERSION_3 = 0x20080522;

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int open(string pathname, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int close(int fd);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint read(int fd, void* buf, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint write(int fd, void* buf, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint writev(int fd, iovec* iov, int iovcnt);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint lseek(int fd, nint offset, int whence);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int capget(__user_cap_header_struct* hdrp, uint* datap);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int capset(__user_cap_header_struct* hdrp, uint* datap);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int ioctl(int fd, nuint request, void* argp);

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    public static partial int ioctl_long(int fd, nuint request, nint arg);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int poll(pollfd* fds, nuint nfds, int timeout);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint readlink(byte* pathname, byte* buf, nuint bufsiz);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int ftruncate(int fd, nint length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int dup2(int oldfd, int newfd);

    [LibraryImport(Library)]
    public static partial uint alarm(uint seconds);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setsid();

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int system(string command);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setns(int fd, int nstype);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sched_setaffinity(int pid, nuint cpusetsize, void* mask);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sched_getaffinity(int pid, nuint cpusetsize, void* mask);

    public struct __user_cap_header_struct
    {
        public uint version;
        public int pid;
    }

    public struct iovec
    {
        public nint iov_base;
        public nuint iov_len;
    }

    public struct timeval
    {
        public nint tv_sec;
        public nint tv_usec;
    }

    public struct pollfd
    {
        public int fd;
        public short events;
        public short revents;
    }
}
