using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Platform;
using Engine.Primitives;
using Engine.Tests.Conformance;
using Engine.Vports;

namespace Engine.Tests.Control;

/// <summary>What the server does with buffers, clients and their limits, whatever the family.</summary>
public sealed class ControlServerTests : IDisposable
{
    private const int FirstDatapath = 4;

    private readonly MemoryNetwork _network = new();
    private readonly ControlServer _server;
    private readonly MemoryClient _client = new(100);

    public ControlServerTests()
    {
        _network.Run("ip link add p1 type veth peer name p1x");
        _server = new ControlServer(_network, new ControlServerOptions
        {
            Datapath = new DatapathOptions { FrameCount = 64, CacheEntries = 0, UpcallCapacity = 8 },
        });
        Assert.True(_server.TryAdd(_client));
    }

    public void Dispose() => _server.Dispose();

    [Fact]
    public void Each_request_of_a_buffer_is_acknowledged_in_order()
    {
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0").NewVport(FirstDatapath, "in1", 2).NewVport(FirstDatapath, "in1", 2).NewDatapath("dp1").Bytes);
        Assert.Equal([(1, 0), (2, 0), (3, -17), (4, 0)], _client.TakeMessages().Select(Answer));
    }

    [Fact]
    public void What_follows_a_malformed_message_is_left_out()
    {
        byte[] buffer = new RequestBuilder().NewDatapath("dp0").NewDatapath("dp1").NewDatapath("dp2").Bytes;
        int second = BitConverter.ToInt32(buffer);
        BitConverter.TryWriteBytes(buffer.AsSpan(second), 15);
        _server.Handle(_client, buffer);
        Assert.Equal([(1, 0)], _client.TakeMessages().Select(Answer));
    }

    [Fact]
    public void A_message_that_asks_for_nothing_is_only_acknowledged()
    {
        byte[] buffer = new RequestBuilder().NewDatapath("dp0").Bytes;
        BitConverter.TryWriteBytes(buffer.AsSpan(6), NetlinkFlags.Ack);
        _server.Handle(_client, buffer);
        Assert.Equal([(1, 0)], _client.TakeMessages().Select(Answer));
        Assert.Empty(_server.CurrentDatapaths);
    }

    [Theory]
    [InlineData(0x1234, 1, -2)] // No such family.
    [InlineData(RequestBuilder.Datapath, 9, -95)] // No such command.
    [InlineData(RequestBuilder.Packet, 1, -95)] // MISS goes up only.
    public void A_request_that_nobody_understands_is_refused(ushort family, byte command, int result)
    {
        _server.Handle(_client, new RequestBuilder().Add(family, command, 0, 0).Bytes);
        Assert.Equal([(1, result)], _client.TakeMessages().Select(Answer));
    }

    [Theory]
    [InlineData(0u, 0u, 0)] // As ovs-dpctl prints every flow.
    [InlineData(0u, 0x20u, 0)] // Not tracked: so is every packet.
    [InlineData(0x20u, 0x20u, -22)]
    public void A_flow_for_tracked_packets_is_refused_until_packets_are_tracked(uint state, uint mask, int result)
    {
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0").Add(RequestBuilder.Flow, 1, NetlinkFlags.Ack, FirstDatapath, (ref writer) =>
        {
            foreach ((OvsFlowAttribute attribute, uint value) in (ReadOnlySpan<(OvsFlowAttribute, uint)>)[(OvsFlowAttribute.Key, state), (OvsFlowAttribute.Mask, mask)])
            {
                int nested = writer.BeginNested((int)attribute);
                writer.Put((int)OvsKeyAttribute.InPort, 0u);
                writer.Put((int)OvsKeyAttribute.ConntrackState, value);
                writer.Put((int)OvsKeyAttribute.Ethernet, new byte[12]);
                writer.EndNested(nested);
            }

            writer.EndNested(writer.BeginNested((int)OvsFlowAttribute.Actions));
        }).Bytes);
        Assert.Equal([(1, 0), (2, result)], _client.TakeMessages().Select(Answer));
    }

    [Fact]
    public void A_header_cut_short_is_refused()
    {
        byte[] buffer = new RequestBuilder().Add(RequestBuilder.Datapath, 3, 0, 0).Bytes[..20];
        BitConverter.TryWriteBytes(buffer, 20);
        _server.Handle(_client, buffer);
        Assert.Equal([(1, -22)], _client.TakeMessages().Select(Answer));
    }

    [Fact]
    public void Who_is_no_administrator_may_look_but_not_touch()
    {
        MemoryClient guest = new(101) { IsAdministrator = false };
        _server.TryAdd(guest);
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0").Bytes);
        _server.Handle(guest, new RequestBuilder().NewDatapath("dp1").Add(RequestBuilder.Datapath, 3, NetlinkFlags.Ack, FirstDatapath).Bytes);
        List<byte[]> answers = guest.TakeMessages();
        Assert.Equal((1, -1), Answer(answers[0]));
        Assert.Equal(RequestBuilder.Datapath, BitConverter.ToUInt16(answers[1], 4));
        Assert.Equal((2, 0), Answer(answers[2]));
    }

    [Fact]
    public void An_error_repeats_the_request_unless_the_client_wants_it_short()
    {
        byte[] request = new RequestBuilder().Add(RequestBuilder.Datapath, 1, 0, 0).Bytes;
        _server.Handle(_client, request);
        _client.WantsShortErrors = true;
        _server.Handle(_client, request);
        List<byte[]> answers = _client.TakeMessages();
        Assert.Equal(request, answers[0][20..]);
        Assert.Equal(request[..16], answers[1][20..]);
        Assert.Equal(NetlinkFlags.Capped, BitConverter.ToUInt16(answers[1], 6));
    }

    [Fact]
    public void A_client_without_extended_acks_gets_the_errno_alone()
    {
        RequestBuilder request = new RequestBuilder().Add(RequestBuilder.Datapath, 1, 0, 0, static (ref writer) => writer.Put((int)OvsDatapathAttribute.UpcallPortId, new byte[2]));
        _server.Handle(_client, request.Bytes);
        _client.WantsExtendedAcks = false;
        _server.Handle(_client, request.Bytes);
        List<byte[]> answers = _client.TakeMessages();
        Assert.All(answers, static answer => Assert.Equal((1, -34), Answer(answer)));
        Assert.True(answers[0].Length > answers[1].Length);
        Assert.Equal(20 + request.Bytes.Length, answers[1].Length);
    }

    [Fact]
    public void A_long_dump_waits_for_its_reader_and_loses_nothing()
    {
        RequestBuilder setUp = new RequestBuilder().NewDatapath("dp0");
        for (int i = 0; i < 600; i++)
        {
            setUp.NewVport(FirstDatapath, $"in{i}", 2, flags: 0);
        }

        _server.Handle(_client, setUp.Bytes);
        Assert.Single(_client.TakeMessages());

        _client.Capacity = 1;
        _server.Handle(_client, new RequestBuilder().Add(RequestBuilder.Vport, 3, NetlinkFlags.Dump, FirstDatapath).Bytes);
        List<byte[]> messages = [];
        int datagrams = 0;
        while (_client.TakeDatagram() is { } datagram)
        {
            Assert.InRange(datagram.Length, 16, 65536);
            MemoryClient.Split(datagram, messages);
            datagrams++;
            _server.Continue(_client);
        }

        Assert.True(datagrams > 2);
        Assert.Equal(602, messages.Count);
        Assert.Equal(NetlinkHeader.DoneType, BitConverter.ToUInt16(messages[^1], 4));
        Assert.All(messages, static message => Assert.Equal(NetlinkFlags.Multi, BitConverter.ToUInt16(message, 6)));
        Assert.False(_client.IsDumping);
        Assert.Equal(0, _client.Lost);
    }

    [Fact]
    public void A_dump_says_when_what_it_dumps_has_changed()
    {
        RequestBuilder setUp = new RequestBuilder().NewDatapath("dp0");
        for (int i = 0; i < 600; i++)
        {
            setUp.NewVport(FirstDatapath, $"in{i}", 2, flags: 0);
        }

        _server.Handle(_client, setUp.Bytes);
        _client.TakeMessages();
        _client.Capacity = 1;
        _server.Handle(_client, new RequestBuilder().Add(RequestBuilder.Vport, 3, NetlinkFlags.Dump, FirstDatapath).Bytes);
        _client.TakeDatagram();
        MemoryClient other = new(102);
        _server.TryAdd(other);
        _server.Handle(other, new RequestBuilder().NewVport(FirstDatapath, "late", 2).Bytes);

        // The datagram that waits was made before the change.
        _server.Continue(_client);
        _client.TakeDatagram();
        _server.Continue(_client);
        byte[] next = _client.TakeDatagram()!;
        Assert.Equal(NetlinkFlags.Multi | NetlinkFlags.DumpInterrupted, BitConverter.ToUInt16(next, 6));
    }

    [Fact]
    public void Ports_that_go_in_the_middle_of_a_dump_are_left_out()
    {
        RequestBuilder setUp = new RequestBuilder().NewDatapath("dp0"), goes = new();
        for (int i = 0; i < 2000; i++)
        {
            setUp.NewVport(FirstDatapath, $"in{i}", 2, flags: 0);
            goes.Add(RequestBuilder.Vport, 2, 0, FirstDatapath, (ref writer) => writer.PutOvsVportName($"in{i}"));
        }

        _server.Handle(_client, setUp.Bytes);
        _client.TakeMessages();
        _client.Capacity = 1;
        _server.Handle(_client, new RequestBuilder().Add(RequestBuilder.Vport, 3, NetlinkFlags.Dump, FirstDatapath).Bytes);
        MemoryClient other = new(102);
        _server.TryAdd(other);
        _server.Handle(other, goes.Bytes);
        List<byte[]> messages = [];
        while (_client.TakeDatagram() is { } datagram)
        {
            MemoryClient.Split(datagram, messages);
            _server.Continue(_client);
        }

        // Two datagrams were made before.
        Assert.InRange(messages.Count, 100, 1500);
        Assert.Equal(NetlinkHeader.DoneType, BitConverter.ToUInt16(messages[^1], 4));
    }

    [Fact]
    public void A_host_that_gives_nothing_more_fails_the_request_and_nothing_else()
    {
        List<string> logged = [];
        using ControlServer server = new(new PoorHost(), new ControlServerOptions { Log = logged.Add });
        server.TryAdd(_client);
        server.Handle(_client, new RequestBuilder().NewDatapath("dp0").Add(RequestBuilder.Datapath, 3, NetlinkFlags.Dump | NetlinkFlags.Ack, 0).Bytes);
        List<byte[]> answers = _client.TakeMessages();
        Assert.Equal((1, -(int)Errno.TooManyFiles), Answer(answers[0]));
        Assert.Equal(NetlinkHeader.DoneType, BitConverter.ToUInt16(Assert.Single(answers[1..]), 4));
        Assert.Contains("socket", Assert.Single(logged), StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_dump_has_to_wait_for_the_first()
    {
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0").Bytes);
        _client.TakeMessages();
        _client.Capacity = 0;
        byte[] dump = new RequestBuilder().Add(RequestBuilder.Vport, 3, NetlinkFlags.Dump, FirstDatapath).Bytes;
        _server.Handle(_client, dump);
        Assert.True(_client.IsDumping);
        _client.Capacity = 1;
        _server.Handle(_client, dump);
        Assert.Equal((1, -16), Answer(_client.TakeMessages().Single()));
    }

    [Fact]
    public void A_client_that_closes_in_the_middle_of_a_dump_is_forgotten()
    {
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0").Bytes);
        _client.Capacity = 0;
        _server.Handle(_client, new RequestBuilder().Add(RequestBuilder.Vport, 3, NetlinkFlags.Dump, FirstDatapath).Bytes);
        _server.Remove(_client);
        _server.Continue(_client);
        Assert.False(_client.IsDumping);
        Assert.True(_server.TryAdd(new MemoryClient(_client.PortId)));
    }

    [Fact]
    public void Upcalls_that_a_client_does_not_take_are_counted_as_lost()
    {
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0", _client.PortId).NewVport(FirstDatapath, "p1", 1, _client.PortId).Bytes);
        _client.TakeMessages();
        _client.Capacity = 3;
        ControlledDatapath datapath = _server.CurrentDatapaths.Single();
        Vport vport = datapath.Datapath.Vports.Find("p1")!;
        for (int i = 0; i < 10; i++)
        {
            Assert.True(_network.DriverBehind("p1x")!.TryPut(Convert.FromHexString("0200000000020200000000010800450000140000000040110000")));
            datapath.Datapath.Workers[0].Poll(vport);
        }

        Assert.Equal(3, _client.TakeMessages().Count);
        Assert.Equal(7, _client.Lost);
        Assert.Equal((10ul, 7ul), (datapath.Datapath.ReadStats().Missed, datapath.Datapath.ReadStats().Lost));
    }

    // Sends of one buffer go out together, but not after what may take their port away.
    [Theory]
    [InlineData(1, false)]
    [InlineData(100, false)]
    [InlineData(40, true)]
    public void Packets_executed_from_one_buffer_are_sent_before_the_call_returns_and_before_their_port_goes(int count, bool removesPort)
    {
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0").NewVport(FirstDatapath, "p1", 1).Bytes);
        _client.TakeMessages();
        ControlledVport port = _server.CurrentDatapaths.Single().Find(1)!;
        RequestBuilder requests = new();
        for (int i = 0; i < count; i++)
        {
            requests.Add(RequestBuilder.Packet, 3, 0, FirstDatapath, (ref writer) =>
            {
                writer.PutOvsPacketPacket(Convert.FromHexString("0200000000020200000000019999000000000000"));
                writer.EndNested(writer.BeginOvsPacketKey());
                int actions = writer.BeginNested((int)OvsPacketAttribute.Actions);
                writer.Put((int)OvsActionAttribute.Output, 1u);
                writer.EndNested(actions);
            });
        }

        if (removesPort)
        {
            requests.Add(RequestBuilder.Vport, 2, NetlinkFlags.Ack, FirstDatapath, static (ref writer) => writer.PutOvsVportName("p1"));
        }

        _server.Handle(_client, requests.Bytes);
        Assert.Equal(removesPort ? 1 : 0, _client.TakeMessages().Count);
        Assert.Equal((ulong)count, port.ReadStats().TxPackets);
    }

    [Fact]
    public void Upcalls_of_a_worker_go_to_its_port_id_when_they_go_by_processor()
    {
        MemoryClient second = new(103);
        _server.TryAdd(second);
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0", _client.PortId).NewVport(FirstDatapath, "p1", 1, _client.PortId).Add(
            RequestBuilder.Datapath, 4, NetlinkFlags.Ack, FirstDatapath, static (ref writer) =>
            {
                writer.PutOvsDatapathUserFeatures((uint)DatapathFeatures.PerProcessorUpcalls);
                writer.PutOvsDatapathPerProcessorPortIds([103, 0, 0, 0]);
            }).Bytes);
        _client.TakeMessages();
        ControlledDatapath datapath = _server.CurrentDatapaths.Single();
        _network.DriverBehind("p1x")!.TryPut(Convert.FromHexString("0200000000020200000000010800450000140000000040110000"));
        datapath.Datapath.Workers[0].Poll(datapath.Datapath.Vports.Find("p1")!);
        Assert.Empty(_client.TakeMessages());
        Assert.Equal(RequestBuilder.Packet, BitConverter.ToUInt16(second.TakeMessages().Single(), 4));
    }

    [Fact]
    public void A_device_that_goes_takes_its_port_with_it_and_the_group_is_told()
    {
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0").NewVport(FirstDatapath, "p1", 1).Bytes);
        _client.TakeMessages();
        _client.Join(_server.Options.FirstGroup + 1);
        Assert.True(_server.DetachDevice(3));
        Assert.False(_server.DetachDevice(3));
        Assert.False(_server.DetachDevice(FirstDatapath));
        byte[] told = _client.TakeMessages().Single();
        Assert.Equal((RequestBuilder.Vport, (byte)2), (BitConverter.ToUInt16(told, 4), told[16]));
        Assert.Null(_server.CurrentDatapaths.Single().Find(1));
    }

    private static (int Sequence, int Result) Answer(byte[] message)
    {
        Assert.Equal(NetlinkHeader.ErrorType, BitConverter.ToUInt16(message, 4));
        return (BitConverter.ToInt32(message, 8), BitConverter.ToInt32(message, 16));
    }

    /// <summary>A host whose process has all the descriptors it may have.</summary>
    private sealed class PoorHost : IVportFactory
    {
        public Errno TryCreate(VportRequest request, out VportDevice? device) => throw new SystemCallException("socket", Errno.TooManyFiles);
    }
}
