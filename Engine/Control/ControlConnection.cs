using System.Runtime.InteropServices;
using System.Text;
using Engine.Netlink;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Control;

/// <summary>A control program's end of the talk with a server: one request at a time, and what it gives.</summary>
/// <remarks>
/// <para>A request is begun with <see cref="Begin"/>, filled with attributes, and sent with <see cref="Transact"/> or <see cref="Dump"/>.</para>
/// <para>Threads: one at a time.</para>
/// </remarks>
public abstract class ControlConnection : IDisposable
{
    // Three nested attributes of at most 64 KiB each.
    private const int RequestSize = 1 << 18;

    private const byte GetFamily = 3;

    private readonly byte[] _request = new byte[RequestSize];
    private readonly Dictionary<string, (ushort Id, byte Version, int HeaderSize)> _families = new()
    {
        ["nlctrl"] = (ControllerFamily.ControllerId, 2, 0),
    };

    private uint _sequence;

    private protected ControlConnection()
    {
    }

    /// <summary>What the server said beyond the errno of the last request (its extended ack), or null.</summary>
    public string? Reason { get; private set; }

    /// <summary>Connects to the socket of an engine.</summary>
    /// <param name="path">The socket.</param>
    /// <param name="timeoutMs">Milliseconds to wait for an answer at most, after which ETIMEDOUT is thrown; 0 to wait for ever.</param>
    /// <exception cref="SystemCallException">Nobody serves it.</exception>
    public static ControlConnection Open(string path, int timeoutMs = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(timeoutMs);
        SequencedSocket socket = SequencedSocket.Connect(path);
        socket.SetReceiveTimeout(timeoutMs);
        SocketConnection connection = new(socket);
        connection.SetOption(Libc.NETLINK_EXT_ACK);
        connection.SetOption(Libc.NETLINK_CAP_ACK);
        return connection;
    }

    /// <summary>Talks to a server of this process, with every right.</summary>
    public static ControlConnection To(ControlServer server) => new DirectConnection(server);

    /// <summary>Begins a request; there is one at a time.</summary>
    /// <param name="family">Name of the family.</param>
    /// <param name="command">Number of the command.</param>
    /// <param name="ifindex">Index of the datapath's local device; 0 for none. Left out in families without datapaths.</param>
    /// <returns>A writer for the attributes.</returns>
    /// <exception cref="SystemCallException">The server has no such family, or has gone.</exception>
    public NetlinkWriter Begin(string family, byte command, int ifindex = 0)
    {
        if (!_families.TryGetValue(family, out (ushort Id, byte Version, int HeaderSize) known))
        {
            _families[family] = known = Find(family);
        }

        NetlinkWriter writer = new(_request);
        writer.BeginMessage(new NetlinkHeader { Type = known.Id });
        GenericHeader generic = new() { Command = command, Version = known.Version };
        writer.PutRaw(MemoryMarshal.AsBytes(new ReadOnlySpan<GenericHeader>(in generic)));
        if (known.HeaderSize != 0)
        {
            writer.PutRaw(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in ifindex)));
        }

        return writer;
    }

    /// <summary>Sends the request and waits for its end.</summary>
    /// <param name="request">What <see cref="Begin"/> gave, with the attributes.</param>
    /// <param name="reply">The message that came before the end: what was asked for, made, changed or removed; empty when there was none.</param>
    /// <param name="flags">More <see cref="NetlinkFlags"/> for the request.</param>
    /// <returns>The errno of the server.</returns>
    /// <exception cref="SystemCallException">The server has gone.</exception>
    public Errno Transact(ref NetlinkWriter request, out ReadOnlyMemory<byte> reply, ushort flags = 0)
    {
        ReadOnlyMemory<byte> last = default;
        Errno errno = Exchange(ref request, (ushort)(NetlinkFlags.Request | NetlinkFlags.Ack | NetlinkFlags.Echo | flags), message => last = message.ToArray());
        reply = last;
        return errno;
    }

    /// <summary>Sends the request for a list and waits for all of it.</summary>
    /// <param name="request">What <see cref="Begin"/> gave, with the attributes.</param>
    /// <param name="item">Gets each message, headers included; the bytes are valid during the call.</param>
    /// <returns>The errno of the server.</returns>
    /// <exception cref="SystemCallException">The server has gone.</exception>
    public Errno Dump(ref NetlinkWriter request, Action<ReadOnlySpan<byte>> item) =>
        Exchange(ref request, NetlinkFlags.Request | NetlinkFlags.Dump, item);

    /// <summary>Ends the talk.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    private protected abstract void Send(ReadOnlySpan<byte> datagram);

    /// <summary>Waits for the next datagram.</summary>
    private protected abstract ReadOnlySpan<byte> Receive();

    /// <summary>Closes what it has.</summary>
    private protected abstract void Dispose(bool disposing);

    private static Errno ReadResult(ReadOnlySpan<byte> payload) => (Errno)(-MemoryMarshal.Read<int>(payload));

    private Errno Exchange(ref NetlinkWriter request, ushort flags, Action<ReadOnlySpan<byte>> item)
    {
        if (request.Overflowed)
        {
            return Errno.MessageTooLong;
        }

        request.EndMessage(0);
        ref NetlinkHeader header = ref MemoryMarshal.AsRef<NetlinkHeader>(_request.AsSpan());
        header.Flags = flags;
        header.Sequence = ++_sequence;
        Reason = null;
        Send(request.Written);
        while (true)
        {
            foreach (ReadOnlySpan<byte> message in new NetlinkMessages(Receive()))
            {
                NetlinkHeader got = NetlinkMessages.HeaderOf(message);
                if (got.Sequence != _sequence)
                {
                    continue;
                }

                switch (got.Type)
                {
                    case NetlinkHeader.ErrorType:
                        Reason = got.Has(NetlinkFlags.AckAttributes) ? ReadReason(message) : null;
                        return ReadResult(message[NetlinkHeader.Size..]);
                    case NetlinkHeader.DoneType:
                        return ReadResult(message[NetlinkHeader.Size..]);
                    default:
                        item(message);
                        break;
                }
            }
        }
    }

    // NLMSGERR_ATTR_MSG behind the errno and the header of the request, to which it is cut.
    private static string? ReadReason(ReadOnlySpan<byte> message)
    {
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(message[(NetlinkHeader.Size + sizeof(int) + NetlinkHeader.Size)..]))
        {
            if (attribute.Type == 1)
            {
                return Encoding.UTF8.GetString(attribute.Text);
            }
        }

        return null;
    }

    private (ushort Id, byte Version, int HeaderSize) Find(string family)
    {
        NetlinkWriter request = Begin("nlctrl", GetFamily);
        request.PutControllerFamilyName(family);
        Errno errno = Transact(ref request, out ReadOnlyMemory<byte> reply);
        if (errno != Errno.None)
        {
            throw new SystemCallException($"netlink family {family}", errno);
        }

        ExtendedAck ignored = default;
        _ = ControllerAttributes.TryParse(reply.Span[(NetlinkHeader.Size + GenericHeader.Size)..], 0, ref ignored, out ControllerAttributes found);
        return (found.FamilyId, (byte)found.Version, (int)found.HeaderSize);
    }

    private sealed class SocketConnection(SequencedSocket socket) : ControlConnection
    {
        // Longer than any datagram of a dump and any error.
        private readonly byte[] _buffer = new byte[RequestSize];

        public void SetOption(int option)
        {
            Span<int> message = stackalloc int[6];
            MemoryMarshal.AsRef<NetlinkHeader>(MemoryMarshal.AsBytes(message)) = new NetlinkHeader { Length = 24, Type = SocketServer.OptionMessage };
            message[4] = option;
            message[5] = 1;
            Send(MemoryMarshal.AsBytes(message));
        }

        private protected override void Send(ReadOnlySpan<byte> datagram)
        {
            if (!socket.TrySend(datagram))
            {
                throw new SystemCallException("send to the engine", Errno.ConnectionRefused);
            }
        }

        private protected override ReadOnlySpan<byte> Receive()
        {
            int length;
            do
            {
                length = socket.Receive(_buffer, out FileDescriptor? descriptor);
                descriptor?.Dispose();
            }
            while (length < 0 && Libc.LastErrno == Errno.Interrupted);
            if (length <= 0)
            {
                bool isLate = length < 0 && Libc.LastErrno == Errno.TryAgain;
                throw new SystemCallException("receive from the engine", isLate ? Errno.TimedOut : Errno.ConnectionRefused);
            }

            return _buffer.AsSpan(0, length);
        }

        private protected override void Dispose(bool disposing) => socket.Dispose();
    }

    private sealed class DirectConnection(ControlServer server) : ControlConnection
    {
        private readonly Client _client = new();

        private protected override void Send(ReadOnlySpan<byte> datagram) => server.Handle(_client, datagram);

        // The server has answered in full when Handle returns.
        private protected override ReadOnlySpan<byte> Receive() => _client.Answers.Dequeue();

        private protected override void Dispose(bool disposing)
        {
        }

        private sealed class Client : ControlClient
        {
            public Client()
                : base(portId: 0)
            {
                WantsExtendedAcks = true;
                WantsShortErrors = true;
            }

            public Queue<byte[]> Answers { get; } = new();

            protected override bool TrySend(ReadOnlySpan<byte> datagram)
            {
                Answers.Enqueue(datagram.ToArray());
                return true;
            }
        }
    }
}
