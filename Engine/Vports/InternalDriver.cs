using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>The host's own port: a TAP device of that name. The host may leave checksums and segmentation undone, and so may the datapath.</summary>
/// <remarks>
/// <para>The device is there as long as the driver; address, MTU, up and down are the host's to set.</para>
/// <para>Threads: as <see cref="IVportDriver"/>, and with io_uring from the first call on always the same one.</para>
/// </remarks>
public sealed unsafe class InternalDriver : IVportDriver
{
    private readonly TapDevice _tap;
    private readonly UringChannel? _channel;
    private ulong _rxErrors;

    private InternalDriver(TapDevice tap, UringChannel? channel, Netdev device)
    {
        _tap = tap;
        _channel = channel;
        Device = device;
    }

    /// <summary>The device, to be asked for what the host has set.</summary>
    public Netdev Device { get; }

    /// <summary>What to wait on (poll, epoll) for packets, once <see cref="Receive"/> has found none.</summary>
    // The device, not the ring: a frame's arrival wakes no one who waits for a ring with deferred work.
    public SafeHandle WaitHandle => _tap.Descriptor;

    /// <summary>Whether frames move by io_uring; else by a call for each.</summary>
    public bool UsesUring => _channel is not null;

    /// <summary>Makes the device in the network namespace of the calling thread. It is down and has a random address.</summary>
    /// <param name="name">Its name, up to 15 bytes.</param>
    /// <param name="usesUring">Whether io_uring is used where it is there and allowed (Linux 6.7 and later; containers often forbid it).</param>
    /// <param name="driver">The driver, or null when refused.</param>
    /// <returns>EEXIST when the name is taken, as the kernel's internal ports say; EPERM without CAP_NET_ADMIN; ENOENT without /dev/net/tun.</returns>
    public static Refusal TryCreate(string name, bool usesUring, out InternalDriver? driver)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        driver = null;
        TapDevice tap;
        try
        {
            tap = new TapDevice(name);
        }
        catch (SystemCallException exception)
        {
            return new Refusal(exception.Errno, exception.Message);
        }

        Refusal refusal = Netdev.TryOpen(name, out Netdev? device);
        if (device is null)
        {
            tap.Dispose();
            return refusal;
        }

        UringChannel? channel = null;
        if (usesUring)
        {
            try
            {
                channel = new UringChannel(tap.Descriptor, isSocket: false, PacketBatch.Capacity);
            }
            catch (SystemCallException)
            {
                // Not there or not allowed: a call for each frame does the same, slower. UsesUring tells.
            }
        }

        driver = new InternalDriver(tap, channel, device);
        return Refusal.None;
    }

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (_channel is not null)
        {
            UringPackets.Receive(_channel, pool, ref batch, ref _rxErrors);
            Device.Report(_channel.TakeReceiveError());
            return;
        }

        // How long the next frame is shows only when it is read. It is read into a large packet, and a short one is copied from there.
        Packet* large = null;
        while (!batch.IsFull)
        {
            if (large == null)
            {
                large = pool.TryAllocate(PacketPool.MaximumPacketLength);
                if (large == null)
                {
                    return;
                }
            }

            const int Start = Packet.DefaultDataOffset - PacketSocket.OffloadHeaderSize;
            large->SetData(Start, PacketPool.MaximumPacketLength + PacketSocket.OffloadHeaderSize);
            int length = _tap.Read(large->Bytes, out Errno errno) - PacketSocket.OffloadHeaderSize;
            if (errno != Errno.None)
            {
                // EAGAIN: nothing waits. EBADFD: somebody has deleted the device.
                Device.Report(errno);
                break;
            }

            if (length <= 0)
            {
                _rxErrors++;
                continue;
            }

            OffloadHeader.Read(ref *large, MemoryMarshal.Read<Libc.virtio_net_hdr>(large->Bytes), 0);
            large->SetData(Packet.DefaultDataOffset, length);
            Packet* packet = length <= pool.StandardLength ? pool.TryClone(ref *large) : null;
            if (packet != null)
            {
                large->Offload = default;
                batch.Add(packet);
            }
            else
            {
                batch.Add(large);
                large = null;
            }
        }

        if (large != null)
        {
            pool.Free(large);
        }
    }

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (_channel is not null)
        {
            int sent = UringPackets.Transmit(_channel, pool, ref batch, out Errno failure);
            ReportWrite(failure);
            return sent;
        }

        return Write(pool, ref batch);
    }

    /// <summary>A way out for workers that do not receive from the device. Any thread may send, several at once.</summary>
    internal IVportDriver OpenSender() => new Sender(this);

    /// <inheritdoc/>
    public void AddStats(ref VportStats stats) => stats.RxErrors += _rxErrors;

    /// <summary>Removes the device.</summary>
    public void Dispose()
    {
        _channel?.Dispose();
        Device.Dispose();
        _tap.Dispose();
    }

    // EIO says down, which is not a fault. The rest (EINVAL, ENOBUFS) is about one packet.
    private void ReportWrite(Errno errno) => Device.Report(errno == Errno.InputOutput ? Errno.NetworkDown : errno);

    // A call for each frame, without anything of its own: any thread.
    private int Write(PacketPool pool, ref PacketBatch batch)
    {
        int sent = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);
            Errno errno = _tap.Write((nint)packet + packet->DataOffset, packet->Length, packet->AvailableHeadroom, OffloadHeader.Of(ref *packet));
            if (errno == Errno.None)
            {
                sent++;
            }
            else
            {
                ReportWrite(errno);
            }

            pool.Free(packet);
        }

        batch.Clear();
        return sent;
    }

    /// <summary>Writes to the device and never reads.</summary>
    private sealed class Sender(InternalDriver driver) : IVportDriver
    {
        public void Receive(PacketPool pool, ref PacketBatch batch)
        {
        }

        public int Transmit(PacketPool pool, ref PacketBatch batch) => driver.Write(pool, ref batch);

        // The device is the driver's.
        public void Dispose()
        {
        }
    }
}
