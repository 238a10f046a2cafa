using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>Packets from and to a <see cref="UringChannel"/>, for the drivers that use one.</summary>
internal static unsafe class UringPackets
{
    /// <summary>Adds what has arrived until the batch is full or no packet is free.</summary>
    /// <param name="channel">Where frames arrive.</param>
    /// <param name="pool">Where packets are taken from.</param>
    /// <param name="batch">Gets the packets.</param>
    /// <param name="errors">Counts malformed frames and those no free packet was found for.</param>
    public static void Receive(UringChannel channel, PacketPool pool, ref PacketBatch batch, ref ulong errors)
    {
        while (!batch.IsFull && channel.TryReceive(out UringFrame frame))
        {
            StrippedTag tag = new(frame.HasVlan, frame.VlanType, frame.VlanControl);
            Packet* packet = frame.Bytes.IsEmpty ? null : tag.TryCopy(pool, frame.Bytes, frame.Offload);
            if (packet == null)
            {
                errors++;
                continue;
            }

            batch.Add(packet);
        }

        channel.Return();
    }

    /// <summary>Sends the batch in one call, frees its packets and empties it.</summary>
    /// <returns>How many were taken.</returns>
    public static int Transmit(UringChannel channel, PacketPool pool, ref PacketBatch batch, out Errno errno)
    {
        errno = Errno.None;
        if (batch.Count == 0)
        {
            return 0;
        }

        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);
            channel.Queue.Add((nint)packet + packet->DataOffset, packet->Length, packet->AvailableHeadroom, OffloadHeader.Of(ref *packet));
        }

        int sent = channel.Send(out errno);
        pool.Free(ref batch);
        return sent;
    }
}
