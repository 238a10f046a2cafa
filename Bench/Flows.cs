using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Primitives;

namespace Bench;

/// <summary>Flows that benchmarks share.</summary>
internal static unsafe class Flows
{
    /// <summary>A list that sends a packet out of one port.</summary>
    public static ActionList Output(uint port)
    {
        NetlinkWriter writer = new(stackalloc byte[16]);
        writer.Put((int)OvsActionAttribute.Output, port);
        FlowKey key = new() { MacProtocol = 1, EtherType = 0x0800 };
        Refusal refusal = ActionList.TryCreate(writer.Written, in key, ActionFeatures.All, out ActionList? list);
        return list ?? throw new InvalidOperationException(refusal.ToString());
    }

    /// <summary>Adds a flow for the five-tuple, port and type of one packet.</summary>
    public static void AddExact(Datapath datapath, byte[] frame, uint inPort, ActionList actions)
    {
        PacketPool pool = datapath.Workers[0].Pool;
        Packet* packet = pool.TryAllocate();
        packet->TrySetBytes(frame);
        FlowKey key = default;
        FlowKeyExtractor.TryReceive(packet, ref key, inPort);
        pool.Free(packet);
        FlowKey mask = new()
        {
            InPort = uint.MaxValue,
            RecirculationId = uint.MaxValue,
            EtherType = ushort.MaxValue,
            Ipv4Source = uint.MaxValue,
            Ipv4Destination = uint.MaxValue,
            IpProtocol = byte.MaxValue,
            IpFragment = byte.MaxValue,
            TransportSource = ushort.MaxValue,
            TransportDestination = ushort.MaxValue,
        };
        Refusal refusal = datapath.Flows.Put(in key, in mask, actions, default, FlowPutMode.CreateOrReplace, out _);
        if (refusal.IsRefused)
        {
            throw new InvalidOperationException(refusal.ToString());
        }
    }
}
