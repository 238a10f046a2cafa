using System.Net;
using System.Runtime.CompilerServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>An AF_PACKET socket on one device: a TPACKET_V2 receive ring and batched sends, both with virtio_net headers.</summary>
/// <remarks>
/// <para>The ring is version 2 because it hands over each frame when it arrives. Version 3 hands over blocks, when one is full
/// or after a millisecond at the least, and that millisecond is in every round trip.</para>
/// <para>Version 2 wants one slot size for all. Slots hold an ordinary frame; a longer one (a GSO frame of 64 KiB) is cut off in
/// its slot and marked, and its whole waits in the socket's queue (PACKET_COPY_THRESH): one copy from there into the packet.</para>
/// <para>Threads: one thread receives and sends.</para>
/// </remarks>
internal sealed unsafe class PacketSocket : IDisposable
{
    /// <summary>Bytes of a virtio_net header, which stands before the frame in both directions.</summary>
    public const int OffloadHeaderSize = 10;

    // Room in the socket's queue for frames longer than a slot, and for frames on their way out.
    private const int BufferSize = 32 << 20;

    private readonly FileDescriptor _socket;
    private readonly MemoryMapping _ring;
    private readonly byte* _slots;
    private readonly int _slotSize;
    private readonly uint _slotMask;
    private uint _next;

    /// <summary>Opens the socket on a device of the calling thread's network namespace. Frames come in from now on.</summary>
    /// <param name="interfaceIndex">The device.</param>
    /// <param name="slotSize">Bytes of a ring slot, a power of two of at least 2,048.</param>
    /// <param name="slotCount">Slots of the ring, a power of two of at least 64.</param>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public PacketSocket(int interfaceIndex, int slotSize, int slotCount)
    {
        _slotSize = slotSize;
        _slotMask = (uint)slotCount - 1;

        // Protocol 0: nothing is captured before the socket is bound to its device.
        _socket = FileDescriptor.Socket(Libc.AF_PACKET, Libc.SOCK_RAW, 0);
        try
        {
            _socket.Set(Libc.SOL_PACKET, Libc.PACKET_VERSION, Libc.TPACKET_V2, "PACKET_VERSION");
            SetUp(_socket);
            _socket.Set(Libc.SOL_PACKET, Libc.PACKET_COPY_THRESH, 1, "PACKET_COPY_THRESH");

            const int BlockSize = 1 << 16;
            int blockSize = Math.Max(BlockSize, slotSize);
            Libc.tpacket_req request = new()
            {
                tp_block_size = (uint)blockSize,
                tp_block_nr = (uint)((long)slotSize * slotCount / blockSize),
                tp_frame_size = (uint)slotSize,
                tp_frame_nr = (uint)slotCount,
            };
            _socket.Set(Libc.SOL_PACKET, Libc.PACKET_RX_RING, request, "PACKET_RX_RING");
            _ring = new MemoryMapping(_socket, (nuint)slotSize * (nuint)slotCount);
            _slots = _ring.Pointer;

            Bind(_socket, interfaceIndex, Libc.ETH_P_ALL);
            AddPromiscuousMembership(_socket, interfaceIndex);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What to wait on for a frame.</summary>
    public FileDescriptor Descriptor => _socket;

    /// <summary>Opens a socket without a ring, whose VLAN tags come as control messages (PACKET_AUXDATA).</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public static FileDescriptor OpenPlain(int interfaceIndex)
    {
        FileDescriptor socket = FileDescriptor.Socket(Libc.AF_PACKET, Libc.SOCK_RAW, 0);
        try
        {
            SetUp(socket);
            socket.Set(Libc.SOL_PACKET, Libc.PACKET_AUXDATA, 1, "PACKET_AUXDATA");
            Bind(socket, interfaceIndex, Libc.ETH_P_ALL);
            AddPromiscuousMembership(socket, interfaceIndex);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Opens a socket that only sends.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public static FileDescriptor OpenSender(int interfaceIndex)
    {
        FileDescriptor socket = FileDescriptor.Socket(Libc.AF_PACKET, Libc.SOCK_RAW, 0);
        try
        {
            SetUp(socket);

            // Protocol 0: nothing is received.
            Bind(socket, interfaceIndex, 0);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Sends through the device's queueing discipline from now on. Without it the kernel drops a super-frame (ENOBUFS) that the device cannot cut itself;
    /// with it, it cuts the frame.
    /// </summary>
    public static void StopBypassing(FileDescriptor socket) => socket.Set(Libc.SOL_PACKET, Libc.PACKET_QDISC_BYPASS, 0, "PACKET_QDISC_BYPASS");

    /// <summary>Opens a socket that receives nothing and only makes a device promiscuous, until it is closed.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public static FileDescriptor OpenPromiscuous(int interfaceIndex)
    {
        FileDescriptor socket = FileDescriptor.Socket(Libc.AF_PACKET, Libc.SOCK_RAW, 0);
        try
        {
            AddPromiscuousMembership(socket, interfaceIndex);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Joins the sockets that share the device's frames.</summary>
    /// <param name="group">The same number for all of them, unused by others in the namespace; 0 makes a group.</param>
    /// <param name="mode">PACKET_FANOUT_*.</param>
    /// <returns>The group.</returns>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public ushort JoinFanout(ushort group, ushort mode)
    {
        // The group listens for its sockets, and has a mark of its own that says to leave out what is sent.
        int flags = mode | Libc.PACKET_FANOUT_FLAG_IGNORE_OUTGOING | (group == 0 ? Libc.PACKET_FANOUT_FLAG_UNIQUEID : 0);
        _socket.Set(Libc.SOL_PACKET, Libc.PACKET_FANOUT, group | (flags << 16), "PACKET_FANOUT");
        return _socket.TryGet(Libc.SOL_PACKET, Libc.PACKET_FANOUT, out int joined) == Errno.None ? (ushort)joined : group;
    }

    /// <summary>Looks at the oldest frame in the ring.</summary>
    /// <returns>False when the ring is empty.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPeek(out PacketSocketFrame frame)
    {
        byte* slot = _slots + ((nint)(_next & _slotMask) * _slotSize);
        Libc.tpacket2_hdr* header = (Libc.tpacket2_hdr*)slot;

        // Acquire: what the kernel wrote into the slot before its status.
        uint status = Volatile.Read(ref header->tp_status);
        if ((status & Libc.TP_STATUS_USER) == 0)
        {
            frame = default;
            return false;
        }

        // The kernel wrote tp_mac and tp_snaplen within the slot, the virtio_net header right before the frame.
        Invariant.Assert(header->tp_mac + header->tp_snaplen <= _slotSize && header->tp_mac >= Libc.TPACKET2_HDRLEN + OffloadHeaderSize);
        byte* bytes = slot + header->tp_mac;
        frame = new PacketSocketFrame(header, status, new ReadOnlySpan<byte>(bytes, (int)header->tp_snaplen), bytes - OffloadHeaderSize);
        return true;
    }

    /// <summary>Gives the slot of the oldest frame back. The frame last looked at must not be used afterwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Release()
    {
        Libc.tpacket2_hdr* header = (Libc.tpacket2_hdr*)(_slots + ((nint)(_next & _slotMask) * _slotSize));

        // Release: everything was read before the kernel may write again.
        Volatile.Write(ref header->tp_status, 0);
        _next++;
    }

    /// <summary>Takes the whole of the oldest frame whose slot says that it waits in the queue: virtio_net header, then frame.</summary>
    /// <returns>Bytes of both, or -1.</returns>
    public int TakeQueued(Span<byte> destination)
    {
        fixed (byte* first = destination)
        {
            nint length = Libc.recv(_socket.Number, first, (nuint)destination.Length, Libc.MSG_DONTWAIT | Libc.MSG_TRUNC);
            if (length < 0 && Libc.LastErrno != Errno.TryAgain)
            {
                // That the device went down is said once, before the frame is given. Leaving it would put ring and queue out of step for good.
                length = Libc.recv(_socket.Number, first, (nuint)destination.Length, Libc.MSG_DONTWAIT | Libc.MSG_TRUNC);
            }

            return length > destination.Length ? -1 : (int)length;
        }
    }

    /// <summary>Sends frames, each with its virtio_net header before it, as far as one call goes.</summary>
    /// <param name="socket">A packet socket bound to a device.</param>
    /// <param name="queue">The frames.</param>
    /// <param name="first">The first to send.</param>
    /// <param name="errno">Why the call stopped when nothing was sent.</param>
    /// <returns>How many were taken.</returns>
    public static int Send(FileDescriptor socket, MessageQueue queue, int first, out Errno errno)
    {
        int sent = Libc.sendmmsg(socket.Number, queue.Messages + first, (uint)(queue.Count - first), Libc.MSG_DONTWAIT);
        errno = sent < 0 ? Libc.LastErrno : Errno.None;
        return Math.Max(sent, 0);
    }

    /// <summary>Frames that the kernel could not put into the ring since the last call.</summary>
    public uint TakeDropCount() => TakeDropCount(_socket);

    /// <summary>Frames that the kernel could not put into the ring, or the queue, of a packet socket since the last call.</summary>
    public static uint TakeDropCount(FileDescriptor socket) =>
        socket.TryGet(Libc.SOL_PACKET, Libc.PACKET_STATISTICS, out Libc.tpacket_stats stats) == Errno.None ? stats.tp_drops : 0;

    /// <summary>Unmaps the ring and closes the socket, which ends its membership too.</summary>
    public void Dispose()
    {
        _ring?.Dispose();
        _socket.Dispose();
    }

    private static void SetUp(FileDescriptor socket)
    {
        socket.Set(Libc.SOL_PACKET, Libc.PACKET_VNET_HDR, 1, "PACKET_VNET_HDR");
        socket.Set(Libc.SOL_PACKET, Libc.PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING");
        socket.Set(Libc.SOL_PACKET, Libc.PACKET_QDISC_BYPASS, 1, "PACKET_QDISC_BYPASS");
        socket.Set(Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, BufferSize, "SO_RCVBUFFORCE");
        socket.Set(Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, BufferSize, "SO_SNDBUFFORCE");
    }

    private static void Bind(FileDescriptor socket, int interfaceIndex, ushort protocol)
    {
        Libc.sockaddr_ll address = new()
        {
            sll_family = Libc.AF_PACKET,
            sll_protocol = (ushort)IPAddress.HostToNetworkOrder((short)protocol),
            sll_ifindex = interfaceIndex,
        };
        SystemCallException.ThrowIfFailed(Libc.bind(socket.Number, &address, (uint)sizeof(Libc.sockaddr_ll)), "bind AF_PACKET");
    }

    private static void AddPromiscuousMembership(FileDescriptor socket, int interfaceIndex)
    {
        Libc.packet_mreq membership = new() { mr_ifindex = interfaceIndex, mr_type = Libc.PACKET_MR_PROMISC };
        socket.Set(Libc.SOL_PACKET, Libc.PACKET_ADD_MEMBERSHIP, membership, "PACKET_ADD_MEMBERSHIP");
    }
}
