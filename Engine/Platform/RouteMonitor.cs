namespace Engine.Platform;

/// <summary>Tells whether routes, addresses or links of a network namespace have changed, by rtnetlink's notifications.</summary>
/// <remarks>Threads: any; several at once only make it look more often.</remarks>
internal sealed unsafe class RouteMonitor : IDisposable
{
    // RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE
    private const uint Groups = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

    // How often the kernel is asked at most; notifications need not be read any faster.
    private const int IntervalMs = 10;

    // Path MTUs that the host has learned are not notified, so everything is asked again now and then.
    private const int ExpiryMs = 1000;

    private readonly FileDescriptor _socket;
    private long _nextLook;
    private long _nextExpiry;
    private int _generation = 1;

    /// <summary>Listens in the network namespace of the calling thread.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public RouteMonitor()
    {
        const int NetlinkRoute = 0;
        _socket = FileDescriptor.Socket(Libc.AF_NETLINK, Libc.SOCK_RAW, NetlinkRoute);
        Libc.sockaddr_nl address = new() { nl_family = Libc.AF_NETLINK, nl_groups = Groups };
        int result = Libc.bind(_socket.Number, &address, (uint)sizeof(Libc.sockaddr_nl));
        if (result < 0)
        {
            SystemCallException exception = new("bind NETLINK_ROUTE", Libc.LastErrno);
            _socket.Dispose();
            throw exception;
        }
    }

    /// <summary>A number that is another one once something has changed.</summary>
    /// <param name="now">Milliseconds of the monotonic clock.</param>
    public int GenerationAt(long now)
    {
        if (now >= Volatile.Read(ref _nextLook))
        {
            Look(now);
        }

        return Volatile.Read(ref _generation);
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private void Look(long now)
    {
        Volatile.Write(ref _nextLook, now + IntervalMs);
        bool hasChanged = now >= Volatile.Read(ref _nextExpiry);

        // What a notification says does not matter. ENOBUFS, some were lost, is one too.
        byte ignored;
        while (Libc.recv(_socket.Number, &ignored, 1, Libc.MSG_DONTWAIT) >= 0 || Libc.LastErrno == Primitives.Errno.NoBuffers)
        {
            hasChanged = true;
        }

        if (hasChanged)
        {
            Volatile.Write(ref _nextExpiry, now + ExpiryMs);
            Interlocked.Increment(ref _generation);
        }
    }
}
