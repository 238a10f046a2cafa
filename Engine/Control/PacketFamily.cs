using System.Collections.Immutable;
using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Control;

/// <summary><c>ovs_packet</c>: sends packets through actions. Upcalls are messages of this family too; <see cref="UpcallSender"/> makes them.</summary>
internal sealed unsafe class PacketFamily(ControlServer server, ushort id) : ControlFamily(id, "ovs_packet", 1, sizeof(int), OvsPacketAttributes.Policies)
{
    private const byte ExecuteCommand = 3;

    // Packets that may wait together for their ports.
    private const int MostWaiting = PacketBatch.Capacity;

    // The datapath whose control worker has packets that wait to be sent, and how many at most.
    private ControlledDatapath? _sender;
    private int _waiting;

    /// <inheritdoc/>
    public override ImmutableArray<ControlOperation> Operations { get; } = [ControlOperation.Restricted(ExecuteCommand)];

    /// <inheritdoc/>
    public override bool LetsPacketsWait => true;

    /// <inheritdoc/>
    // The kernel's ovs_packet_cmd_execute.
    public override Errno Do(in ControlRequest request, ref ExtendedAck ack)
    {
        Errno errno = OvsPacketAttributes.TryParse(request.Attributes, request.AttributesOffset, ref ack, out OvsPacketAttributes attributes);
        if (errno != Errno.None)
        {
            return errno;
        }

        if (!attributes.HasPacket || !attributes.HasKey || !attributes.HasActions)
        {
            return Errno.InvalidArgument;
        }

        Refusal refusal = FlowKey.TryParseMetadata(attributes.Key, out FlowKey key, out ulong present);
        if (refusal.IsRefused)
        {
            return server.Refuse(in refusal, attributes.Probe);
        }

        // The key says what the actions may do, so it has to be made whether there is a datapath to execute them or not.
        ControlledDatapath? datapath = server.Datapaths.Find(request.Ifindex);
        return Execute(in attributes, datapath, ref key, present, request.Header.Has(NetlinkFlags.Ack));
    }

    // Whoever gets an acknowledgement may look for the packet at once; else those of one buffer go out together.
    private Errno Execute(in OvsPacketAttributes attributes, ControlledDatapath? datapath, ref FlowKey key, ulong present, bool isAcknowledged)
    {
        using BorrowedPacket borrowed = new(datapath?.ControlWorker.Pool ?? server.SparePool, attributes.Packet);
        if (borrowed.Packet == null)
        {
            return Errno.NoMemory;
        }

        Packet* packet = borrowed.Packet;
        packet->HasEthernet = key.MacProtocol == FlowKey.MacProtocolEthernet;
        packet->MaximumReceiveUnit = attributes.MaximumReceiveUnit;
        packet->FlowHash = attributes.Hash;
        if (!FlowKeyExtractor.TryExtract(packet, ref key))
        {
            return Errno.InvalidArgument;
        }

        Refusal refusal = FlowKey.CheckMetadata(in key, present);
        ActionList? actions = null;
        if (!refusal.IsRefused)
        {
            refusal = ActionList.TryCreate(attributes.Actions, in key, server.Options.Actions, out actions);
        }

        if (refusal.IsRefused)
        {
            return server.Refuse(in refusal, attributes.Probe);
        }

        if (datapath is null)
        {
            return Errno.NoDevice;
        }

        if (_sender != datapath)
        {
            Flush();
            _sender = datapath;
        }

        datapath.ControlWorker.TakeTime();
        Errno errno = datapath.ControlWorker.Execute(borrowed.Release(), ref key, actions!);
        if (++_waiting == MostWaiting || isAcknowledged)
        {
            Flush();
        }

        return errno;
    }

    /// <summary>Sends what still waits of the packets executed so far. Their ports have to be there.</summary>
    public void Flush()
    {
        _sender?.ControlWorker.Flush();
        _sender = null;
        _waiting = 0;
    }

    /// <summary>A packet that goes back to its pool unless it is released.</summary>
    private ref struct BorrowedPacket
    {
        private readonly PacketPool _pool;
        private Packet* _packet;

        public BorrowedPacket(PacketPool pool, ReadOnlySpan<byte> bytes)
        {
            _pool = pool;
            _packet = pool.TryAllocate(bytes.Length);
            if (_packet != null)
            {
                _packet->TrySetBytes(bytes);
            }
        }

        public readonly Packet* Packet => _packet;

        public Packet* Release()
        {
            Packet* packet = _packet;
            _packet = null;
            return packet;
        }

        public readonly void Dispose()
        {
            if (_packet != null)
            {
                _pool.Free(_packet);
            }
        }
    }
}
