using System.Globalization;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Control;

/// <summary>Stands by the programs under one <c>engine exec</c>, in a process of its own, for the time when their server is gone.</summary>
/// <remarks>
/// <para>It holds the seccomp listener, without which the kernel would answer ENOSYS, and the server's end of every socket of the programs, so
/// that none is closed. While there is no server it answers calls with ECONNREFUSED; when there is one again, it hands everything
/// over, and the programs go on with the sockets they have.</para>
/// <para>It sleeps while the server lives, and ends with the last program. Threads: one.</para>
/// </remarks>
public sealed class ExecKeeper : IDisposable
{
    private const int RetryMilliseconds = 100;
    private const int AnswerMilliseconds = 5000;
    private const int FirstInherited = 3;

    private readonly string _path;
    private readonly PendingCalls _pending;
    private readonly SeccompListener _listener;
    private readonly int _firstDescriptor;
    private readonly List<(ExecMessage Record, SequencedSocket End)> _sockets = [];
    private readonly byte[] _buffer = new byte[256];
    private SequencedSocket? _server;

    private ExecKeeper(string path, SequencedSocket server, PendingCalls pending, SeccompListener listener, int firstDescriptor)
    {
        _path = path;
        _server = server;
        _pending = pending;
        _listener = listener;
        _firstDescriptor = firstDescriptor;
    }

    /// <summary>Takes from a launcher what is to be kept, and keeps it until the last program has ended.</summary>
    /// <param name="socketPath">Where the server is, and will be again.</param>
    /// <param name="launcher">Descriptor of the socket to the launcher.</param>
    public static void Run(string socketPath, int launcher)
    {
        // Not the terminal's, nor of a pipe whose reader waits for the end of what the program writes.
        _ = Libc.setsid();
        CloseInherited();
        Directory.SetCurrentDirectory("/");
        using ExecKeeper? keeper = TryTakeOver(socketPath, launcher);
        keeper?.Keep();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _server?.Dispose();
        _listener.Dispose();
        _pending.Dispose();
        foreach ((_, SequencedSocket end) in _sockets)
        {
            end.Dispose();
        }
    }

    // What the launcher's caller left open for its program: this process would keep it open after that. The runtime's own are closed on exec.
    private static void CloseInherited()
    {
        const int GetDescriptorFlags = 1; // F_GETFD
        foreach (string path in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            if (int.TryParse(Path.GetFileName(path.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && number >= FirstInherited && Libc.fcntl(number, GetDescriptorFlags, 0) == 0)
            {
                _ = Libc.close(number);
            }
        }
    }

    private static ExecKeeper? TryTakeOver(string socketPath, int launcherNumber)
    {
        using SequencedSocket launcher = SequencedSocket.From(new FileDescriptor(launcherNumber));
        Span<byte> buffer = stackalloc byte[256];
        SequencedSocket? server = null;
        PendingCalls? pending = null;
        while (launcher.Receive(buffer, out FileDescriptor? descriptor) is > 0 and int length && descriptor is not null)
        {
            if (!ExecMessage.TryRead(buffer[..length], out ExecMessage message))
            {
                break;
            }

            switch (message.Kind)
            {
                case ExecMessageKind.Server:
                    server = SequencedSocket.From(descriptor);
                    break;
                case ExecMessageKind.Pending:
                    pending = new PendingCalls(descriptor);
                    break;
                case ExecMessageKind.Listener when server is not null && pending is not null:
                    return new ExecKeeper(socketPath, server, pending, new SeccompListener(descriptor), message.FirstDescriptor);
            }
        }

        // The launcher has failed.
        server?.Dispose();
        pending?.Dispose();
        return null;
    }

    private void Keep()
    {
        while (Wait(out bool serverSpoke, out bool hasCall))
        {
            if (_server is not null)
            {
                if (serverSpoke && !TryTakeNews(_server))
                {
                    Lose();
                }
            }
            else if (!TryReturn() && hasCall)
            {
                Refuse();
            }
        }
    }

    // False when the last program has ended.
    private bool Wait(out bool serverSpoke, out bool hasCall)
    {
        Span<Libc.pollfd> polls = _sockets.Count < 64 ? stackalloc Libc.pollfd[_sockets.Count + 2] : new Libc.pollfd[_sockets.Count + 2];
        polls[0] = new Libc.pollfd { fd = _listener.Descriptor.Number, events = _server is null ? Libc.POLLIN : (short)0 };
        polls[1] = new Libc.pollfd { fd = _server?.Number ?? -1, events = Libc.POLLIN };
        for (int i = 0; i < _sockets.Count; i++)
        {
            polls[i + 2] = new Libc.pollfd { fd = _sockets[i].End.Number };
        }

        DescriptorSet.Wait(polls, _server is null ? RetryMilliseconds : -1);
        serverSpoke = polls[1].revents != 0;
        hasCall = (polls[0].revents & Libc.POLLIN) != 0;
        for (int i = _sockets.Count - 1; i >= 0; i--)
        {
            if ((polls[i + 2].revents & (Libc.POLLHUP | Libc.POLLERR)) != 0)
            {
                // The program has closed it.
                _sockets[i].End.Dispose();
                _sockets.RemoveAt(i);
            }
        }

        return hasCall || (polls[0].revents & (Libc.POLLHUP | Libc.POLLERR)) == 0;
    }

    // A socket that the server has made, or what has changed of one. False when the server is gone.
    private bool TryTakeNews(SequencedSocket server)
    {
        int length = server.Receive(_buffer, out FileDescriptor? descriptor);
        if (length <= 0)
        {
            descriptor?.Dispose();
            return false;
        }

        if (!ExecMessage.TryRead(_buffer.AsSpan(0, length), out ExecMessage record) || record.Kind != ExecMessageKind.Socket)
        {
            descriptor?.Dispose();
            return true;
        }

        if (descriptor is not null)
        {
            _sockets.Add((record, SequencedSocket.From(descriptor)));
            return true;
        }

        int index = _sockets.FindIndex(known => known.Record.Inode == record.Inode);
        if (index >= 0)
        {
            _sockets[index] = (record, _sockets[index].End);
        }

        return true;
    }

    // The server is gone, and with it whoever would have answered what it had received.
    private void Lose()
    {
        _server!.Dispose();
        _server = null;
        for (int slot = 0; slot < PendingCalls.Capacity; slot++)
        {
            if (_pending.TryGet(slot, out SeccompCall call))
            {
                _listener.Fail(in call, Errno.ConnectionRefused);
                _pending.Clear(slot);
            }
        }
    }

    // Hands everything over to a server that is there again.
    private bool TryReturn()
    {
        if (SequencedSocket.TryConnect(_path) is not { } server)
        {
            return false;
        }

        bool isTaken = new ExecMessage { Kind = ExecMessageKind.Pending }.TrySend(server, _pending.Descriptor);
        foreach ((ExecMessage record, SequencedSocket end) in _sockets)
        {
            isTaken = isTaken && record.TrySend(server, end.Descriptor);
        }

        isTaken = isTaken && new ExecMessage { Kind = ExecMessageKind.Listener, FirstDescriptor = _firstDescriptor }.TrySend(server, _listener.Descriptor);
        Span<Libc.pollfd> answer = [new Libc.pollfd { fd = server.Number, events = Libc.POLLIN }];
        DescriptorSet.Wait(answer, isTaken ? AnswerMilliseconds : 0);
        if (isTaken && answer[0].revents != 0 && server.Receive(_buffer, out _) > 0)
        {
            _server = server;
            return true;
        }

        server.Dispose();
        return false;
    }

    private void Refuse()
    {
        if (!_listener.TryTake(_pending, 0, out SeccompCall call))
        {
            return;
        }

        // A program has ordinary descriptors as well, and namespaces that no server serves.
        bool isOurs = call.Number == SystemCallNumbers.Socket ? !call.IsInOtherNamespace() : IsKept(call.InodeOf(call.Descriptor)) && !IsOrdinaryOption(in call);
        if (isOurs)
        {
            _listener.Fail(in call, Errno.ConnectionRefused);
        }
        else
        {
            _listener.Continue(in call);
        }

        _pending.Clear(0);
    }

    private bool IsKept(ulong inode) => inode != 0 && _sockets.Exists(known => known.Record.Inode == inode);

    private static bool IsOrdinaryOption(in SeccompCall call) =>
        (call.Number == SystemCallNumbers.GetSocketOption || call.Number == SystemCallNumbers.SetSocketOption) && (int)call.Argument(1) != Libc.SOL_NETLINK;
}
