using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Primitives;
using Engine.Text;

namespace Bench;

/// <summary>Flows that benchmarks share.</summary>
internal static unsafe class Flows
{
    /// <summary>The list of this text, for packets of this key.</summary>
    public static ActionList Parse(string text, in FlowKey key)
    {
        NetlinkWriter writer = new(new byte[4096]);
        if (!ActionText.TryParse(text, ref writer, out TextError error))
        {
            throw new InvalidOperationException($"{text}: {error}");
        }

        Refusal refusal = ActionList.TryCreate(writer.Written, in key, ActionFeatures.All, out ActionList? list);
        return list ?? throw new InvalidOperationException($"{text}: {refusal}");
    }

    /// <summary>The key of a packet that came by a port.</summary>
    public static FlowKey KeyOf(Datapath datapath, byte[] frame, uint inPort)
    {
        PacketPool pool = datapath.Workers[0].Pool;
        Packet* packet = pool.TryAllocate();
        packet->TrySetBytes(frame);
        FlowKey key = default;
        FlowKeyExtractor.TryReceive(packet, ref key, inPort);
        pool.Free(packet);
        return key;
    }

    /// <summary>Adds a flow for the five-tuple, port and type of one packet.</summary>
    public static void AddExact(Datapath datapath, byte[] frame, uint inPort, string actions)
    {
        FlowKey key = KeyOf(datapath, frame, inPort);
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
        Refusal refusal = datapath.Flows.Put(in key, in mask, Parse(actions, in key), default, FlowPutMode.CreateOrReplace, out _);
        if (refusal.IsRefused)
        {
            throw new InvalidOperationException(refusal.ToString());
        }
    }
}
