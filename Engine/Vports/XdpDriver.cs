using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>One receive queue of a device by AF_XDP: the kernel, or the device itself, moves packets in and out of the pool's own frames.</summary>
/// <remarks>
/// <para>The device takes complete packets only: checksums are finished and super-frames cut in software on the way out. Packets longer than
/// a frame come and go in several, on kernels from 6.6 on.</para>
/// <para>Threads: as <see cref="IVportDriver"/>; the pool is always the one of the <see cref="XdpMemory"/>.</para>
/// </remarks>
public sealed unsafe class XdpDriver : IVportDriver
{
    // Frames that the kernel takes of a packet in several (MAX_SKB_FRAGS and the head).
    private const int MaximumFragments = 17;

    private readonly Netdev _netdev;
    private readonly XdpMemory _memory;
    private readonly XdpSocket _socket;
    private readonly FileDescriptor _promiscuous;
    private readonly bool _detectsPartialChecksums;

    // Frames that the kernel holds, by number: they come back to the pool when the socket is closed.
    private readonly bool[] _held;

    // The packet in several frames whose end has not come yet; null when there is none, or it is being skipped.
    private Packet* _gathered;
    private bool _isSkipping;
    private bool _needsKick;

    // The kernel has fewer frames to receive into than it could have: none before the worker's first look, for the pool is the worker's,
    // and fewer while none were free.
    private bool _lacksFrames = true;
    private ulong _rxErrors;

    private XdpDriver(Netdev netdev, XdpMemory memory, XdpSocket socket, FileDescriptor promiscuous)
    {
        _netdev = netdev;
        _memory = memory;
        _socket = socket;
        _promiscuous = promiscuous;
        _detectsPartialChecksums = netdev.IsVirtual;
        _held = new bool[memory.Pool.StandardFrameCount];
    }

    /// <summary>Whether the device itself moves the packets.</summary>
    public bool IsZeroCopy => _socket.IsZeroCopy;

    /// <summary>What to wait on (poll, epoll, io_uring) for packets.</summary>
    public SafeHandle WaitHandle => _socket.Descriptor;

    /// <summary>Takes the packets of a queue. They are dropped until the first <see cref="Receive"/>, which lends the kernel frames of the pool.</summary>
    /// <param name="netdev">The device, opened in the network namespace of the calling thread.</param>
    /// <param name="memory">The frames of the worker that will run the driver.</param>
    /// <param name="options">Queue, mode, ring size.</param>
    /// <param name="driver">The driver, or null when refused.</param>
    /// <returns>
    /// What the kernel refused: EPERM without CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF; EBUSY when another program or socket has the device or queue;
    /// EINVAL when there is no such queue; EOPNOTSUPP without AF_XDP.
    /// </returns>
    public static Refusal TryOpen(Netdev netdev, XdpMemory memory, XdpOptions options, out XdpDriver? driver)
    {
        ArgumentNullException.ThrowIfNull(netdev);
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(options);
        driver = null;
        if (options.RingSize < 64 || !BitOperations.IsPow2(options.RingSize))
        {
            return Refusal.Invalid("An AF_XDP ring has a power of two of at least 64 entries.");
        }

        FileDescriptor? promiscuous = null;
        try
        {
            // The program passes everything on to the host until the socket is in the map; what comes from then until the worker gives frames is dropped.
            FileDescriptor sockets = netdev.AttachXdp(options.Mode);
            promiscuous = netdev.TakeAllAddresses();
            XdpSocket socket = memory.Open(netdev.Index, options.Queue, options.RingSize);
            driver = new XdpDriver(netdev, memory, socket, promiscuous);
            Bpf.SetSocket(sockets, (uint)options.Queue, socket.Descriptor);
            return Refusal.None;
        }
        catch (SystemCallException exception)
        {
            if (driver is null)
            {
                promiscuous?.Dispose();
            }

            driver?.Dispose();
            driver = null;
            return new Refusal(exception.Errno, exception.Message);
        }
    }

    /// <inheritdoc/>
    public bool IsBehind => _lacksFrames || (_needsKick && _netdev.State == NetdevState.Up);

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
        Invariant.Assert(pool == _memory.Pool);
        if (_needsKick && _netdev.State == NetdevState.Up)
        {
            Kick();
        }

        Complete();
        XdpRing<Libc.xdp_desc> ring = _socket.Receive;
        int available = ring.Available();
        if (available == 0)
        {
            if (_lacksFrames)
            {
                Fill();
            }

            return;
        }

        while (available-- > 0 && !batch.IsFull)
        {
            Libc.xdp_desc descriptor = ring.Read();
            Packet* packet = Take(descriptor.addr);

            // The kernel says where in the frame the data starts.
            packet->SetData((int)(descriptor.addr & (uint)(pool.StandardFrameSize - 1)), (int)descriptor.len);
            if ((descriptor.options & Libc.XDP_PKT_CONTD) != 0 || _gathered != null || _isSkipping)
            {
                packet = Gather(packet, isLast: (descriptor.options & Libc.XDP_PKT_CONTD) == 0);
                if (packet == null)
                {
                    continue;
                }
            }

            if (_detectsPartialChecksums)
            {
                PartialChecksum.Detect(ref *packet, _netdev.Mtu);
            }

            batch.Add(packet);
        }

        ring.Release();
        Fill();
    }

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        Invariant.Assert(pool == _memory.Pool);
        Complete();

        // Nothing is put into the ring of a device that is down: it would be full of old packets when it is up. A call tells whether it is.
        if (_netdev.State != NetdevState.Up)
        {
            if (_netdev.Report(_socket.Kick()))
            {
                pool.Free(ref batch);
                return 0;
            }

            _netdev.ReportSent();
        }

        int sent = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);
            if (packet->Offload.GsoType != 0)
            {
                sent += QueueSegments(packet) ? 1 : 0;
            }
            else if (ChecksumOffload.TryFinish(ref *packet))
            {
                sent += Queue(packet) ? 1 : 0;
            }
            else
            {
                pool.Free(packet);
            }
        }

        batch.Clear();
        _socket.Transmit.Submit();
        if (_socket.Transmit.Pending != 0)
        {
            Kick();
        }

        return sent;
    }

    /// <inheritdoc/>
    public void AddStats(ref VportStats stats)
    {
        Libc.xdp_statistics kernel = _socket.ReadStatistics();
        stats.RxDropped += kernel.rx_dropped + kernel.rx_ring_full;
        stats.RxErrors += kernel.rx_invalid_descs + _rxErrors;
    }

    /// <summary>Stops receiving: the queue's packets go to the host. The frames in the rings go back to the pool.</summary>
    public void Dispose()
    {
        if (_gathered != null)
        {
            _memory.Pool.GiveBack(_gathered);
            _gathered = null;
        }

        _memory.Close(_socket);
        _promiscuous.Dispose();
        for (int i = 0; i < _held.Length; i++)
        {
            if (_held[i])
            {
                _held[i] = false;
                _memory.Pool.GiveBack(PacketOf((ulong)i * (uint)_memory.Pool.StandardFrameSize));
            }
        }
    }

    // The packet in whose frame an address lies. In bounds: the kernel hands out only addresses it was given.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Packet* PacketOf(ulong address)
    {
        Invariant.Assert(address < (ulong)_memory.Pool.StandardFrameCount * (uint)_memory.Pool.StandardFrameSize);
        return (Packet*)(_memory.Pool.StandardFrames + (nint)(address & ~(ulong)(uint)(_memory.Pool.StandardFrameSize - 1)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong AddressOf(Packet* packet) => (ulong)((nint)packet - _memory.Pool.StandardFrames);

    // Takes a frame back from the kernel.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Packet* Take(ulong address)
    {
        Packet* packet = PacketOf(address);
        Invariant.Assert(_held[packet->FrameIndex]);
        _held[packet->FrameIndex] = false;
        return packet;
    }

    // Frees what was sent.
    private void Complete()
    {
        XdpRing<ulong> ring = _socket.Completion;
        int available = ring.Available();
        if (available == 0)
        {
            return;
        }

        for (int i = 0; i < available; i++)
        {
            _memory.Pool.Free(Take(ring.Read()));
        }

        ring.Release();
    }

    // Gives the kernel free frames to receive into, in batches.
    private void Fill()
    {
        XdpRing<ulong> ring = _socket.Fill;
        int free = ring.Free(PacketBatch.Capacity);
        _lacksFrames = false;
        if (free < PacketBatch.Capacity)
        {
            return;
        }

        for (int i = 0; i < free; i++)
        {
            Packet* packet = _memory.Pool.TryAllocate();
            if (packet == null)
            {
                _lacksFrames = true;
                break;
            }

            _held[packet->FrameIndex] = true;
            ring.Write(AddressOf(packet));
        }

        ring.Submit();
        if (ring.NeedsWakeup)
        {
            _netdev.Report(_socket.KickFill());
        }
    }

    // Puts a packet that came in several frames together in a large one. Null until its last frame is there.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Packet* Gather(Packet* piece, bool isLast)
    {
        PacketPool pool = _memory.Pool;
        if (_gathered == null && !_isSkipping)
        {
            _gathered = pool.TryAllocate(PacketPool.MaximumPacketLength);
        }

        int length = _gathered == null ? 0 : _gathered->Length;
        if (_gathered == null || length + piece->Length > PacketPool.MaximumPacketLength)
        {
            // No large frame is free, or the packet is too long for one: the rest is skipped.
            if (_gathered != null)
            {
                pool.Free(_gathered);
                _gathered = null;
            }

            _rxErrors += isLast ? 1u : 0u;
            _isSkipping = !isLast;
            pool.Free(piece);
            return null;
        }

        _gathered->SetData(Packet.DefaultDataOffset, length + piece->Length);
        piece->Bytes.CopyTo(_gathered->Bytes[length..]);
        pool.Free(piece);
        Packet* whole = isLast ? _gathered : null;
        _gathered = isLast ? null : _gathered;
        return whole;
    }

    // Queues a complete packet and takes it. False when it was dropped: no room, or too long.
    private bool Queue(Packet* packet)
    {
        XdpRing<Libc.xdp_desc> ring = _socket.Transmit;
        if (packet->IsLarge)
        {
            return QueueInPieces(packet);
        }

        if (ring.Free(1) == 0)
        {
            _memory.Pool.Free(packet);
            return false;
        }

        _held[packet->FrameIndex] = true;
        ring.Write(new Libc.xdp_desc { addr = AddressOf(packet) + (uint)packet->DataOffset, len = (uint)packet->Length });
        return true;
    }

    // A packet in a large frame is copied into as many standard ones as it takes.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool QueueInPieces(Packet* packet)
    {
        PacketPool pool = _memory.Pool;
        XdpRing<Libc.xdp_desc> ring = _socket.Transmit;
        ReadOnlySpan<byte> rest = packet->Bytes;
        int count = ((rest.Length - 1) / pool.StandardLength) + 1;
        bool queued = rest.Length != 0 && count <= MaximumFragments && ring.Free(count) >= count && pool.FreeCount >= count;
        while (queued && rest.Length != 0)
        {
            Packet* piece = pool.TryAllocate();
            int length = Math.Min(rest.Length, pool.StandardLength);
            piece->TrySetBytes(rest[..length]);
            rest = rest[length..];
            _held[piece->FrameIndex] = true;
            ring.Write(new Libc.xdp_desc
            {
                addr = AddressOf(piece) + (uint)piece->DataOffset,
                len = (uint)length,
                options = rest.Length != 0 ? Libc.XDP_PKT_CONTD : 0,
            });
        }

        pool.Free(packet);
        return queued;
    }

    // Cuts a super-frame; the device takes none. False when it is not one, or a segment found no room.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool QueueSegments(Packet* packet)
    {
        PacketPool pool = _memory.Pool;
        bool queued = SegmentationOffload.TryStart(ref *packet, out SegmentationOffload segments);
        while (queued && segments.Remaining != 0)
        {
            Packet* segment = segments.TryNext(pool);
            queued = segment != null && Queue(segment);
        }

        pool.Free(packet);
        return queued;
    }

    // Has the kernel send. In copy mode a call sends a few packets only; one that is not through is repeated with the next round.
    private void Kick()
    {
        _needsKick = false;
        if (!_socket.Transmit.NeedsWakeup)
        {
            return;
        }

        const int Calls = 2 * PacketBatch.Capacity;
        for (int i = 0; i < Calls; i++)
        {
            Errno errno = _socket.Kick();
            if (errno is not (Errno.None or Errno.TryAgain or Errno.NoBuffers or Errno.Busy))
            {
                // What is left goes when the device is up again.
                _netdev.Report(errno);
                _needsKick = true;
                return;
            }

            if (_socket.Transmit.Pending == 0)
            {
                return;
            }

            Complete();
        }

        _needsKick = true;
    }
}
