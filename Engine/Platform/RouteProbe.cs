using System.Runtime.CompilerServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>Asks the host's routing for the source address and the path MTU to a destination, by connecting UDP sockets that send nothing.</summary>
/// <remarks>Keeps sockets of the namespace in which it was made. Threads: any, one at a time.</remarks>
internal sealed unsafe class RouteProbe : IDisposable
{
    // Any port does: nothing is sent.
    private const ushort DiscardPort = 9;

    private readonly FileDescriptor _ipv4 = FileDescriptor.Socket(Libc.AF_INET, Libc.SOCK_DGRAM, 0);
    private readonly FileDescriptor? _ipv6;

    /// <summary>Opens the sockets. Without IPv6 in the kernel, its destinations have no route.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public RouteProbe()
    {
        int number = Libc.socket(Libc.AF_INET6, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0);
        _ipv6 = number < 0 ? null : new FileDescriptor(number);
    }

    /// <summary>Asks for a destination of IPv4.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="source">The source address; given when not zero, else found.</param>
    /// <param name="mtu">The longest packet of the path as far as it is known.</param>
    /// <returns>ENETUNREACH and the like when there is no route, EADDRNOTAVAIL when the given source is not the host's.</returns>
    public Errno Find(Be32 destination, ref Be32 source, out int mtu)
    {
        Libc.sockaddr_in to = new() { sin_family = Libc.AF_INET, sin_port = new Be16(DiscardPort).Raw, sin_addr = destination.Raw };
        Libc.sockaddr_in from = new() { sin_family = Libc.AF_INET, sin_addr = source.Raw };
        Errno errno = Ask(_ipv4, Libc.AF_INET, &to, &from, sizeof(Libc.sockaddr_in), source.Raw != 0, Libc.IPPROTO_IP, Libc.IP_MTU, out mtu);
        source = Be32.FromRaw(from.sin_addr);
        return errno;
    }

    /// <summary><see cref="Find(Be32, ref Be32, out int)"/> of IPv6.</summary>
    public Errno Find(in Ipv6Address destination, ref Ipv6Address source, out int mtu)
    {
        mtu = 0;
        if (_ipv6 is null)
        {
            return Errno.AddressFamilyNotSupported;
        }

        Libc.sockaddr_in6 to = new() { sin6_family = Libc.AF_INET6, sin6_port = new Be16(DiscardPort).Raw };
        Libc.sockaddr_in6 from = new() { sin6_family = Libc.AF_INET6 };
        Unsafe.WriteUnaligned(to.sin6_addr, destination);
        Unsafe.WriteUnaligned(from.sin6_addr, source);
        Errno errno = Ask(_ipv6, Libc.AF_INET6, &to, &from, sizeof(Libc.sockaddr_in6), !source.IsZero, Libc.IPPROTO_IPV6, Libc.IPV6_MTU, out mtu);
        source = Unsafe.ReadUnaligned<Ipv6Address>(from.sin6_addr);
        return errno;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ipv4.Dispose();
        _ipv6?.Dispose();
    }

    private static Errno Ask(FileDescriptor shared, int family, void* to, void* from, int size, bool isGiven, int level, int option, out int mtu)
    {
        mtu = 0;

        // A socket that is bound stays so: a given source takes a socket of its own. This may be a worker, so there is no exception when there is none.
        using FileDescriptor? own = isGiven ? new FileDescriptor(Libc.socket(family, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0)) : null;
        FileDescriptor socket = own ?? shared;
        if (own is null)
        {
            // What an earlier destination left, its source above all, must not speak for this one.
            Libc.sockaddr_in6 none = new() { sin6_family = Libc.AF_UNSPEC };
            _ = Libc.connect(socket.Number, &none, (uint)sizeof(Libc.sockaddr_in6));
        }
        else if (own.IsInvalid || Libc.bind(socket.Number, from, (uint)size) < 0)
        {
            return Libc.LastErrno;
        }

        uint length = (uint)size;
        if (Libc.connect(socket.Number, to, (uint)size) < 0 || Libc.getsockname(socket.Number, from, &length) < 0)
        {
            return Libc.LastErrno;
        }

        return socket.TryGet(level, option, out mtu);
    }
}
