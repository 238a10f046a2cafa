using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Engine.Netlink;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Control;

/// <summary>The programs under one <c>engine exec</c>: takes over their generic netlink and netfilter sockets, call by call.</summary>
/// <remarks>
/// <para>A request is done, and all its answers are in the socket, before the send that carried it returns: Open vSwitch looks for answers without waiting.</para>
/// <para>Receiving and polling are not seen here: the program has a real socket, whose other end is the server's.</para>
/// <para>Threads: one of its own.</para>
/// </remarks>
internal sealed class ExecSession : IDisposable
{
    private const int MaximumRequest = 1 << 20;

    // Open vSwitch sends up to 50 operations at once.
    private const int OrdinaryRequest = 1 << 16;

    // What the kernel puts into one datagram of a dump at most.
    private const int HostBufferSize = 65536;

    private readonly SocketServer _sockets;
    private readonly SeccompListener _listener;
    private readonly PendingCalls _pending;
    private readonly SequencedSocket _keeper;
    private readonly Thread _thread;
    private readonly int _firstDescriptor;
    private readonly byte[] _hostBuffer = new byte[HostBufferSize];
    private byte[] _request = new byte[OrdinaryRequest];

    /// <summary>Takes a listener over.</summary>
    /// <param name="sockets">The server's sockets.</param>
    /// <param name="listener">Where the calls come.</param>
    /// <param name="pending">Where they are noted until they are answered.</param>
    /// <param name="keeper">The <see cref="ExecKeeper"/>, which is told of every socket; who handed the listener over closes it.</param>
    /// <param name="firstDescriptor">The program's netlink sockets get descriptors from here on.</param>
    public ExecSession(SocketServer sockets, SeccompListener listener, PendingCalls pending, SequencedSocket keeper, int firstDescriptor)
    {
        _sockets = sockets;
        _listener = listener;
        _pending = pending;
        _keeper = keeper;
        _firstDescriptor = firstDescriptor;
        _thread = new Thread(Run) { IsBackground = true, Name = "control exec" };
    }

    /// <summary>Begins to serve.</summary>
    public void Start() => _thread.Start();

    /// <summary>Stops serving; the programs' further calls are their keeper's.</summary>
    public void Dispose()
    {
        _listener.Stop();
        _thread.Join();
    }

    private void Run()
    {
        _listener.TakeTurns();
        while (_listener.TryReceive(_pending, 0, out SeccompCall call))
        {
            try
            {
                Serve(in call);
            }
            catch (IOException)
            {
                // Something of /proc or a socket could not be had: the program is gone, or out of resources.
                _listener.Fail(in call, Errno.NoMemory);
            }

            _pending.Clear(0);
        }

        _listener.Dispose();
        _pending.Dispose();
        _sockets.Forget(this);
    }

    private void Serve(in SeccompCall call)
    {
        int number = call.Number;
        if (number == SystemCallNumbers.Socket)
        {
            MakeSocket(in call);
        }
        else if (_sockets.FindByInode(call.InodeOf(call.Descriptor)) is not { } client)
        {
            _listener.Continue(in call);
        }
        else if (number == SystemCallNumbers.Bind)
        {
            Bind(in call, client);
        }
        else if (number == SystemCallNumbers.Connect)
        {
            _listener.Return(in call, 0);
        }
        else if (number == SystemCallNumbers.GetSocketName || number == SystemCallNumbers.GetPeerName)
        {
            Finish(in call, call.TryWriteAddress(number == SystemCallNumbers.GetSocketName ? client.PortId : 0));
        }
        else if (number == SystemCallNumbers.SetSocketOption)
        {
            SetOption(in call, client);
        }
        else if (number == SystemCallNumbers.GetSocketOption)
        {
            GetOption(in call, client);
        }
        else
        {
            Send(in call, client);
        }
    }

    private void Finish(in SeccompCall call, bool isWritten)
    {
        if (isWritten)
        {
            _listener.Return(in call, 0);
        }
        else
        {
            _listener.Fail(in call, Errno.BadAddress);
        }
    }

    private void MakeSocket(in SeccompCall call)
    {
        // A server serves its own network namespace; programs in another one talk to the kernel there.
        if (call.IsInOtherNamespace())
        {
            _listener.Continue(in call);
            return;
        }

        int type = (int)call.Argument(1);
        using SequencedSocket? end = _sockets.TryMakePair(
            (int)call.Argument(2), (type & Libc.SOCK_NONBLOCK) != 0, call.IsNetworkAdministrator(), out SocketClient? client);
        if (end is null)
        {
            _listener.Fail(in call, Errno.NoBuffers);
            return;
        }

        // Told first: the program must not have a socket that ends with the server.
        Describe(client!).TrySend(_keeper, client!.Socket.Descriptor);
        if (!_listener.TryPlace(in call, end.Descriptor, ChooseDescriptor(in call), (type & Libc.SOCK_CLOEXEC) != 0, returnsIt: true))
        {
            _listener.Fail(in call, Errno.TooManyFiles);
        }
    }

    // iptables and the like wait for netfilter sockets by select(2), which ends at 1023.
    private int ChooseDescriptor(in SeccompCall call)
    {
        int number = (int)call.Argument(2) == Libc.NETLINK_NETFILTER ? call.FindFreeDescriptor(SeccompFilter.FirstSelectable) : SeccompFilter.SelectableEnd;
        return number < SeccompFilter.SelectableEnd ? number : call.FindFreeDescriptor(_firstDescriptor);
    }

    private void Send(in SeccompCall call, SocketClient client)
    {
        Errno errno = call.TryGather(MaximumRequest, ref _request, out int length);
        ReadOnlySpan<byte> buffer = _request.AsSpan(0, length);

        // What was read belongs to the caller only if it still waits; a dead one's id may be another's by now.
        if (errno == Errno.None && !_listener.IsWaiting(in call))
        {
            errno = Errno.BadAddress;
        }

        if (errno != Errno.None)
        {
            _listener.Fail(in call, errno);
        }
        else if (!client.HasTalked && IsForHost(client, buffer) && TrySwap(in call, client))
        {
            _listener.Continue(in call);
        }
        else
        {
            HandleAll(client, buffer);
            _listener.Return(in call, buffer.Length);
        }
    }

    // Runs of messages for the server go to it in one piece, others one by one to the kernel.
    private void HandleAll(SocketClient client, ReadOnlySpan<byte> buffer)
    {
        int start = 0;
        NetlinkMessages messages = new(buffer);
        while (messages.MoveNext())
        {
            if (IsForHost(client, messages.Current))
            {
                HandleOwn(client, buffer[start..messages.Start]);
                Ask(client, messages.Current, keepsAll: true);
                start = messages.End;
            }
            else if (client.Protocol == Libc.NETLINK_GENERIC && HostFamilies.IsListed(messages.Current))
            {
                // The host's families first; the server's and the end come with the run.
                HandleOwn(client, buffer[start..messages.Start]);
                Ask(client, messages.Current, keepsAll: false);
                start = messages.Start;
            }
        }

        HandleOwn(client, buffer[start..]);
    }

    private void HandleOwn(SocketClient client, ReadOnlySpan<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return;
        }

        if (!client.HasTalked)
        {
            client.HasTalked = true;
            Tell(client);
        }

        if (client.Protocol == Libc.NETLINK_GENERIC)
        {
            _sockets.Handle(client, buffer);
        }
        else
        {
            EmptyConntrack.Answer(client, buffer);
        }
    }

    // The kernel has answered when its socket has nothing more to read; each answer is handed on, of a list of families those that are the host's alone.
    private void Ask(SocketClient client, ReadOnlySpan<byte> message, bool keepsAll)
    {
        using ThreadCapabilities lowered = client.Lower();
        client.Host ??= HostNetlinkSocket.TryOpen(client.Protocol, client.PortId, client.WantsExtendedAcks, isNonBlocking: false);
        if (client.Host is not { } host || host.Send(message) != Errno.None)
        {
            return;
        }

        while (host.Receive(_hostBuffer) is > 0 and int length)
        {
            int kept = keepsAll ? length : HostFamilies.Keep(_sockets.Server, _hostBuffer.AsSpan(0, length));
            if (kept != 0)
            {
                client.Forward(_hostBuffer.AsSpan(0, kept));
            }
        }
    }

    // Whether a message (the first of a buffer) is for a family or subsystem that the host's kernel serves. What is malformed is not.
    private bool IsForHost(SocketClient client, ReadOnlySpan<byte> buffer)
    {
        NetlinkMessages messages = new(buffer);
        if (!messages.MoveNext())
        {
            return false;
        }

        buffer = messages.Current;
        NetlinkHeader header = NetlinkMessages.HeaderOf(buffer);
        if (client.Protocol == Libc.NETLINK_NETFILTER)
        {
            return !EmptyConntrack.Serves(header.Type);
        }

        if (header.Type < NetlinkHeader.FirstFamilyType)
        {
            return false;
        }

        if (header.Type != ControllerFamily.ControllerId)
        {
            return !_sockets.Server.Serves(header.Type);
        }

        int headers = NetlinkHeader.Size + GenericHeader.Size;
        if (buffer.Length < headers || HostFamilies.IsListed(buffer))
        {
            return false;
        }

        ExtendedAck ignored = default;
        if (ControllerAttributes.TryParse(buffer[headers..], 0, ref ignored, out ControllerAttributes wanted) != Errno.None)
        {
            return false;
        }

        return wanted.HasFamilyName ? !_sockets.Server.Serves(Encoding.UTF8.GetString(wanted.FamilyName))
            : wanted.HasFamilyId && !_sockets.Server.Serves(wanted.FamilyId);
    }

    // A socket that has asked nothing of the server yet becomes a real one, under the same number; the groups are those of bind(2), a bit each from 1 on.
    private bool TrySwap(in SeccompCall call, SocketClient client, uint groups = 0)
    {
        int flags = call.FlagsOf(call.Descriptor);
        using HostNetlinkSocket? host = HostNetlinkSocket.TryOpen(
            client.Protocol, client.PortId, client.WantsExtendedAcks, (flags & Libc.SOCK_NONBLOCK) != 0);
        return host is not null
            && host.TryJoin(groups)
            && _listener.TryPlace(in call, host.Descriptor, call.Descriptor, (flags & Libc.SOCK_CLOEXEC) != 0, returnsIt: false);
    }

    private bool IsOfHost(SocketClient client, uint group) => client.Protocol == Libc.NETLINK_GENERIC && group != 0 && !_sockets.Server.HasGroup(group);

    private void Bind(in SeccompCall call, SocketClient client)
    {
        if (!call.TryReadAddress(out uint portId, out uint groups))
        {
            _listener.Fail(in call, Errno.InvalidArgument);
            return;
        }

        // One that has asked nothing of the server becomes a socket of the host.
        if (groups != 0 && !client.HasTalked && IsOfHost(client, (uint)BitOperations.TrailingZeroCount(groups) + 1) && TrySwap(in call, client, groups))
        {
            _listener.Return(in call, 0);
            return;
        }

        SocketClient? bound = portId == 0 || portId == client.PortId ? client : _sockets.TryRebind(client, portId);
        if (bound is null)
        {
            _listener.Fail(in call, Errno.AddressInUse);
            return;
        }

        for (int i = 0; i < 32; i++)
        {
            uint group = (uint)i + 1;
            if ((groups >> i & 1) == 0)
            {
                continue;
            }

            if (IsOfHost(bound, group))
            {
                _sockets.JoinHost(bound, group, joins: true);
            }
            else
            {
                bound.Join(group);
            }
        }

        Tell(bound);
        _listener.Return(in call, 0);
    }

    // The keeper is told what a server after this one has to know.
    private void Tell(SocketClient client) => Describe(client).TrySend(_keeper, null);

    private ExecMessage Describe(SocketClient client) => new()
    {
        Kind = ExecMessageKind.Socket,
        Protocol = client.Protocol,
        PortId = client.PortId,
        Inode = client.Inode,
        Groups = client.GroupsFrom(_sockets.Server.Options.FirstGroup),
        HostGroups = client.HostGroups,
        Flags = (client.WantsExtendedAcks ? ExecSocketFlags.ExtendedAcks : 0) | (client.WantsShortErrors ? ExecSocketFlags.ShortErrors : 0)
            | (client.IsAdministrator ? ExecSocketFlags.Administrator : 0) | (client.HasTalked ? ExecSocketFlags.HasTalked : 0),
    };

    // Options of the socket itself (buffer sizes, filters) work on the Unix socket as well.
    private void SetOption(in SeccompCall call, SocketClient client)
    {
        if ((int)call.Argument(1) != Libc.SOL_NETLINK)
        {
            _listener.Continue(in call);
            return;
        }

        int option = (int)call.Argument(2);
        if (!call.TryRead(call.Argument(3), out int value))
        {
            _listener.Fail(in call, Errno.BadAddress);
        }
        else if (option is Libc.NETLINK_ADD_MEMBERSHIP or Libc.NETLINK_DROP_MEMBERSHIP && IsOfHost(client, (uint)value))
        {
            SetHostGroup(in call, client, (uint)value, joins: option == Libc.NETLINK_ADD_MEMBERSHIP);
        }
        else
        {
            client.SetOption(option, value);
            Tell(client);
            _listener.Return(in call, 0);
        }
    }

    // One that has asked nothing of the server becomes a socket of the host; others have the notifications handed on.
    private void SetHostGroup(in SeccompCall call, SocketClient client, uint group, bool joins)
    {
        if (joins && !client.HasTalked && TrySwap(in call, client))
        {
            _listener.Continue(in call);
            return;
        }

        Errno errno = _sockets.JoinHost(client, group, joins);
        Tell(client);
        if (errno == Errno.None)
        {
            _listener.Return(in call, 0);
        }
        else
        {
            _listener.Fail(in call, errno);
        }
    }

    private void GetOption(in SeccompCall call, SocketClient client)
    {
        if ((int)call.Argument(1) != Libc.SOL_NETLINK)
        {
            _listener.Continue(in call);
            return;
        }

        int size = sizeof(int);
        int value = client.GetOption((int)call.Argument(2));
        Finish(in call, call.TryWrite(call.Argument(3), MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in value)))
            && call.TryWrite(call.Argument(4), MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in size))));
    }
}
