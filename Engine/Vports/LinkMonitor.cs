using Engine.Netlink;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>Tells of every change of a device in the network namespace in which it was opened: made, renamed, up, down, MTU, deleted, moved away.</summary>
/// <remarks>Threads: one of its own, on which it tells.</remarks>
public sealed class LinkMonitor : IDisposable
{
    private const int LinkGroup = 1; // RTNLGRP_LINK

    // A namespace with thousands of devices may be deleted at once.
    private const int BufferSize = 4 << 20;

    private readonly EventPoll _poll = new();
    private readonly HostNetlinkSocket _socket;
    private readonly Thread _thread;
    private readonly Action<LinkState> _changed;
    private readonly Action _missed;
    private volatile bool _isStopping;

    /// <summary>Starts to listen. Devices that change from now on are told.</summary>
    /// <param name="changed">Gets the device as it is now.</param>
    /// <param name="missed">Called when changes came faster than they were taken: everything may be different.</param>
    /// <exception cref="SystemCallException">The kernel gives no socket.</exception>
    public LinkMonitor(Action<LinkState> changed, Action missed)
    {
        _changed = changed;
        _missed = missed;
        _socket = HostNetlinkSocket.TryOpen(Libc.NETLINK_ROUTE, 0, wantsExtendedAcks: false, isNonBlocking: true)
            ?? throw new SystemCallException("socket NETLINK_ROUTE", Libc.LastErrno);
        _ = _socket.Descriptor.TrySet(Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, BufferSize);
        _socket.Descriptor.Set(Libc.SOL_NETLINK, Libc.NETLINK_ADD_MEMBERSHIP, LinkGroup, "NETLINK_ADD_MEMBERSHIP (RTNLGRP_LINK)");
        _poll.Add(_socket.Descriptor.Number);
        _thread = new Thread(Run) { IsBackground = true, Name = "devices" };
        _thread.Start();
    }

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        if (!_isStopping)
        {
            _isStopping = true;
            _poll.Wake();
            _thread.Join();
            _socket.Dispose();
            _poll.Dispose();
        }
    }

    private void Run()
    {
        List<PollEvent> happened = [];
        byte[] buffer = new byte[1 << 16];
        while (!_isStopping)
        {
            _poll.Wait(happened);
            bool hasMissed = false;
            for (; ; )
            {
                int length = _socket.Receive(buffer);
                if (length >= NetlinkHeader.Size)
                {
                    Tell(buffer.AsSpan(0, length));
                }
                else if (length < 0 && Libc.LastErrno == Errno.NoBuffers)
                {
                    hasMissed = true;
                }
                else
                {
                    break;
                }
            }

            // Last: what still waited is older than what is there now.
            if (hasMissed)
            {
                _missed();
            }
        }
    }

    private void Tell(ReadOnlySpan<byte> datagram)
    {
        foreach (ReadOnlySpan<byte> message in new NetlinkMessages(datagram))
        {
            if (LinkState.TryRead(message, out LinkState? state))
            {
                _changed(state!);
            }
        }
    }
}
