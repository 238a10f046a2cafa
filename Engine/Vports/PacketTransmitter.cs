using System.Runtime.CompilerServices;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>Sends batches: complete frames by AF_XDP where there is a sender, the others, and super-frames, by a packet socket; in one call each.</summary>
/// <remarks>The order of a batch is kept. Threads: one at a time.</remarks>
/// <param name="netdev">The device.</param>
/// <param name="socket">A packet socket on it; stays the caller's.</param>
/// <param name="sender">The transmitter's from now on; null where the kernel gives none.</param>
internal sealed unsafe class PacketTransmitter(Netdev netdev, FileDescriptor socket, XdpSender? sender) : IDisposable
{
    // An Ethernet header and a VLAN tag, which the MTU does not count.
    private const int HeaderLength = 14, TagLength = 4;

    private readonly MessageQueue _queue = new(PacketBatch.Capacity);
    private bool _hasSuperFrames;
    private bool _isQueueing;

    /// <summary>Whether complete frames leave by AF_XDP.</summary>
    public bool HasXdpSender => sender is not null;

    /// <summary>As <see cref="IVportDriver.Transmit"/>.</summary>
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        int sent = 0;

        // A device that is down has the packet socket say so: AF_XDP would keep the frames until it is up.
        int longest = sender is null or { IsDead: true } || netdev.State != NetdevState.Up ? 0 : Math.Min(XdpSender.MaximumLength, netdev.Mtu + HeaderLength + TagLength);
        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);

            // AF_XDP carries neither partial checksums nor super-frames. The order is kept: what waits on the other way goes first.
            if (packet->Length <= longest && packet->Length >= HeaderLength && packet->Offload.IsComplete)
            {
                sent += Send();

                // A ring that is full drops, as a device does.
                _ = sender!.TryAdd(packet->Bytes);
                continue;
            }

            sent += SendComplete();
            if (packet->Offload.GsoType != 0 && !OffloadHeader.IsCutByKernel(ref *packet))
            {
                // In order: what waits goes first.
                sent += Send();
                sent += SendSegments(pool, ref *packet) ? 1 : 0;
                continue;
            }

            _hasSuperFrames |= packet->Offload.GsoType != 0;
            _queue.Add((nint)packet + packet->DataOffset, packet->Length, packet->AvailableHeadroom, OffloadHeader.Of(ref *packet));
        }

        sent += SendComplete() + Send();
        pool.Free(ref batch);
        return sent;
    }

    /// <summary>Whether something is left that <see cref="Resume"/> goes on with.</summary>
    public bool IsBehind => sender is { IsBehind: true } && netdev.State == NetdevState.Up;

    /// <summary>Goes on with what a crowded device did not take.</summary>
    public void Resume()
    {
        if (IsBehind)
        {
            _ = sender!.Send(out Errno errno);
            netdev.Report(errno);
        }
    }

    /// <summary>Closes the sender and frees the queue; the socket stays.</summary>
    public void Dispose()
    {
        sender?.Dispose();
        _queue.Dispose();
    }

    // Sends what waits on AF_XDP.
    private int SendComplete()
    {
        if (sender is null || sender.Waiting == 0)
        {
            return 0;
        }

        int sent = sender.Send(out Errno errno);
        netdev.Report(errno);
        return sent;
    }

    // Cuts a super-frame that the kernel does not. False when it is not one, or a segment is not taken.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool SendSegments(PacketPool pool, ref Packet packet)
    {
        bool isSent = SegmentationOffload.TryStart(ref packet, out SegmentationOffload segments);
        while (isSent && segments.Remaining != 0)
        {
            Packet* segment = segments.TryNext(pool);
            if (segment == null)
            {
                return false;
            }

            _queue.Add((nint)segment + segment->DataOffset, segment->Length, segment->AvailableHeadroom, default);
            isSent = Send() == 1;
            pool.Free(segment);
        }

        return isSent;
    }

    // Sends the queue, which is empty then. A frame the kernel refuses is left out; the others still go.
    private int Send()
    {
        if (_queue.Count == 0)
        {
            return 0;
        }

        int next = 0, sent = 0;
        while (next < _queue.Count)
        {
            int taken = PacketSocket.Send(socket, _queue, next, out Errno errno);
            next += taken;
            sent += taken;
            if (taken != 0)
            {
                netdev.ReportSent();
                continue;
            }

            if (netdev.Report(errno) || errno == Errno.TryAgain)
            {
                break;
            }

            // A device that cannot cut super-frames: the kernel does it behind its queueing discipline.
            if (errno == Errno.NoBuffers && _hasSuperFrames && !_isQueueing)
            {
                PacketSocket.StopBypassing(socket);
                _isQueueing = true;
                continue;
            }

            // EMSGSIZE, EINVAL, ENOBUFS: this frame, not the next.
            next++;
        }

        _queue.Clear();
        _hasSuperFrames = false;
        return sent;
    }
}
