using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>The host's own port: a TAP device of that name. The host may leave checksums and segmentation undone, and so may the datapath.</summary>
/// <remarks>
/// <para>The device is there as long as the driver; address, MTU, up and down are the host's to set.</para>
/// <para>Threads: as <see cref="IVportDriver"/>.</para>
/// </remarks>
public sealed unsafe class InternalDriver : IVportDriver
{
    private readonly TapDevice _tap;
    private ulong _rxErrors;

    private InternalDriver(TapDevice tap, Netdev device)
    {
        _tap = tap;
        Device = device;
    }

    /// <summary>The device, to be asked for what the host has set.</summary>
    public Netdev Device { get; }

    /// <summary>What to wait on (poll, epoll, io_uring) for packets.</summary>
    public SafeHandle WaitHandle => _tap.Descriptor;

    /// <summary>Makes the device in the network namespace of the calling thread. It is down and has a random address.</summary>
    /// <param name="name">Its name, up to 15 bytes.</param>
    /// <param name="driver">The driver, or null when refused.</param>
    /// <returns>EEXIST when the name is taken, as the kernel's internal ports say; EPERM without CAP_NET_ADMIN; ENOENT without /dev/net/tun.</returns>
    public static Refusal TryCreate(string name, out InternalDriver? driver)
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

        driver = new InternalDriver(tap, device);
        return Refusal.None;
    }

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
        ArgumentNullException.ThrowIfNull(pool);

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
                // EIO says down; a device that is down is not a fault. The rest (EINVAL, ENOBUFS) is about this packet.
                Device.Report(errno == Errno.InputOutput ? Errno.NetworkDown : errno);
            }

            pool.Free(packet);
        }

        batch.Clear();
        return sent;
    }

    /// <inheritdoc/>
    public void AddStats(ref VportStats stats) => stats.RxErrors += _rxErrors;

    /// <summary>Removes the device.</summary>
    public void Dispose()
    {
        Device.Dispose();
        _tap.Dispose();
    }
}
