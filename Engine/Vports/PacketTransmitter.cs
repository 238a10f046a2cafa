using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>Sends batches by a packet socket, in one call each.</summary>
/// <remarks>Threads: one at a time.</remarks>
internal sealed unsafe class PacketTransmitter(Netdev netdev, FileDescriptor socket) : IDisposable
{
    private readonly MessageQueue _queue = new(PacketBatch.Capacity);

    /// <summary>As <see cref="IVportDriver.Transmit"/>.</summary>
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);
            _queue.Add((nint)packet + packet->DataOffset, packet->Length, packet->AvailableHeadroom, OffloadHeader.Of(ref *packet));
        }

        int sent = Send();
        _queue.Clear();
        for (int i = 0; i < batch.Count; i++)
        {
            pool.Free(batch.Pointer(i));
        }

        batch.Clear();
        return sent;
    }

    /// <summary>Frees the queue; the socket stays.</summary>
    public void Dispose() => _queue.Dispose();

    // Sends the queue. A frame the kernel refuses is left out; the others still go.
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

            // EMSGSIZE, EINVAL, ENOBUFS: this frame, not the next.
            next++;
        }

        return sent;
    }
}
