using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Unicode;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>A system call that a program has made and that waits for its answer.</summary>
internal readonly unsafe struct SeccompCall
{
    private readonly Libc.seccomp_notif _notification;

    internal SeccompCall(in Libc.seccomp_notif notification) => _notification = notification;

    /// <summary>Names the call to the listener.</summary>
    public ulong Id => _notification.id;

    /// <summary>The thread that made it.</summary>
    public int ThreadId => (int)_notification.pid;

    /// <summary>Which call (<see cref="SystemCallNumbers"/>).</summary>
    public int Number => _notification.nr;

    /// <summary>An argument, 0 to 5.</summary>
    public ulong Argument(int index) => _notification.args[index];

    /// <summary>The first argument as a descriptor.</summary>
    public int Descriptor => (int)_notification.args[0];

    /// <summary>Copies from the program's memory.</summary>
    /// <returns>Whether all of it could be read.</returns>
    public bool TryRead(ulong address, Span<byte> destination)
    {
        if (destination.IsEmpty)
        {
            return true;
        }

        fixed (byte* local = destination)
        {
            Libc.iovec to = new() { iov_base = (nint)local, iov_len = (nuint)destination.Length };
            Libc.iovec from = new() { iov_base = (nint)address, iov_len = (nuint)destination.Length };
            return Libc.process_vm_readv(ThreadId, &to, 1, &from, 1, 0) == destination.Length;
        }
    }

    /// <summary>Copies a struct from the program's memory.</summary>
    public bool TryRead<T>(ulong address, out T value)
        where T : unmanaged
    {
        value = default;
        return TryRead(address, MemoryMarshal.AsBytes(new Span<T>(ref value)));
    }

    /// <summary>Copies to the program's memory.</summary>
    /// <returns>Whether all of it could be written.</returns>
    public bool TryWrite(ulong address, ReadOnlySpan<byte> source)
    {
        if (source.IsEmpty)
        {
            return true;
        }

        fixed (byte* local = source)
        {
            Libc.iovec from = new() { iov_base = (nint)local, iov_len = (nuint)source.Length };
            Libc.iovec to = new() { iov_base = (nint)address, iov_len = (nuint)source.Length };
            return Libc.process_vm_writev(ThreadId, &from, 1, &to, 1, 0) == source.Length;
        }
    }

    /// <summary>Copies what a send or write carries.</summary>
    /// <param name="maximum">The most bytes that are taken.</param>
    /// <param name="buffer">Gets the bytes; it is made longer when they do not fit.</param>
    /// <param name="length">How many they are.</param>
    /// <returns>EMSGSIZE when there are more, EFAULT when they cannot be read.</returns>
    public Errno TryGather(int maximum, ref byte[] buffer, out int length)
    {
        const int MaximumVectors = 1024; // UIO_MAXIOV
        length = 0;
        ulong address = Argument(1);
        ulong count = Argument(2);
        if (Number == SystemCallNumbers.SendTo || Number == SystemCallNumbers.Write)
        {
            return Gather([new Libc.iovec { iov_base = (nint)address, iov_len = (nuint)count }], maximum, ref buffer, out length);
        }

        if (Number == SystemCallNumbers.SendMessage)
        {
            if (!TryRead(address, out Libc.msghdr message))
            {
                return Errno.BadAddress;
            }

            address = (ulong)message.msg_iov;
            count = message.msg_iovlen;
        }

        if (count > MaximumVectors)
        {
            return Errno.MessageTooLong;
        }

        Span<Libc.iovec> vectors = stackalloc Libc.iovec[(int)count];
        return TryRead(address, MemoryMarshal.AsBytes(vectors)) ? Gather(vectors, maximum, ref buffer, out length) : Errno.BadAddress;
    }

    /// <summary>Reads the netlink address that bind(2) carries.</summary>
    /// <returns>False when it is none.</returns>
    public bool TryReadAddress(out uint portId, out uint groups)
    {
        bool isRead = TryRead(Argument(1), out Libc.sockaddr_nl address);
        portId = address.nl_pid;
        groups = address.nl_groups;
        return isRead && Argument(2) >= (ulong)sizeof(Libc.sockaddr_nl) && address.nl_family == Libc.AF_NETLINK;
    }

    /// <summary>Writes a netlink address where getsockname(2) wants it, cut to the room there.</summary>
    /// <returns>False when it cannot be written.</returns>
    public bool TryWriteAddress(uint portId)
    {
        Libc.sockaddr_nl name = new() { nl_family = Libc.AF_NETLINK, nl_pid = portId };
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<Libc.sockaddr_nl>(in name));
        int size = bytes.Length;
        return TryRead(Argument(2), out int room)
            && TryWrite(Argument(1), bytes[..Math.Clamp(room, 0, size)])
            && TryWrite(Argument(2), MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in size)));
    }

    /// <summary>The inode of the socket behind one of the program's descriptors; 0 when it is none.</summary>
    public ulong InodeOf(int descriptor)
    {
        // Asked for every call, hence without strings.
        Span<byte> path = stackalloc byte[64], target = stackalloc byte[64];
        if (!Utf8.TryWrite(path, CultureInfo.InvariantCulture, $"/proc/{ThreadId}/fd/{descriptor}\0", out _))
        {
            return 0;
        }

        nint length;
        fixed (byte* name = path)
        {
            fixed (byte* text = target)
            {
                length = Libc.readlink(name, text, (nuint)target.Length);
            }
        }

        ReadOnlySpan<byte> prefix = "socket:["u8;
        return length > prefix.Length && target.StartsWith(prefix) && Utf8Parser.TryParse(target[prefix.Length..(int)length], out ulong inode, out _) ? inode : 0;
    }

    /// <summary>Whether the program is in another network namespace than this process.</summary>
    public bool IsInOtherNamespace() =>
        TryReadLink(string.Create(CultureInfo.InvariantCulture, $"/proc/{ThreadId}/ns/net")) is not { } theirs || theirs != TryReadLink("/proc/self/ns/net");

    /// <summary>Whether the program may change the network (CAP_NET_ADMIN).</summary>
    public bool IsNetworkAdministrator() => ProcessCapabilities.HasNetworkAdministration(ThreadId);

    /// <summary>The lowest descriptor from <paramref name="first"/> on that the program does not use.</summary>
    public int FindFreeDescriptor(int first)
    {
        HashSet<int> used = [];
        try
        {
            foreach (string path in Directory.EnumerateFileSystemEntries(string.Create(CultureInfo.InvariantCulture, $"/proc/{ThreadId}/fd")))
            {
                if (int.TryParse(Path.GetFileName(path.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
                {
                    used.Add(number);
                }
            }
        }
        catch (IOException)
        {
            // The program is gone: whatever is answered, nobody gets it.
        }

        int free = first;
        while (used.Contains(free))
        {
            free++;
        }

        return free;
    }

    /// <summary>The flags of one of the program's descriptors (O_NONBLOCK, O_CLOEXEC).</summary>
    public int FlagsOf(int descriptor)
    {
        try
        {
            foreach (string line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{ThreadId}/fdinfo/{descriptor}")))
            {
                if (line.StartsWith("flags:", StringComparison.Ordinal))
                {
                    return Convert.ToInt32(line[6..].Trim(), 8);
                }
            }
        }
        catch (IOException)
        {
            // The program is gone.
        }

        return 0;
    }

    private Errno Gather(ReadOnlySpan<Libc.iovec> vectors, int maximum, ref byte[] buffer, out int length)
    {
        ulong total = 0;
        foreach (Libc.iovec vector in vectors)
        {
            total += Math.Min(vector.iov_len, (ulong)maximum + 1);
        }

        length = 0;
        if (total > (ulong)maximum)
        {
            return Errno.MessageTooLong;
        }

        if (total == 0)
        {
            return Errno.None;
        }

        length = (int)total;
        if (buffer.Length < length)
        {
            buffer = new byte[Math.Min((int)BitOperations.RoundUpToPowerOf2((uint)length), maximum)];
        }

        fixed (byte* local = buffer)
        {
            fixed (Libc.iovec* remote = vectors)
            {
                Libc.iovec all = new() { iov_base = (nint)local, iov_len = (nuint)length };
                return Libc.process_vm_readv(ThreadId, &all, 1, remote, (nuint)vectors.Length, 0) == length ? Errno.None : Errno.BadAddress;
            }
        }
    }

    private static string? TryReadLink(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }
}
