using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Upcalls;

namespace Engine.Control;

/// <summary>Turns the upcalls of a datapath into OVS_PACKET_CMD_MISS and _ACTION messages and sends them to the port ids that are to get them.</summary>
/// <remarks>Threads: each worker calls it for its own upcalls. A client that does not take one has lost it, and the datapath counts it.</remarks>
internal sealed unsafe class UpcallSender(ControlClients clients, ControlledDatapath datapath, PacketFamily family) : IUpcallHandler
{
    // Headers, the key, and the attributes that are numbers.
    private const int Overhead = 2048;

    // OVS_PACKET_HASH_SW_BIT and _L4_BIT: the hash was computed in software, over the ports too.
    private const ulong SoftwareHash = 1ul << 32, TransportHash = 1ul << 33;

    [ThreadStatic]
    private static byte[]? _buffer;

    /// <inheritdoc/>
    public void Handle(ref Upcall upcall, IUpcallReply port)
    {
        uint portId = ChoosePortId(ref upcall, port);
        if (portId == 0 || !clients.TryFind(portId, out ControlClient? client) || !TrySendAll(client!, ref upcall, port))
        {
            port.CountLost();
        }
    }

    private uint ChoosePortId(ref Upcall upcall, IUpcallReply port)
    {
        if ((datapath.Features & DatapathFeatures.PerProcessorUpcalls) != 0)
        {
            return datapath.ChoosePortId((port as Worker)?.Index ?? 0);
        }

        // A packet that was sent in from outside may name a port that does not exist: then it counts as the local port's.
        return upcall.Command == UpcallCommand.Action
            ? upcall.PortId
            : (datapath.Find(upcall.Key.InPort) ?? datapath.Local).ChoosePortId((uint)HashOf(ref upcall));
    }

    // What the packet came with, else for a miss the one that the hash action would make: it comes back with the packet, which must not change its bucket.
    private static ulong HashOf(ref Upcall upcall) =>
        upcall.FlowHash != 0 || upcall.Command == UpcallCommand.Action
            ? upcall.FlowHash
            : PacketHash.OfKey(in upcall.Key, isSymmetric: false) | SoftwareHash | TransportHash;

    // User space sees packets as they would be on a wire: super-frames in segments, checksums complete (the kernel's queue_gso_packets).
    private bool TrySendAll(ControlClient client, ref Upcall upcall, IUpcallReply port)
    {
        Packet* packet = upcall.Packet;
        if (packet->Offload.GsoType == 0)
        {
            return ChecksumOffload.TryFinish(ref *packet) && TrySend(client, ref upcall, packet->Bytes);
        }

        if (port is not Worker worker || !SegmentationOffload.TryStart(ref *packet, out SegmentationOffload segments))
        {
            return false;
        }

        while (segments.Remaining > 0)
        {
            Packet* segment = segments.TryNext(worker.Pool);
            if (segment == null)
            {
                return false;
            }

            bool isSent = TrySend(client, ref upcall, segment->Bytes);
            worker.Pool.Free(segment);
            if (!isSent)
            {
                return false;
            }
        }

        return true;
    }

    // The kernel's queue_userspace_packet: what trunc has left goes, with the length of the whole.
    private bool TrySend(ControlClient client, ref Upcall upcall, ReadOnlySpan<byte> packet)
    {
        int length = packet.Length;
        packet = packet[..Math.Min(length, upcall.KeptLength)];
        if (packet.Length + NetlinkAttribute.HeaderSize > ushort.MaxValue)
        {
            return false;
        }

        int size = Overhead + packet.Length + upcall.Userdata.Length + upcall.Actions.Length;
        if (_buffer is null || _buffer.Length < size)
        {
            _buffer = new byte[Math.Max(8192, size)];
        }

        NetlinkWriter writer = new(_buffer);
        int start = new MessageTarget(family, 0, 0).Begin(ref writer, (byte)upcall.Command, datapath.Ifindex);
        int key = writer.BeginOvsPacketKey();
        FlowKey.WriteNetlink(in upcall.Key, ref writer);
        writer.EndNested(key);
        if (upcall.HasUserdata)
        {
            writer.PutOvsPacketUserdata(upcall.Userdata);
        }

        if (!upcall.EgressTunnel.IsEmpty)
        {
            writer.Put((int)OvsPacketAttribute.EgressTunnelKey, upcall.EgressTunnel);
        }

        if (upcall.HasActions)
        {
            writer.Put((int)OvsPacketAttribute.Actions, upcall.Actions);
        }

        if (upcall.MaximumReceiveUnit != 0)
        {
            writer.PutOvsPacketMaximumReceiveUnit(upcall.MaximumReceiveUnit);
        }

        if (upcall.OriginalLength != 0)
        {
            writer.PutOvsPacketLength((uint)length);
        }

        writer.PutOvsPacketHash(HashOf(ref upcall));
        writer.PutOvsPacketPacket(packet);
        writer.EndMessage(start);
        ReadOnlySpan<byte> message = writer.Written;
        if ((datapath.Features & DatapathFeatures.Unaligned) != 0)
        {
            // Such a program takes the last attribute without padding, and the length says so.
            int padding = -packet.Length & 3;
            message = message[..^padding];
            System.Runtime.InteropServices.MemoryMarshal.Write(_buffer, message.Length);
        }

        return client.Send(message);
    }
}
