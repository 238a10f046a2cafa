using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Primitives;
using Engine.Tests.Tunnels;
using Engine.Upcalls;
using Engine.Vports;

namespace Engine.Tests.Datapaths;

public sealed unsafe class DatapathTests : IDisposable
{
    private static readonly byte[] _arp = Convert.FromHexString("ffffffffffff02000000000108060001080006040001020000000001" + "0a0000010000000000000a000002");

    private readonly Datapath _datapath;
    private readonly LoopbackDriver[] _ports = new LoopbackDriver[4];
    private readonly Vport[] _vports = new Vport[4];

    public DatapathTests() => _datapath = Make(new DatapathOptions { FrameCount = 256, UpcallCapacity = 4 });

    [Fact]
    public void A_packet_that_matches_leaves_by_the_port_of_its_flow()
    {
        Flow flow = Add(1, Output(2));

        Run(1, _arp);

        Assert.Equal(_arp, Assert.Single(Sent(2)));
        Assert.Empty(Sent(3));
        FlowStats stats = flow.ReadStats();
        Assert.Equal((1ul, (ulong)_arp.Length), (stats.Packets, stats.Bytes));
        Assert.True(stats.UsedAtMs > 0);
        VportStats received = _vports[1].ReadStats(), sent = _vports[2].ReadStats();
        Assert.Equal((1ul, (ulong)_arp.Length, 0ul), (received.RxPackets, received.RxBytes, received.TxPackets));
        Assert.Equal((1ul, (ulong)_arp.Length, 0ul), (sent.TxPackets, sent.TxBytes, sent.RxPackets));
        Assert.Equal((1ul, 0ul), (_datapath.ReadStats().Hit, _datapath.ReadStats().Missed));
    }

    [Fact]
    public void Packets_of_different_flows_keep_their_order()
    {
        byte[][] packets = [.. Enumerable.Range(0, 100).Select(i => Udp((byte)(i % 3), (byte)i))];
        for (byte host = 0; host < 3; host++)
        {
            Add(Udp(host, 0), 1, Output(2));
        }

        Run(1, packets);

        Assert.Equal(packets, Sent(2));
    }

    [Fact]
    public void A_miss_goes_up_and_the_handler_s_flow_takes_the_next_packet()
    {
        InstallingHandler handler = new(_datapath, Output(3));
        _datapath.UpcallHandler = handler;

        Run(1, _arp);
        Run(1, _arp);

        Assert.Equal(1, handler.Count);
        Assert.Equal(2, Sent(3).Count);
        DatapathStats stats = _datapath.ReadStats();
        Assert.Equal((1ul, 1ul, 0ul), (stats.Hit, stats.Missed, stats.Lost));
    }

    [Fact]
    public void Misses_without_a_handler_are_counted_as_such()
    {
        Run(1, _arp, _arp);

        Assert.Equal(2ul, _datapath.DropsOf(DropReason.Miss));
        DatapathStats stats = _datapath.ReadStats();
        Assert.Equal((0ul, 2ul, 2ul), (stats.Hit, stats.Missed, stats.Lost));
    }

    [Fact]
    public void Upcalls_beyond_the_queue_are_lost_and_counted()
    {
        CollectingHandler handler = new();
        _datapath.UpcallHandler = handler;

        Run(1, _arp, _arp, _arp, _arp, _arp, _arp);

        Assert.Equal(4, handler.Packets.Count);
        Assert.Equal(2ul, _datapath.DropsOf(DropReason.UpcallQueueFull));
        Assert.Equal(2ul, _datapath.ReadStats().Lost);
    }

    [Fact]
    public void A_userspace_action_tells_what_it_was_told()
    {
        CollectingHandler handler = new();
        _datapath.UpcallHandler = handler;
        Add(1, Actions(static (ref NetlinkWriter writer) =>
        {
            writer.Put((int)OvsActionAttribute.Truncate, 20u);
            int nested = writer.BeginNested((int)OvsActionAttribute.Userspace);
            writer.Put(1, 77u);
            writer.Put(2, (ReadOnlySpan<byte>)[1, 2, 3]);
            writer.EndNested(nested);
            writer.Put((int)OvsActionAttribute.Output, 2u);
        }));

        Run(1, _arp);

        Assert.Equal(_arp[..20], Assert.Single(handler.Packets));
        Assert.Equal((UpcallCommand.Action, 77u, 42, "010203"), Assert.Single(handler.Arguments));
        Assert.Equal(_arp, Assert.Single(Sent(2)));
    }

    [Theory]
    [InlineData(9u, DropReason.NoSuchPort)]
    [InlineData(3u, DropReason.TooBig)]
    public void A_packet_that_its_port_does_not_take_is_dropped_with_a_reason(uint port, DropReason reason)
    {
        _datapath.Vports.Remove(_vports[3]);
        Vport small = new(3, "small", VportType.Loopback, _ports[3]) { MaximumTransmissionUnit = 27 };
        _datapath.Vports.TryAdd(small);
        Add(1, Output(port));

        Run(1, _arp);

        Assert.Equal(1ul, _datapath.DropsOf(reason));
        Assert.Equal(reason == DropReason.TooBig ? 1ul : 0ul, small.ReadStats().TxErrors);
    }

    [Fact]
    public void An_empty_list_drops()
    {
        Add(1, Actions(static (ref NetlinkWriter _) => { }));
        Run(1, _arp);
        Assert.Equal(1ul, _datapath.DropsOf(DropReason.LastAction));
    }

    [Fact]
    public void A_recirculated_packet_is_looked_up_again()
    {
        Add(1, Actions(static (ref NetlinkWriter writer) =>
        {
            writer.Put((int)OvsActionAttribute.Output, 2u);
            writer.Put((int)OvsActionAttribute.Recirculate, 5u);
        }));
        Add(_arp, 1, Output(3), recirculationId: 5);

        Run(1, _arp);

        Assert.Single(Sent(2));
        Assert.Single(Sent(3));
        Assert.Equal(2ul, _datapath.ReadStats().Hit);
    }

    [Fact]
    public void Removed_flows_and_replaced_actions_count_at_once()
    {
        Flow flow = Add(1, Output(2));
        Run(1, _arp);
        _datapath.Flows.SetActions(flow, Output(3));
        Run(1, _arp);
        _datapath.Flows.Remove(flow);
        Run(1, _arp);

        Assert.Single(Sent(2));
        Assert.Single(Sent(3));
        Assert.Equal(1ul, _datapath.ReadStats().Missed);
    }

    [Fact]
    public void The_cache_changes_nothing_but_the_counters()
    {
        Add(1, Output(2));
        Run(1, _arp);
        Run(1, _arp);
        Assert.Equal(1ul, _datapath.ReadStats().CacheHit);
        Assert.Equal(2ul, _datapath.ReadStats().MaskHit);
        List<byte[]> cached = Sent(2);

        using Datapath uncached = Make(new DatapathOptions { CacheEntries = 0 });
        Add(uncached, _arp, 1, Output(2), 0);
        Run(uncached, 1, _arp);
        Run(uncached, 1, _arp);

        Assert.Equal(0ul, uncached.ReadStats().CacheHit);
        Assert.Equal(2ul, uncached.ReadStats().MaskHit);
        Assert.Equal(cached, Sent(2));
    }

    public void Dispose()
    {
        Assert.Equal(0, _datapath.Workers[0].Pool.UsedCount);
        _datapath.Dispose();
    }

    private Datapath Make(DatapathOptions options)
    {
        Datapath datapath = new(options);
        for (uint i = 0; i < _ports.Length; i++)
        {
            _ports[i] = new LoopbackDriver();
            Assert.False(datapath.AddVport(i, $"p{i}", VportType.Loopback, _ports[i], out _vports[i]).IsRefused);
        }

        return datapath;
    }

    private Flow Add(uint inPort, ActionList actions) => Add(_arp, inPort, actions);

    private Flow Add(byte[] packet, uint inPort, ActionList actions, uint recirculationId = 0) =>
        Add(_datapath, packet, inPort, actions, recirculationId);

    // An exact match of the packet.
    private static unsafe Flow Add(Datapath datapath, byte[] bytes, uint inPort, ActionList actions, uint recirculationId)
    {
        PacketPool pool = datapath.Workers[0].Pool;
        Packet* packet = pool.TryAllocate();
        packet->TrySetBytes(bytes);
        FlowKey key = default;
        Assert.True(FlowKeyExtractor.TryReceive(packet, ref key, inPort));
        key.RecirculationId = recirculationId;
        pool.Free(packet);
        FlowKey mask = new() { InPort = uint.MaxValue, RecirculationId = uint.MaxValue, EtherType = ushort.MaxValue, Ipv4Source = uint.MaxValue };
        Assert.False(datapath.Flows.Put(in key, in mask, actions, default, FlowPutMode.CreateOnly, out Flow? flow).IsRefused);
        return flow!;
    }

    // What pop_nsh leaves of a packet may be shorter than the Ethernet header it promises.
    [Fact]
    public void A_packet_too_short_for_its_Ethernet_header_does_not_leave_by_a_tunnel_that_it_does_not_have()
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        Vport tunnel = new(9, "vxlan", VportType.Vxlan, ends.Driver);
        Assert.False(_datapath.Vports.TryAdd(tunnel).IsRefused);
        Worker worker = _datapath.Workers[0];
        Assert.True(tunnel.MaximumTransmissionUnit < 0);
        for (int length = 0; length < 20; length++)
        {
            Packet* packet = worker.Pool.TryAllocate();
            Assert.True(packet->TrySetBytes(new byte[length]));
            packet->HasEthernet = true;
            FlowKey key = new() { MacProtocol = 1 };
            Assert.Equal(Errno.None, worker.Execute(packet, ref key, Output(9)));
            worker.Flush();
            Assert.Equal((ulong)length + 1, _datapath.DropsOf(DropReason.NoTunnel));
        }

        Assert.Empty(ends.Underlay.Sent);
        Assert.Equal(0, worker.Pool.UsedCount);
        _datapath.Vports.Remove(tunnel);
    }

    private void Run(uint port, params byte[][] packets) => Run(_datapath, port, packets);

    private void Run(Datapath datapath, uint port, params byte[][] packets)
    {
        foreach (byte[] packet in packets)
        {
            Assert.True(_ports[port].TryPut(packet));
        }

        while (datapath.Workers[0].Poll(datapath.Vports[port]!) != 0)
        {
        }
    }

    private List<byte[]> Sent(int port)
    {
        List<byte[]> packets = [];
        byte[] buffer = new byte[2000];
        while (_ports[port].TryTake(buffer, out int length))
        {
            packets.Add(buffer[..length]);
        }

        return packets;
    }

    private static ActionList Output(uint port) =>
        Actions((ref NetlinkWriter writer) => writer.Put((int)OvsActionAttribute.Output, port));

    private static ActionList Actions(WriteActions write)
    {
        NetlinkWriter writer = new(new byte[256]);
        write(ref writer);
        FlowKey key = new() { MacProtocol = 1, EtherType = 0x0806 };
        Refusal refusal = ActionList.TryCreate(writer.Written, in key, ActionFeatures.All, out ActionList? list);
        Assert.False(refusal.IsRefused, refusal.ToString());
        return list!;
    }

    private static byte[] Udp(byte host, byte mark)
    {
        byte[] packet = Convert.FromHexString("02000000000202000000000108004500002000000000401100000a0000000a00010000350035000c0000" + "00000000");
        packet[29] = host;
        packet[^1] = mark;
        return packet;
    }

    private delegate void WriteActions(ref NetlinkWriter writer);

    private sealed class CollectingHandler : IUpcallHandler
    {
        public List<byte[]> Packets { get; } = [];

        public List<(UpcallCommand Command, uint PortId, int OriginalLength, string Userdata)> Arguments { get; } = [];

        public void Handle(ref Upcall upcall, IUpcallReply port)
        {
            Packets.Add(upcall.Bytes.ToArray());
            Arguments.Add((upcall.Command, upcall.PortId, upcall.OriginalLength, Convert.ToHexStringLower(upcall.Userdata)));
        }
    }

    private sealed class InstallingHandler(Datapath datapath, ActionList actions) : IUpcallHandler
    {
        public int Count { get; private set; }

        public void Handle(ref Upcall upcall, IUpcallReply port)
        {
            Count++;
            FlowKey mask = new() { InPort = uint.MaxValue };
            datapath.Flows.Put(in upcall.Key, in mask, actions, default, FlowPutMode.CreateOnly, out _);
            Assert.Equal(Errno.None, port.Execute(ref upcall, actions));
            Assert.Equal(Errno.InvalidArgument, port.Execute(ref upcall, actions));
        }
    }
}
