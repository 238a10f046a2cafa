using System.Globalization;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>An AF_XDP socket on one receive queue of a device, its frames in memory of the caller (UMEM).</summary>
/// <remarks>Threads: one runs the rings.</remarks>
internal sealed unsafe class XdpSocket : IDisposable
{
    private const int PatienceMs = 1000;

    // Bytes that may be on their way: a ring full of frames, so that the kernel does not ask to try again.
    private const int SendBufferSize = 32 << 20;

    private readonly FileDescriptor _socket;
    private string? _queue;

    /// <summary>Makes a socket with its rings; nothing is received before <see cref="TryBind"/>.</summary>
    /// <param name="memory">The first frame; page aligned.</param>
    /// <param name="length">Bytes of all frames.</param>
    /// <param name="frameSize">Bytes of a frame: 2,048 or 4,096.</param>
    /// <param name="sharesMemory">Whether the memory is registered with another socket already.</param>
    /// <param name="ringSize">Entries of each ring, a power of two.</param>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public XdpSocket(nint memory, long length, int frameSize, bool sharesMemory, int ringSize)
    {
        _socket = FileDescriptor.Socket(Libc.AF_XDP, Libc.SOCK_RAW, 0);
        try
        {
            if (!sharesMemory)
            {
                Libc.xdp_umem_reg registration = new() { addr = (ulong)memory, len = (ulong)length, chunk_size = (uint)frameSize };
                _socket.Set(Libc.SOL_XDP, Libc.XDP_UMEM_REG, registration, "XDP_UMEM_REG");
            }

            _socket.Set(Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, SendBufferSize, "SO_SNDBUFFORCE");
            _socket.Set(Libc.SOL_XDP, Libc.XDP_UMEM_FILL_RING, ringSize, "XDP_UMEM_FILL_RING");
            _socket.Set(Libc.SOL_XDP, Libc.XDP_UMEM_COMPLETION_RING, ringSize, "XDP_UMEM_COMPLETION_RING");
            _socket.Set(Libc.SOL_XDP, Libc.XDP_RX_RING, ringSize, "XDP_RX_RING");
            _socket.Set(Libc.SOL_XDP, Libc.XDP_TX_RING, ringSize, "XDP_TX_RING");
            Errno errno = _socket.TryGet(Libc.SOL_XDP, Libc.XDP_MMAP_OFFSETS, out Libc.xdp_mmap_offsets offsets);
            if (errno != Errno.None)
            {
                throw new SystemCallException("getsockopt XDP_MMAP_OFFSETS", errno);
            }

            Fill = new XdpRing<ulong>(_socket, in offsets.fr, Libc.XDP_UMEM_PGOFF_FILL_RING, ringSize, produces: true);
            Completion = new XdpRing<ulong>(_socket, in offsets.cr, Libc.XDP_UMEM_PGOFF_COMPLETION_RING, ringSize, produces: false);
            Receive = new XdpRing<Libc.xdp_desc>(_socket, in offsets.rx, Libc.XDP_PGOFF_RX_RING, ringSize, produces: false);
            Transmit = new XdpRing<Libc.xdp_desc>(_socket, in offsets.tx, Libc.XDP_PGOFF_TX_RING, ringSize, produces: true);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What to wait on for a packet, and what others share the memory by.</summary>
    public FileDescriptor Descriptor => _socket;

    /// <summary>Frames given to the kernel to receive into.</summary>
    public XdpRing<ulong> Fill { get; }

    /// <summary>Frames that were sent.</summary>
    public XdpRing<ulong> Completion { get; }

    /// <summary>Packets received.</summary>
    public XdpRing<Libc.xdp_desc> Receive { get; }

    /// <summary>Packets to send.</summary>
    public XdpRing<Libc.xdp_desc> Transmit { get; }

    /// <summary>Whether packets are moved by the device itself.</summary>
    public bool IsZeroCopy => _socket.TryGet(Libc.SOL_XDP, Libc.XDP_OPTIONS, out uint options) == Errno.None && (options & Libc.XDP_OPTIONS_ZEROCOPY) != 0;

    /// <summary>Starts on a queue of a device of the calling thread's network namespace.</summary>
    /// <param name="interfaceIndex">The device.</param>
    /// <param name="queue">The receive queue.</param>
    /// <param name="sharedWith">A bound socket that has registered the memory, or null.</param>
    /// <param name="copies">Whether the kernel is to copy even where the device could move the packets itself: the device's queue is not touched then.</param>
    /// <returns>What the kernel said; <see cref="Errno.Busy"/> when another socket has the queue.</returns>
    public Errno TryBind(int interfaceIndex, int queue, FileDescriptor? sharedWith, bool copies = false)
    {
        // With packets of several buffers where the kernel knows them (6.6); a shared memory inherits the choice.
        ushort flags = sharedWith is null ? (ushort)(Libc.XDP_USE_NEED_WAKEUP | Libc.XDP_USE_SG | (copies ? Libc.XDP_COPY : 0)) : Libc.XDP_SHARED_UMEM;
        Libc.sockaddr_xdp address = new()
        {
            sxdp_family = Libc.AF_XDP,
            sxdp_flags = flags,
            sxdp_ifindex = (uint)interfaceIndex,
            sxdp_queue_id = (uint)queue,
            sxdp_shared_umem_fd = (uint)(sharedWith?.Number ?? 0),
        };
        string name = string.Create(CultureInfo.InvariantCulture, $"xdp {interfaceIndex} {queue}");
        Lingering lingering = new(name, PatienceMs);
        for (; ; )
        {
            if (Libc.bind(_socket.Number, &address, (uint)sizeof(Libc.sockaddr_xdp)) == 0)
            {
                _queue = name;
                return Errno.None;
            }

            Errno errno = Libc.LastErrno;
            if (errno == Errno.InvalidArgument && (address.sxdp_flags & Libc.XDP_USE_SG) != 0)
            {
                address.sxdp_flags &= unchecked((ushort)~Libc.XDP_USE_SG);
            }
            else if (errno != Errno.Busy || !lingering.Wait())
            {
                // The kernel lets go of a closed socket's queue later.
                return errno;
            }
        }
    }

    /// <summary>Has the kernel go on with the transmit ring.</summary>
    /// <returns>EAGAIN and ENOBUFS when it wants to be called again; ENETDOWN and ENXIO when the device is down or gone.</returns>
    public Errno Kick() => Libc.sendto(_socket.Number, null, 0, Libc.MSG_DONTWAIT, null, 0) < 0 ? Libc.LastErrno : Errno.None;

    /// <summary>Has the kernel go on with the fill ring.</summary>
    public Errno KickFill() => Libc.recv(_socket.Number, null, 0, Libc.MSG_DONTWAIT) < 0 ? Libc.LastErrno : Errno.None;

    /// <summary>What the kernel counts; zeros when the device is gone.</summary>
    public Libc.xdp_statistics ReadStatistics()
    {
        _ = _socket.TryGet(Libc.SOL_XDP, Libc.XDP_STATISTICS, out Libc.xdp_statistics statistics);
        return statistics;
    }

    /// <summary>Closes the socket. The kernel uses no frame of it afterwards.</summary>
    public void Dispose()
    {
        Fill?.Dispose();
        Completion?.Dispose();
        Receive?.Dispose();
        Transmit?.Dispose();
        _socket.Dispose();
        if (_queue is not null)
        {
            Lingering.Left(_queue);
        }
    }
}
