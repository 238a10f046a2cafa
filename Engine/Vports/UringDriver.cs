using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>A device by a packet socket from which io_uring receives: no ring of the socket's own, partial checksums and GSO frames carried both ways.</summary>
/// <remarks>
/// <para>The device is promiscuous and its frames are kept from the host's stack while a driver is open; both end with the
/// process at the latest.</para>
/// <para>Threads: as <see cref="IVportDriver"/>, and from the first call on always the same one.</para>
/// </remarks>
public sealed unsafe class UringDriver : IVportDriver
{
    private readonly Netdev _netdev;
    private readonly FileDescriptor _socket;
    private readonly UringChannel _channel;
    private readonly PacketTransmitter _transmitter;
    private ulong _rxErrors;

    // Written by the control thread: the kernel forgets its count when asked.
    private ulong _rxQueueFull;

    private UringDriver(Netdev netdev, FileDescriptor socket, UringChannel channel)
    {
        _netdev = netdev;
        _socket = socket;
        _channel = channel;
        _transmitter = new PacketTransmitter(netdev, socket, XdpSender.TryOpen(netdev.Index, queue: 0));
    }

    /// <summary>Whether complete frames leave by AF_XDP: the queue was free, and the kernel has it.</summary>
    internal bool HasXdpSender => _transmitter.HasXdpSender;

    /// <summary>What to wait on (poll, epoll) for frames, once <see cref="Receive"/> has found none.</summary>
    // The socket, not the ring: a frame's arrival wakes no one who waits for a ring with deferred work.
    public SafeHandle WaitHandle => _socket;

    /// <summary>Takes the device's frames from the host and starts to receive them.</summary>
    /// <param name="netdev">The device, opened in the network namespace of the calling thread.</param>
    /// <param name="driver">The driver, or null when refused.</param>
    /// <returns>
    /// What the kernel refused: EPERM without CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF, or where io_uring is not allowed; ENOSYS where there is none.
    /// </returns>
    public static Refusal TryOpen(Netdev netdev, out UringDriver? driver)
    {
        ArgumentNullException.ThrowIfNull(netdev);
        driver = null;
        FileDescriptor? socket = null;
        try
        {
            netdev.TakeFrames();
            socket = PacketSocket.OpenPlain(netdev.Index);
            driver = new UringDriver(netdev, socket, new UringChannel(socket, isSocket: true, PacketBatch.Capacity));
            return Refusal.None;
        }
        catch (SystemCallException exception)
        {
            socket?.Dispose();
            return new Refusal(exception.Errno, exception.Message);
        }
    }

    /// <inheritdoc/>
    public bool IsBehind => _transmitter.IsBehind;

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
        ArgumentNullException.ThrowIfNull(pool);
        _transmitter.Resume();
        UringPackets.Receive(_channel, pool, ref batch, ref _rxErrors);
        _netdev.Report(_channel.TakeReceiveError());
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
        _rxQueueFull += PacketSocket.TakeDropCount(_socket);
        stats.RxDropped += _rxQueueFull;
        stats.RxErrors += _rxErrors;
    }

    /// <summary>Stops receiving. The device's frames go to the host again when <see cref="Netdev"/> is disposed.</summary>
    public void Dispose()
    {
        _channel.Dispose();
        _transmitter.Dispose();
        _socket.Dispose();
    }
}
