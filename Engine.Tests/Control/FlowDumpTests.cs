using System.Runtime.InteropServices;
using Engine.Actions;
using Engine.Control;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Tests.Conformance;
using Engine.Tests.Oracles;

namespace Engine.Tests.Control;

/// <summary>Dumps of flows: whole, once each, and every key and mask as it is written alone.</summary>
public sealed class FlowDumpTests : IDisposable
{
    private const int Ifindex = 2;
    private const uint OmitAll = 7;

    private readonly MemoryNetwork _network = new();
    private readonly ControlServer _server;
    private readonly MemoryClient _client = new(100);

    public FlowDumpTests()
    {
        _server = new ControlServer(_network, new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 64, CacheEntries = 0 } });
        _server.TryAdd(_client);
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0").Bytes);
        _client.TakeMessages();
    }

    private FlowTable Flows => _server.CurrentDatapaths.Single().Datapath.Flows;

    public void Dispose() => _server.Dispose();

    // Keys of all kinds under masks of all kinds, most of which were not made for them: what a mask has depends on the key.
    // Counters of all kinds, too: a dump takes its messages from templates, a flow that is asked for alone is written bit by bit.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Keys_and_masks_of_a_dump_are_those_that_each_flow_has_alone(int seed)
    {
        const int Masks = 30, KeysOfEach = 60;
        FlowMix mix = new(new PacketMix(seed, hosts: 4));
        List<(FlowKey Key, FlowKey Mask, ActionList Actions)> parts = [.. mix.Next(Masks * 3)];
        Random random = new(seed);
        for (int i = 0; i < Masks * KeysOfEach; i++)
        {
            FlowKey key = parts[random.Next(parts.Count)].Key;
            if (random.Next(10) == 0)
            {
                key.TunnelProtocol = 4;
                key.Segments = key.FindSegments();
            }

            // Every key is another one.
            FlowKey mask = parts[i / KeysOfEach].Mask;
            MemoryMarshal.AsBytes(new Span<EthernetAddress>(ref mask.EthernetSource)).Fill(0xff);
            random.NextBytes(MemoryMarshal.AsBytes(new Span<EthernetAddress>(ref key.EthernetSource)));
            byte[] id = new byte[random.Next(4) == 0 ? 4 : Ufid.MaximumLength];
            BitConverter.TryWriteBytes(id, i + 1);
            Ufid ufid = random.Next(4) == 0 ? default : Ufid.FromBytes(id);
            Flows.Put(in key, in mask, parts[random.Next(parts.Count)].Actions, ufid, FlowPutMode.CreateOnly, out Flow? flow);
            flow!.StatsOf(0) = new FlowStats { Packets = (ulong)random.Next(2), Bytes = 60, UsedAtMs = random.Next(2), TcpFlags = (byte)random.Next(3) };
        }

        List<Flow> flows = Flows.ToList();
        Assert.Equal(Masks * KeysOfEach, flows.Count);
        HashSet<string> wanted = [.. flows.Select(static flow => Describe(flow.Ufid.Length, Alone(flow, isMask: false), Alone(flow, isMask: true)))];
        HashSet<string> dumped = [];
        foreach (byte[] message in Dump(0))
        {
            ExtendedAck ack = default;
            Assert.Equal(Errno.None, OvsFlowAttributes.TryParse(message.AsSpan(24), 0, ref ack, out OvsFlowAttributes attributes));
            dumped.Add(Describe(attributes.HasUfid ? attributes.Ufid.Length : 0, attributes.Key, attributes.Mask));
        }

        Assert.Equal(wanted, dumped);
        MessageTarget target = new(_server.Families.Single(static family => family.Name == "ovs_flow"), 1, _client.PortId);
        foreach (uint omit in (uint[])[0, 1, 2, 3, 4, OmitAll])
        {
            HashSet<string> alone = [.. flows.Select(flow => Convert.ToHexString(Alone(flow, target, omit)))];
            Assert.Equal(alone, Dump(omit).Select(Convert.ToHexString).ToHashSet());
        }
    }

    // Under one mask, keys that differ in one thing that says which attributes there are.
    [Fact]
    public void Keys_of_a_dump_that_have_other_attributes_under_the_same_mask_have_them()
    {
        FlowKey mask = default;
        MemoryMarshal.AsBytes(FlowMask.MutableWords(ref mask)).Fill(0xff);
        mask.MplsLabelsMask = 7;
        (mask.ConntrackLabels, mask.NdTarget, mask.ArpSenderHardware, mask.ArpTargetHardware) = (default, default, default, default);
        mask.Segments = mask.FindSegments();
        FlowKey plain = new() { InPort = 3, MacProtocol = 1, EtherType = 0x0800, IpProtocol = 6, TransportSource = 80 };
        FlowKey tunnelled = plain with { TunnelProtocol = 2, TunnelIpv4Source = 5, TunnelFlags = TunnelKeyFlags.Key };
        FlowKey tagged = plain with { VlanTpid = 0x8100, VlanTci = 0x1005 };
        FlowKey ipv6 = plain with { EtherType = 0x86dd, IpProtocol = 58, TransportSource = 128 };
        FlowKey labelled = plain with { EtherType = 0x8847, MplsLabelsMask = 1, MplsLabel0 = 77 };
        FlowKey service = plain with { EtherType = 0x894f, NshMdType = 1 };
        FlowKey[] kinds =
        [
            plain, plain with { InPort = FlowKey.NoInPort }, plain with { IpProtocol = 17 }, plain with { IpFragment = 2 }, plain with { EtherType = 0x0806 },
            plain with { EtherType = 4 }, plain with { MacProtocol = 0 }, plain with { OriginalProtocol = 6 },
            tunnelled, tunnelled with { TunnelIpv4Source = 0 }, tunnelled with { TunnelTos = 1 }, tunnelled with { TunnelFlags = 0 }, tunnelled with { TunnelProtocol = 10 },
            tagged, tagged with { InnerVlanTpid = 0x8100, InnerVlanTci = 0x1006 }, tagged with { VlanTci = 0x1000 },
            ipv6, ipv6 with { TransportSource = 135 }, ipv6 with { TransportSource = 135, IpFragment = 2 }, ipv6 with { OriginalProtocol = 58 },
            labelled, labelled with { MplsLabelsMask = 3 }, service, service with { NshMdType = 2 },
        ];
        Random random = new(7);
        ActionList.TryCreate([], default, ActionFeatures.All, out ActionList? actions);
        for (int i = 0; i < kinds.Length * 20; i++)
        {
            FlowKey key = kinds[random.Next(kinds.Length)];
            random.NextBytes(MemoryMarshal.AsBytes(new Span<EthernetAddress>(ref key.EthernetSource)));
            key.Segments = key.FindSegments();
            Flows.Put(in key, in mask, actions!, Ufid.FromBytes(Guid.NewGuid().ToByteArray()), FlowPutMode.CreateOnly, out _);
        }

        MessageTarget target = new(_server.Families.Single(static family => family.Name == "ovs_flow"), 1, _client.PortId);
        List<Flow> flows = Flows.ToList();
        Assert.InRange(flows.Count(static flow => FlowTemplate.TryCreate(flow) is null), 0, flows.Count / 10);
        Assert.Equal(flows.Select(flow => Convert.ToHexString(Alone(flow, target, 0))).ToHashSet(), Dump(0).Select(Convert.ToHexString).ToHashSet());
    }

    // Most flows have to go by templates, or a dump takes several times as long.
    [Fact]
    public void Flows_of_ordinary_packets_have_templates()
    {
        FlowMix mix = new(new PacketMix(3, hosts: 4));
        int number = 0;
        foreach ((FlowKey key, FlowKey mask, ActionList actions) in mix.Next(300))
        {
            Flows.Put(in key, in mask, actions, Ufid.FromBytes(BitConverter.GetBytes(++number)), FlowPutMode.CreateOnly, out _);
        }

        List<Flow> flows = Flows.ToList();
        Assert.True(flows.Count > 100);
        Assert.DoesNotContain(flows, static flow => FlowTemplate.TryCreate(flow) is null);
    }

    [Fact]
    public void A_dump_has_each_flow_once_and_none_that_has_gone()
    {
        const int Count = 5000;
        List<Flow> flows = [];
        ActionList.TryCreate([], default, ActionFeatures.All, out ActionList? actions);
        for (int i = 0; i < Count; i++)
        {
            FlowKey key = new() { InPort = (uint)i };
            FlowKey mask = new() { InPort = uint.MaxValue };
            Flows.Put(in key, in mask, actions!, Ufid.FromBytes(BitConverter.GetBytes(i)), FlowPutMode.CreateOnly, out Flow? flow);
            flows.Add(flow!);
        }

        foreach (Flow flow in flows.Where(static (_, i) => i % 3 == 0))
        {
            Flows.Remove(flow);
        }

        Assert.Equal(Enumerable.Range(0, Count).Where(static i => i % 3 != 0), Dump(OmitAll).Select(static message => BitConverter.ToInt32(message, 28)).Order());
    }

    [Fact]
    public void Flows_that_come_and_go_in_the_middle_of_a_dump_do_not_disturb_the_rest()
    {
        const int Count = 4000;
        ActionList.TryCreate([], default, ActionFeatures.All, out ActionList? actions);
        void Put(int number)
        {
            FlowKey key = new() { InPort = (uint)number };
            FlowKey mask = new() { InPort = uint.MaxValue };
            Flows.Put(in key, in mask, actions!, Ufid.FromBytes(BitConverter.GetBytes(number)), FlowPutMode.CreateOnly, out _);
        }

        for (int i = 0; i < Count; i++)
        {
            Put(i);
        }

        _client.Capacity = 1;
        _server.Handle(_client, new RequestBuilder().Add(RequestBuilder.Flow, 3, NetlinkFlags.Dump, Ifindex, static (ref writer) => writer.PutOvsFlowUfidFlags(OmitAll)).Bytes);
        List<byte[]> messages = [];
        int other = Count;
        while (_client.TakeDatagram() is { } datagram)
        {
            MemoryClient.Split(datagram, messages);

            // The first half stays, the second goes bit by bit; new ones come.
            for (int i = 0; i < 300; i++, other++)
            {
                Put(other);
                if (Flows.Find(Ufid.FromBytes(BitConverter.GetBytes((Count / 2) + (other % (Count / 2))))) is { } flow)
                {
                    Flows.Remove(flow);
                }
            }

            _server.Continue(_client);
        }

        Assert.Equal(NetlinkHeader.DoneType, BitConverter.ToUInt16(messages[^1], 4));
        List<int> seen = [.. messages.SkipLast(1).Select(static message => BitConverter.ToInt32(message, 28))];
        Assert.Equal(Enumerable.Range(0, Count / 2), seen.Where(static number => number < Count / 2).Order());
        Assert.Equal(seen.Distinct().Count(), seen.Count);
    }

    private static string Describe(int identity, ReadOnlySpan<byte> key, ReadOnlySpan<byte> mask) =>
        $"{identity} {Convert.ToHexString(key)} {Convert.ToHexString(mask)}";

    private static byte[] Alone(Flow flow, bool isMask)
    {
        NetlinkWriter writer = new(new byte[2048]);
        if (isMask)
        {
            flow.CopyKey(out FlowKey masked);
            FlowKey.WriteNetlinkMask(in masked, in flow.Mask.Bits, ref writer);
        }
        else
        {
            flow.CopyUnmaskedKey(out FlowKey key);
            FlowKey.WriteNetlink(in key, ref writer);
        }

        return writer.Written.ToArray();
    }

    private static byte[] Alone(Flow flow, MessageTarget target, uint omit)
    {
        NetlinkWriter writer = new(new byte[65536]);
        new FlowMessage().Write(ref writer, target, flow, 3, Ifindex, omit, NetlinkFlags.Multi);
        return writer.Written.ToArray();
    }

    private List<byte[]> Dump(uint omit)
    {
        _server.Handle(_client, new RequestBuilder().Add(RequestBuilder.Flow, 3, NetlinkFlags.Dump, Ifindex, (ref writer) => writer.PutOvsFlowUfidFlags(omit)).Bytes);
        List<byte[]> messages = _client.TakeMessages();
        Assert.Equal(NetlinkHeader.DoneType, BitConverter.ToUInt16(messages[^1], 4));
        messages.RemoveAt(messages.Count - 1);
        return messages;
    }
}
