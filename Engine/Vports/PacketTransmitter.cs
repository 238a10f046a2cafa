using System.Runtime.CompilerServices;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>Sends batches by a packet socket, in one call each.</summary>
/// <remarks>Threads: one at a time.</remarks>
internal sealed unsafe class PacketTransmitter(Netdev netdev, FileDescriptor socket) : IDisposable
{
    private readonly MessageQueue _queue = new(PacketBatch.Capacity);
    private bool _hasSuperFrames;
    private bool _isQueueing;

    /// <summary>As <see cref="IVportDriver.Transmit"/>.</summary>
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        int sent = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);
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

        sent += Send();
        for (int i = 0; i < batch.Count; i++)
        {
            pool.Free(batch.Pointer(i));
        }

        batch.Clear();
        return sent;
    }

    /// <summary>Frees the queue; the socket stays.</summary>
    public void Dispose() => _queue.Dispose();

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
        int next = 0, sent = 0;
        while (next < _queue.Count)
        {
            int taken = PacketSocket.Send(socket, _queue, next, out Errno errno);
            next += taken;
            sent += taken;
            if (taken != 0)
            {
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
