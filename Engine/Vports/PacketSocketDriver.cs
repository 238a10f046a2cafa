using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>A device by an AF_PACKET socket: a receive ring, sends of a batch in one call, partial checksums and GSO frames carried both ways.</summary>
/// <remarks>
/// <para>The device is promiscuous and its frames are kept from the host's stack while a driver is open; both end with the
/// process at the latest.</para>
/// <para>Complete frames are sent by AF_XDP, which takes the kernel least time (<see cref="XdpSender"/>); those with a partial checksum and super-frames by sendmmsg.</para>
/// <para>Threads: as <see cref="IVportDriver"/>. Workers that share a device have a driver each, in one fanout group.</para>
/// </remarks>
public sealed unsafe class PacketSocketDriver : IVportDriver
{
    // Bytes of a slot before the frame: ring header, link-layer address, alignment, virtio_net header.
    private const int SlotOverhead = 128;

    private readonly PacketSocket _socket;
    private readonly PacketTransmitter _transmitter;

    // Written by the worker.
    private ulong _rxTruncated;
    private ulong _rxErrors;

    // Written by the control thread: the kernel forgets its count when asked.
    private ulong _rxRingFull;

    private PacketSocketDriver(Netdev netdev, PacketSocket socket, XdpSender? sender)
    {
        _socket = socket;
        _transmitter = new PacketTransmitter(netdev, socket.Descriptor, sender);
    }

    /// <summary>Takes the device's frames from the host and starts to receive them.</summary>
    /// <param name="netdev">The device, opened in the network namespace of the calling thread.</param>
    /// <param name="options">Ring and fanout.</param>
    /// <param name="driver">The driver, or null when refused.</param>
    /// <returns>What the kernel refused: EPERM without CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF; ENODEV when the device is gone.</returns>
    public static Refusal TryOpen(Netdev netdev, PacketSocketOptions options, out PacketSocketDriver? driver)
    {
        ArgumentNullException.ThrowIfNull(netdev);
        ArgumentNullException.ThrowIfNull(options);
        driver = null;
        if (options.RingSlots < 64 || !BitOperations.IsPow2(options.RingSlots))
        {
            return Refusal.Invalid("A packet ring has a power of two of at least 64 slots.");
        }

        PacketSocket? socket = null;
        try
        {
            // First kept from the host, then received: a frame in between is lost, never seen twice.
            netdev.TakeFrames();
            int slotSize = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(2048, netdev.Mtu + SlotOverhead));
            socket = new PacketSocket(netdev.Index, slotSize, options.RingSlots);
            ushort? group = options.FanoutGroup;
            if (group is not null)
            {
                group = socket.JoinFanout(group.Value, (ushort)options.FanoutMode);
            }

            XdpSender? sender = options.Queue < netdev.CountTransmitQueues() ? XdpSender.TryOpen(netdev.Index, options.Queue) : null;
            driver = new PacketSocketDriver(netdev, socket, sender) { FanoutGroup = group };
            return Refusal.None;
        }
        catch (SystemCallException exception)
        {
            socket?.Dispose();
            return new Refusal(exception.Errno, exception.Message);
        }
    }

    /// <summary>The group it shares the device's frames with; null when it is alone.</summary>
    public ushort? FanoutGroup { get; private init; }

    /// <summary>Whether complete frames leave by AF_XDP: the queue was free, and the kernel has it.</summary>
    internal bool HasXdpSender => _transmitter.HasXdpSender;

    /// <summary>What to wait on (poll, epoll, io_uring) for frames, and for an error when the device goes down or away.</summary>
    public SafeHandle WaitHandle => _socket.Descriptor;

    /// <inheritdoc/>
    public bool IsBehind => _transmitter.IsBehind;

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
        ArgumentNullException.ThrowIfNull(pool);
        _transmitter.Resume();
        while (!batch.IsFull && _socket.TryPeek(out PacketSocketFrame frame))
        {
            Packet* packet;
            if (!frame.IsWhole)
            {
                if (!TryTakeQueued(pool, in frame, out packet))
                {
                    return;
                }
            }
            else
            {
                packet = TagOf(in frame).TryCopy(pool, frame.Bytes, frame.Offload);
                if (packet == null)
                {
                    // Stays in the ring until a packet is free; the kernel drops what does not fit the ring and counts it.
                    return;
                }

                packet->TimestampNs = frame.TimestampNs;
            }

            _socket.Release();
            if (packet != null)
            {
                batch.Add(packet);
            }
        }
    }

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return _transmitter.Transmit(pool, ref batch);
    }

    /// <inheritdoc/>
    public void AddStats(ref VportStats stats)
    {
        _rxRingFull += _socket.TakeDropCount();
        stats.RxDropped += _rxRingFull + _rxTruncated;
        stats.RxErrors += _rxErrors;
    }

    /// <summary>Stops receiving. The device's frames go to the host again when <see cref="Netdev"/> is disposed.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        _transmitter.Dispose();
    }

    // A frame longer than a slot. True with a null packet when it is lost; false when it must wait for a free packet.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryTakeQueued(PacketPool pool, in PacketSocketFrame frame, out Packet* packet)
    {
        packet = null;
        if (!frame.IsQueued)
        {
            // The socket's queue was full: only the start of the frame is left.
            _rxTruncated++;
            return true;
        }

        int length = frame.Length;
        packet = pool.TryAllocate(Math.Min(length, PacketPool.MaximumPacketLength));
        if (packet == null)
        {
            return false;
        }

        // The virtio_net header goes before the data, into the headroom.
        const int Start = Packet.DefaultDataOffset - PacketSocket.OffloadHeaderSize;
        packet->SetData(Start, Math.Min(length, PacketPool.MaximumPacketLength) + PacketSocket.OffloadHeaderSize);
        if (_socket.TakeQueued(packet->Bytes) != length + PacketSocket.OffloadHeaderSize)
        {
            pool.Free(packet);
            packet = null;
            _rxErrors++;
            return true;
        }

        packet->Pull(PacketSocket.OffloadHeaderSize);
        TagOf(in frame).Insert(ref *packet, frame.Offload);
        packet->TimestampNs = frame.TimestampNs;
        return true;
    }

    private static StrippedTag TagOf(in PacketSocketFrame frame) => new(frame.HasVlan, frame.VlanType, frame.VlanControl);
}
