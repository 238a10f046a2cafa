using System.Globalization;
using System.Text;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>A Unix socket of type SOCK_SEQPACKET: datagrams that come in order and are not lost, and may carry a descriptor (unix(7)).</summary>
/// <remarks>Threads: any; sending to one that another thread closes fails and does no harm.</remarks>
internal sealed unsafe class SequencedSocket : IDisposable
{
    /// <summary>Bytes of the longest path: sun_path of struct sockaddr_un, with a zero at its end.</summary>
    public const int MaximumPathLength = 107;

    // struct cmsghdr and a descriptor: padded as it is sent, and with room for no second one as it is received.
    private const int ControlSize = 24;
    private const int ControlHeaderSize = 16;
    private const int ReceivedControlSize = ControlHeaderSize + sizeof(int);
    private const int GetFlags = 3; // F_GETFL
    private const int SetFlags = 4; // F_SETFL

    private SequencedSocket(FileDescriptor descriptor) => Descriptor = descriptor;

    /// <summary>The descriptor.</summary>
    public FileDescriptor Descriptor { get; }

    /// <summary>The number of the descriptor.</summary>
    public int Number => Descriptor.Number;

    /// <summary>Opens a socket at a path for others to connect to. What is left over there is removed.</summary>
    /// <param name="path">At most 107 bytes.</param>
    /// <param name="mode">Who may open it.</param>
    /// <exception cref="SystemCallException">The path cannot be used.</exception>
    public static SequencedSocket Listen(string path, uint mode)
    {
        SequencedSocket socket = new(FileDescriptor.Socket(Libc.AF_UNIX, Libc.SOCK_SEQPACKET, 0));
        File.Delete(path);
        Libc.sockaddr_un address = AddressOf(path);
        SystemCallException.ThrowIfFailed(Libc.bind(socket.Number, &address, (uint)sizeof(Libc.sockaddr_un)), $"bind {path}");
        SystemCallException.ThrowIfFailed(Libc.chmod(path, mode), $"chmod {path}");
        SystemCallException.ThrowIfFailed(Libc.listen(socket.Number, 1024), $"listen {path}");
        return socket;
    }

    /// <summary>Connects to a socket at a path; the socket blocks.</summary>
    /// <exception cref="SystemCallException">Nobody is there.</exception>
    public static SequencedSocket Connect(string path)
    {
        Libc.sockaddr_un address = AddressOf(path);
        SequencedSocket socket = new(FileDescriptor.FromCall(Libc.socket(Libc.AF_UNIX, Libc.SOCK_SEQPACKET | Libc.SOCK_CLOEXEC, 0), "socket"));
        if (Libc.connect(socket.Number, &address, (uint)sizeof(Libc.sockaddr_un)) < 0)
        {
            Errno errno = Libc.LastErrno;
            socket.Dispose();
            throw new SystemCallException($"connect {path}", errno);
        }

        return socket;
    }

    /// <summary>Connects to a socket at a path, if somebody is there; the socket blocks.</summary>
    public static SequencedSocket? TryConnect(string path)
    {
        try
        {
            return Connect(path);
        }
        catch (SystemCallException)
        {
            return null;
        }
    }

    /// <summary>Whether a descriptor that another process has sent is such a socket.</summary>
    public static bool Is(FileDescriptor descriptor) =>
        descriptor.TryGet(Libc.SOL_SOCKET, Libc.SO_DOMAIN, out int domain) == Errno.None && domain == Libc.AF_UNIX
        && descriptor.TryGet(Libc.SOL_SOCKET, Libc.SO_TYPE, out int type) == Errno.None && type == Libc.SOCK_SEQPACKET;

    /// <summary>Takes a socket over that another process has made.</summary>
    public static SequencedSocket From(FileDescriptor descriptor) => new(descriptor);

    /// <summary>Makes two sockets that are connected. The first does not block.</summary>
    /// <param name="isSecondNonBlocking">Whether the second does not either.</param>
    /// <param name="second">The second.</param>
    /// <returns>Null when there are no resources.</returns>
    public static SequencedSocket? TryPair(bool isSecondNonBlocking, out SequencedSocket? second)
    {
        second = null;
        int* pair = stackalloc int[2];
        if (Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_SEQPACKET | Libc.SOCK_CLOEXEC, 0, pair) < 0)
        {
            return null;
        }

        SequencedSocket first = new(new FileDescriptor(pair[0]));
        second = new SequencedSocket(new FileDescriptor(pair[1]));
        first.SetBlocking(false);
        if (isSecondNonBlocking)
        {
            second.SetBlocking(false);
        }

        return first;
    }

    /// <summary>As <see cref="TryPair"/>; who receives from the second is told the address of a kernel's netlink socket, but for its family (struct sockaddr_nl: 12
    /// bytes, port id 0), which programs leave unread.</summary>
    /// <remarks>A Unix socket tells its sender's name; one of a pair has none, and one that was accepted has its listener's, which may be any bytes. The listener
    /// lives for the time of this call.</remarks>
    /// <param name="isSecondNonBlocking">Whether the second does not block.</param>
    /// <param name="second">The second.</param>
    /// <returns>Null when there are no resources.</returns>
    public static SequencedSocket? TryNetlinkPair(bool isSecondNonBlocking, out SequencedSocket? second)
    {
        second = null;
        uint size = (uint)sizeof(Libc.sockaddr_nl);
        for (int name = 0; name <= byte.MaxValue; name++)
        {
            // The second byte of the path is that of nl_pad, which nobody reads: others may have the same idea at the same moment.
            Libc.sockaddr_un address = new() { sun_family = Libc.AF_UNIX };
            address.sun_path[1] = (byte)name;
            int number = Libc.socket(Libc.AF_UNIX, Libc.SOCK_SEQPACKET | Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK, 0);
            if (number < 0)
            {
                return null;
            }

            using SequencedSocket listener = new(new FileDescriptor(number));
            if (Libc.bind(number, &address, size) < 0 || Libc.listen(number, 1) < 0)
            {
                continue;
            }

            int end = Libc.socket(Libc.AF_UNIX, Libc.SOCK_SEQPACKET | Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK, 0);
            if (end < 0)
            {
                return null;
            }

            SequencedSocket connected = new(new FileDescriptor(end));
            if (Libc.connect(end, &address, size) == 0 && listener.TryAcceptOwn() is { } first)
            {
                if (!isSecondNonBlocking)
                {
                    connected.SetBlocking(true);
                }

                second = connected;
                return first;
            }

            connected.Dispose();
        }

        return null;
    }

    /// <summary>Takes the next connection.</summary>
    /// <param name="processId">Who has connected.</param>
    /// <returns>Null when there is none.</returns>
    public SequencedSocket? TryAccept(out int processId)
    {
        processId = 0;
        int number = Libc.accept4(Number, null, null, Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK);
        if (number < 0)
        {
            return null;
        }

        Libc.ucred peer = default;
        uint length = (uint)sizeof(Libc.ucred);
        _ = Libc.getsockopt(number, Libc.SOL_SOCKET, Libc.SO_PEERCRED, &peer, &length);
        processId = peer.pid;
        return new SequencedSocket(new FileDescriptor(number));
    }

    /// <summary>Makes room for what the other end does not read at once.</summary>
    /// <param name="size">Bytes; more than the system's limit needs CAP_NET_ADMIN, else the limit is taken.</param>
    public void SetSendBuffer(int size)
    {
        if (Libc.setsockopt(Number, Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, &size, sizeof(int)) < 0)
        {
            _ = Libc.setsockopt(Number, Libc.SOL_SOCKET, Libc.SO_SNDBUF, &size, sizeof(int));
        }
    }

    /// <summary>Has <see cref="Receive"/> give up with EAGAIN after some time on a socket that blocks.</summary>
    /// <param name="timeoutMs">Milliseconds; 0 to wait for ever.</param>
    public void SetReceiveTimeout(int timeoutMs)
    {
        Libc.timeval time = new() { tv_sec = timeoutMs / 1000, tv_usec = timeoutMs % 1000 * 1000 };
        Descriptor.Set(Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, time, "SO_RCVTIMEO");
    }

    /// <summary>Bytes of memory that datagrams take which the other end has not read.</summary>
    public int CountUnread()
    {
        const nuint OutputQueue = 0x5411; // SIOCOUTQ
        int unread = 0;
        return Libc.ioctl(Number, OutputQueue, &unread) == 0 ? unread : 0;
    }

    /// <summary>Number of the socket in the system, as /proc shows it.</summary>
    public ulong ReadInode()
    {
        string? target = new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{Number}")).LinkTarget;
        return target is not null && ulong.TryParse(target.AsSpan(8, target.Length - 9), NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode) ? inode : 0;
    }

    /// <summary>Sends a datagram without waiting.</summary>
    /// <returns>False when there is no room, or nobody there.</returns>
    public bool TrySend(ReadOnlySpan<byte> datagram)
    {
        using FileDescriptor.Held held = Descriptor.Hold();
        fixed (byte* bytes = datagram)
        {
            return Libc.send(held.Number, bytes, (nuint)datagram.Length, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL) >= 0;
        }
    }

    /// <summary>Sends a datagram and a descriptor with it, without waiting.</summary>
    /// <returns>False when there is no room, or nobody there.</returns>
    public bool TrySend(ReadOnlySpan<byte> datagram, FileDescriptor descriptor)
    {
        // struct cmsghdr: length, level, type, then the descriptor.
        byte* control = stackalloc byte[ControlSize];
        new Span<byte>(control, ControlSize).Clear();
        *(nuint*)control = ControlHeaderSize + sizeof(int);
        *(int*)(control + 8) = Libc.SOL_SOCKET;
        *(int*)(control + 12) = Libc.SCM_RIGHTS;
        *(int*)(control + ControlHeaderSize) = descriptor.Number;
        using FileDescriptor.Held held = Descriptor.Hold();
        fixed (byte* bytes = datagram)
        {
            Libc.iovec vector = new() { iov_base = (nint)bytes, iov_len = (nuint)datagram.Length };
            Libc.msghdr message = new() { msg_iov = &vector, msg_iovlen = 1, msg_control = (nint)control, msg_controllen = ControlSize };
            return Libc.sendmsg(held.Number, &message, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT) >= 0;
        }
    }

    /// <summary>Receives a datagram, and the descriptor that it may carry.</summary>
    /// <param name="buffer">Gets the bytes; what does not fit is lost.</param>
    /// <param name="descriptor">The descriptor, or null.</param>
    /// <returns>Bytes received; 0 when the other end has closed, less when there is nothing or the call failed.</returns>
    public int Receive(Span<byte> buffer, out FileDescriptor? descriptor)
    {
        descriptor = null;
        byte* control = stackalloc byte[ControlSize];
        fixed (byte* into = buffer)
        {
            Libc.iovec vector = new() { iov_base = (nint)into, iov_len = (nuint)buffer.Length };
            Libc.msghdr message = new() { msg_iov = &vector, msg_iovlen = 1, msg_control = (nint)control, msg_controllen = ReceivedControlSize };
            nint length = Libc.recvmsg(Number, &message, Libc.MSG_CMSG_CLOEXEC);
            if (length >= 0 && message.msg_controllen >= ReceivedControlSize
                && *(int*)(control + 8) == Libc.SOL_SOCKET && *(int*)(control + 12) == Libc.SCM_RIGHTS)
            {
                descriptor = new FileDescriptor(*(int*)(control + ControlHeaderSize));
            }

            return (int)length;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Descriptor.Dispose();

    private static Libc.sockaddr_un AddressOf(string path)
    {
        Libc.sockaddr_un address = new() { sun_family = Libc.AF_UNIX };
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        if (bytes.Length > MaximumPathLength)
        {
            throw new ArgumentException($"A socket's path has at most {MaximumPathLength} bytes.", nameof(path));
        }

        bytes.CopyTo(new Span<byte>(address.sun_path, MaximumPathLength));
        return address;
    }

    // The connection of this process; anybody may know the name and be faster.
    private SequencedSocket? TryAcceptOwn()
    {
        while (TryAccept(out int processId) is { } socket)
        {
            if (processId == Environment.ProcessId)
            {
                return socket;
            }

            socket.Dispose();
        }

        return null;
    }

    private void SetBlocking(bool blocks)
    {
        int flags = Libc.fcntl(Number, GetFlags, 0);
        _ = Libc.fcntl(Number, SetFlags, blocks ? flags & ~Libc.O_NONBLOCK : flags | Libc.O_NONBLOCK);
    }
}
