using Engine.Platform;

namespace Engine.Control;

/// <summary>A client at the other end of a Unix socket: one datagram is one netlink buffer.</summary>
/// <remarks>Threads: as <see cref="ControlClient"/>. A client that does not read loses what does not fit its socket's buffer.</remarks>
internal sealed class SocketClient(uint portId, SequencedSocket socket) : ControlClient(portId), IDisposable
{
    // Enough for the upcalls of a busy moment and the largest datagram of a dump several times over.
    private const int BufferSize = 8 << 20;

    // A dump of some 500,000 flows. What is longer is made while the client reads.
    private const int DumpBufferSize = 256 << 20;

    private int _dumpRoom = BufferSize;

    /// <summary>This end of the socket.</summary>
    public SequencedSocket Socket { get; } = socket;

    /// <summary>Inode of the end that a program under <c>engine exec</c> holds; 0 for a client that has connected itself.</summary>
    public ulong Inode { get; init; }

    /// <summary>NETLINK_GENERIC or NETLINK_NETFILTER.</summary>
    public int Protocol { get; init; } = Libc.NETLINK_GENERIC;

    /// <summary>Whether a family of the server was asked for something: from then on the socket stays the server's.</summary>
    public bool HasTalked { get; set; }

    /// <summary>What a launcher or keeper has handed over for its listener, which comes last.</summary>
    public PendingCalls? Pending { get; set; }

    /// <summary>The real netlink socket that requests for other families go through, or null.</summary>
    public HostNetlinkSocket? Host { get; set; }

    /// <summary>The real netlink socket that is a member of groups of the host, or null. Its notifications are handed on.</summary>
    public HostNetlinkSocket? Notices { get; set; }

    /// <summary>The groups of the host it has joined, a bit each from 1 on, as far as they go.</summary>
    public ulong HostGroups { get; set; }

    /// <summary>Sets an option of SOL_NETLINK; those that mean nothing here are taken and forgotten.</summary>
    public void SetOption(int option, int value)
    {
        switch (option)
        {
            case Libc.NETLINK_ADD_MEMBERSHIP:
                Join((uint)value);
                break;
            case Libc.NETLINK_DROP_MEMBERSHIP:
                Leave((uint)value);
                break;
            case Libc.NETLINK_CAP_ACK:
                WantsShortErrors = value != 0;
                break;
            case Libc.NETLINK_EXT_ACK:
                WantsExtendedAcks = value != 0;
                break;
        }
    }

    /// <summary>Reads an option of SOL_NETLINK.</summary>
    public int GetOption(int option) => option switch
    {
        Libc.NETLINK_EXT_ACK => WantsExtendedAcks ? 1 : 0,
        Libc.NETLINK_CAP_ACK => WantsShortErrors ? 1 : 0,
        _ => 0,
    };

    /// <summary>Makes room for what the client does not read at once.</summary>
    public void SetBuffer() => Socket.SetSendBuffer(BufferSize);

    /// <summary>Lets the calling thread do no more with the host than the client may, until the result is disposed: the kernel asks who opens a socket and who sends.</summary>
    public ThreadCapabilities Lower() => IsAdministrator ? default : ThreadCapabilities.WithoutNetworkAdministration();

    /// <summary>Hands a datagram on that is no answer of the server's families.</summary>
    public void Forward(ReadOnlySpan<byte> datagram) => Send(datagram);

    /// <inheritdoc/>
    public void Dispose()
    {
        Host?.Dispose();
        Notices?.Dispose();
        Pending?.Dispose();
        Socket.Dispose();
    }

    /// <inheritdoc/>
    /// <remarks>Open vSwitch takes a dump that has nothing to read for ended, since the kernel makes the rest of it in the very call that reads. So a
    /// whole dump has to wait in the socket. Only one may: whoever has not read the last gets no more room for the next.</remarks>
    internal override void PrepareForDump(bool begins)
    {
        if (begins)
        {
            _dumpRoom = Socket.CountUnread() < BufferSize ? DumpBufferSize : BufferSize;
        }
        else
        {
            SetBuffer();
        }
    }

    /// <inheritdoc/>
    internal override bool TrySendDump(ReadOnlySpan<byte> datagram)
    {
        if (TrySend(datagram))
        {
            return true;
        }

        if (_dumpRoom == BufferSize)
        {
            return false;
        }

        Socket.SetSendBuffer(_dumpRoom);
        _dumpRoom = BufferSize;
        return TrySend(datagram);
    }

    /// <inheritdoc/>
    protected override bool TrySend(ReadOnlySpan<byte> datagram) => Socket.TrySend(datagram);
}
