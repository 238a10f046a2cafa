using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Engine.Netlink;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Control;

/// <summary>The Unix socket at which control programs reach the server: those that connect themselves, and those that <c>engine exec</c> hands over.</summary>
/// <remarks>
/// <para>One datagram is one netlink buffer. A datagram that carries a descriptor hands over a seccomp listener, and says from which
/// descriptor on its programs' calls come; the server answers <c>ready</c>.</para>
/// <para>A client's options are set by messages of type <see cref="OptionMessage"/>: <c>int option, int value</c> as setsockopt(2) at SOL_NETLINK takes them.</para>
/// <para>Threads: one of its own for the sockets, and one for each listener that was handed over.</para>
/// </remarks>
public sealed class SocketServer : IDisposable
{
    /// <summary>Where the socket is unless it is told otherwise.</summary>
    public const string DefaultPath = "/run/engine/control.sock";

    /// <summary>Bytes of the longest path that a socket can have.</summary>
    public const int MaximumPathLength = SequencedSocket.MaximumPathLength;

    /// <summary>Type of the message that sets an option; the kernel leaves it unused.</summary>
    public const ushort OptionMessage = 0xf;

    // The kernel takes a netlink buffer as long as the sender's buffer allows; programs stay far below.
    private const int ReceiveBufferSize = 1 << 20;

    // 0660: only the owner and the group may open it.
    private const uint OwnerAndGroup = 0x1b0;

    private readonly string _path;
    private readonly SequencedSocket _listener;
    private readonly EventPoll _poll = new();
    private readonly Thread _thread;
    private readonly ConcurrentDictionary<int, SocketClient> _byDescriptor = new();
    private readonly ConcurrentDictionary<ulong, SocketClient> _byInode = new();

    // By the descriptors of their Notices.
    private readonly ConcurrentDictionary<int, SocketClient> _byNotices = new();
    private readonly ConcurrentDictionary<ExecSession, bool> _sessions = new();
    private readonly byte[] _buffer = new byte[ReceiveBufferSize];

    // Another start every time: programs that have outlived an earlier server bring their port ids with them.
    private int _nextPortId = 0x4000_0000 + Random.Shared.Next(0x2000_0000);

    private volatile bool _isStopping;

    /// <summary>Opens the socket and serves it.</summary>
    /// <param name="server">Answers the requests.</param>
    /// <param name="path">Where the socket is; one that is left over there is removed. Only its owner and group may open it.</param>
    /// <exception cref="SystemCallException">The socket could not be opened.</exception>
    public SocketServer(ControlServer server, string path = DefaultPath)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentException.ThrowIfNullOrEmpty(path);
        Server = server;
        _path = path;
        _listener = SequencedSocket.Listen(path, OwnerAndGroup);
        _poll.Add(_listener.Number);
        _thread = new Thread(Run) { IsBackground = true, Name = "control sockets" };
        _thread.Start();
    }

    /// <summary>Clients that are connected.</summary>
    public int ClientCount => _byDescriptor.Count;

    internal ControlServer Server { get; }

    /// <summary>Stops serving and closes all clients.</summary>
    public void Dispose()
    {
        if (_isStopping)
        {
            return;
        }

        _isStopping = true;
        _poll.Wake();
        _thread.Join();
        foreach (ExecSession session in _sessions.Keys)
        {
            session.Dispose();
        }

        foreach (SocketClient client in _byDescriptor.Values)
        {
            Close(client);
        }

        _listener.Dispose();
        _poll.Dispose();
        File.Delete(_path);
    }

    /// <summary>The client whose other end is this socket, or null.</summary>
    internal SocketClient? FindByInode(ulong inode) => inode == 0 ? null : _byInode.GetValueOrDefault(inode);

    /// <summary>A new client, and the socket for its program.</summary>
    /// <param name="protocol">NETLINK_GENERIC or NETLINK_NETFILTER.</param>
    /// <param name="isNonBlocking">Whether the program's end does not block.</param>
    /// <param name="isAdministrator">Whether the program may change anything.</param>
    /// <param name="client">The client.</param>
    /// <returns>The program's end, which the caller closes when the program has it; null when there are no resources.</returns>
    internal SequencedSocket? TryMakePair(int protocol, bool isNonBlocking, bool isAdministrator, out SocketClient? client)
    {
        client = null;
        if (SequencedSocket.TryNetlinkPair(isNonBlocking, out SequencedSocket? programEnd) is not { } ours)
        {
            return null;
        }

        ulong inode = programEnd!.ReadInode();
        do
        {
            client = new SocketClient(NextPortId(), ours) { Inode = inode, Protocol = protocol, IsAdministrator = isAdministrator };
        }
        while (!TryStart(client));

        return programEnd;
    }

    /// <summary>Gives a client another port id, as bind(2) asks; it has to be unused.</summary>
    /// <returns>The client under its new port id, or null when it is taken.</returns>
    internal SocketClient? TryRebind(SocketClient client, uint portId)
    {
        SocketClient renamed = new(portId, client.Socket)
        {
            Inode = client.Inode,
            Protocol = client.Protocol,
            IsAdministrator = client.IsAdministrator,
            WantsExtendedAcks = client.WantsExtendedAcks,
            WantsShortErrors = client.WantsShortErrors,
            HasTalked = client.HasTalked,
            Host = client.Host,
            Notices = client.Notices,
            HostGroups = client.HostGroups,
        };
        if (!Server.TryAdd(renamed))
        {
            return null;
        }

        if (renamed.Notices is { } notices)
        {
            _byNotices[notices.Descriptor.Number] = renamed;
        }

        Server.Remove(client);
        _byInode[renamed.Inode] = renamed;
        _byDescriptor[renamed.Socket.Number] = renamed;
        return renamed;
    }

    /// <summary>Does what a client asks, and sees to the rest of a long dump.</summary>
    internal void Handle(SocketClient client, ReadOnlySpan<byte> buffer)
    {
        Server.Handle(client, buffer);
        if (client.IsDumping)
        {
            _poll.Change(client.Socket.Number, writes: true);
        }
    }

    /// <summary>Has a client get the notifications of a group of the host, or no more.</summary>
    /// <returns>What the kernel says.</returns>
    internal Errno JoinHost(SocketClient client, uint group, bool joins)
    {
        using ThreadCapabilities lowered = client.Lower();
        if (client.Notices is not { } notices)
        {
            if (HostNetlinkSocket.TryOpen(client.Protocol, 0, wantsExtendedAcks: false, isNonBlocking: true) is not { } opened)
            {
                return Errno.NoBuffers;
            }

            client.Notices = notices = opened;
            _byNotices[notices.Descriptor.Number] = client;
            _poll.Add(notices.Descriptor.Number);
        }

        Errno errno = notices.Join(group, joins);
        if (errno == Errno.None && group is > 0 and <= 64)
        {
            ulong bit = 1ul << (int)(group - 1);
            client.HostGroups = joins ? client.HostGroups | bit : client.HostGroups & ~bit;
        }

        return errno;
    }

    /// <summary>A session has ended: all its programs have.</summary>
    internal void Forget(ExecSession session) => _sessions.TryRemove(session, out _);

    private uint NextPortId() => (uint)Interlocked.Increment(ref _nextPortId);

    // False when another client, kept from an earlier server, has the port id.
    private bool TryStart(SocketClient client)
    {
        if (!Server.TryAdd(client))
        {
            return false;
        }

        client.SetBuffer();
        _byDescriptor[client.Socket.Number] = client;
        if (client.Inode != 0)
        {
            _byInode[client.Inode] = client;
        }

        _poll.Add(client.Socket.Number);
        return true;
    }

    private void Close(SocketClient client)
    {
        // A keeper may hold the same socket: closing this descriptor alone would not end the watching.
        _poll.Remove(client.Socket.Number);
        _byDescriptor.TryRemove(client.Socket.Number, out _);
        if (client.Notices is { } notices)
        {
            _poll.Remove(notices.Descriptor.Number);
            _byNotices.TryRemove(notices.Descriptor.Number, out _);
        }

        if (client.Inode != 0)
        {
            _byInode.TryRemove(client.Inode, out _);
        }

        Server.Remove(client);
        client.Dispose();
    }

    private void Run()
    {
        List<PollEvent> happened = [];
        while (!_isStopping)
        {
            _poll.Wait(happened);
            foreach (PollEvent item in happened)
            {
                if (item.Descriptor == _listener.Number)
                {
                    Accept();
                }
                else if (_byDescriptor.TryGetValue(item.Descriptor, out SocketClient? client))
                {
                    TryServe(client, item);
                }
                else if (_byNotices.TryGetValue(item.Descriptor, out client))
                {
                    Notify(client);
                }
            }
        }
    }

    // What the host's kernel tells the groups that a program has joined.
    private void Notify(SocketClient client)
    {
        while (client.Notices is { } notices && notices.Receive(_buffer) is > 0 and int length)
        {
            client.Forward(_buffer.AsSpan(0, length));
        }
    }

    private void Accept()
    {
        if (_listener.TryAccept(out int processId) is { } socket)
        {
            bool isAdministrator = ProcessCapabilities.HasNetworkAdministration(processId);
            while (!TryStart(new SocketClient(NextPortId(), socket) { IsAdministrator = isAdministrator }))
            {
            }
        }
        else
        {
            // Gone again, or there are no descriptors: then it waits, and the others are served meanwhile.
            Thread.Sleep(1);
        }
    }

    private void TryServe(SocketClient client, PollEvent item)
    {
        try
        {
            Serve(client, item);
        }
        catch (IOException)
        {
            // What it has handed over could not be mapped or opened: it is let go, and finds its engine gone.
            Close(client);
        }
    }

    private void Serve(SocketClient client, PollEvent item)
    {
        if (item.CanWrite)
        {
            Server.Continue(client);
            if (!client.IsDumping)
            {
                _poll.Change(client.Socket.Number, writes: false);
            }
        }

        if (item.CanRead && Receive(client))
        {
            return;
        }

        if (item.IsClosed)
        {
            Close(client);
        }
    }

    // What a launcher or a keeper hands over, one after the other; the listener comes last.
    private void TakeOver(SocketClient client, ReadOnlySpan<byte> buffer, FileDescriptor handedOver)
    {
        _ = ExecMessage.TryRead(buffer, out ExecMessage message);
        switch (message.Kind)
        {
            case ExecMessageKind.Pending when client.Pending is null:
                client.Pending = new PendingCalls(handedOver);
                break;
            case ExecMessageKind.Socket:
                Adopt(client, in message, handedOver);
                break;
            case ExecMessageKind.Listener when client.Pending is { } pending:
                // Its programs are served from now on, and it is told so.
                client.Pending = null;
                ExecSession session = new(this, new SeccompListener(handedOver), pending, client.Socket, message.FirstDescriptor);
                _sessions[session] = true;
                client.Forward("ready"u8);
                session.Start();
                break;
            default:
                handedOver.Dispose();
                break;
        }
    }

    // A program's socket that has outlived an earlier server: it goes on under the same port id. It may do no more than its keeper.
    private void Adopt(SocketClient keeper, in ExecMessage message, FileDescriptor end)
    {
        if (!SequencedSocket.Is(end) || FindByInode(message.Inode) is not null)
        {
            end.Dispose();
            return;
        }

        SocketClient client = new(message.PortId, SequencedSocket.From(end))
        {
            Inode = message.Inode,
            Protocol = message.Protocol,
            IsAdministrator = keeper.IsAdministrator && (message.Flags & ExecSocketFlags.Administrator) != 0,
            WantsExtendedAcks = (message.Flags & ExecSocketFlags.ExtendedAcks) != 0,
            WantsShortErrors = (message.Flags & ExecSocketFlags.ShortErrors) != 0,
            HasTalked = (message.Flags & ExecSocketFlags.HasTalked) != 0,
        };
        for (int i = 0; i < 64; i++)
        {
            if ((message.Groups >> i & 1) != 0)
            {
                client.Join(Server.Options.FirstGroup + (uint)i);
            }
        }

        if (!TryStart(client))
        {
            client.Dispose();
            return;
        }

        for (uint group = 1; group <= 64; group++)
        {
            if ((message.HostGroups >> (int)(group - 1) & 1) != 0)
            {
                JoinHost(client, group, joins: true);
            }
        }
    }

    // Takes one datagram; false when there is none.
    private bool Receive(SocketClient client)
    {
        int length = client.Socket.Receive(_buffer, out FileDescriptor? handedOver);
        if (length <= 0)
        {
            handedOver?.Dispose();
            return false;
        }

        ReadOnlySpan<byte> buffer = _buffer.AsSpan(0, length);
        if (handedOver is not null)
        {
            // Who has connected; the programs' own sockets carry netlink alone.
            if (client.Inode == 0)
            {
                TakeOver(client, buffer, handedOver);
            }
            else
            {
                handedOver.Dispose();
            }
        }
        else if (length >= NetlinkHeader.Size + (2 * sizeof(int)) && MemoryMarshal.Read<NetlinkHeader>(buffer).Type == OptionMessage)
        {
            ReadOnlySpan<int> words = MemoryMarshal.Cast<byte, int>(buffer[NetlinkHeader.Size..]);
            client.SetOption(words[0], words[1]);
        }
        else
        {
            Handle(client, buffer);
        }

        return true;
    }
}
