using Engine.Actions;
using Engine.Control;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;
using Engine.Tests.Conformance;
using Engine.Vports;

namespace Engine.Tests.Control;

/// <summary>What clients send that no control program would: the server goes on, and nobody gets more than is his.</summary>
public sealed unsafe class HostileClientTests : IDisposable
{
    private const int FirstDatapath = 2;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"engine-{Environment.ProcessId}-{Guid.NewGuid():N}.sock");
    private readonly ControlServer _server = new(new MemoryNetwork(), new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 64 } });
    private readonly SocketServer _sockets;
    private readonly MemoryClient _client = new(100);

    public HostileClientTests()
    {
        _sockets = new SocketServer(_server, _path);
        Assert.True(_server.TryAdd(_client));
    }

    public void Dispose()
    {
        _sockets.Dispose();
        _server.Dispose();
    }

    // Memory that its maker can take away would end whoever looks at it then.
    [Theory]
    [InlineData(0, 4096)]
    [InlineData(Libc.MFD_ALLOW_SEALING, 4096)]
    [InlineData(Libc.MFD_ALLOW_SEALING, 0)]
    public void Memory_for_calls_that_may_shrink_is_not_taken(uint flags, int size)
    {
        using FileDescriptor memory = FileDescriptor.FromCall(Libc.memfd_create("test", Libc.MFD_CLOEXEC | flags), "memfd_create");
        Assert.Equal(0, Libc.ftruncate(memory.Number, size));
        if (size == 0)
        {
            Assert.Equal(0, Libc.fcntl(memory.Number, Libc.F_ADD_SEALS, Libc.F_SEAL_SHRINK));
        }

        using SequencedSocket client = SequencedSocket.Connect(_path);
        Assert.True(new ExecMessage { Kind = ExecMessageKind.Pending }.TrySend(client, memory));
        Assert.Equal(0, client.Receive(new byte[16], out _));
        AssertServes();
    }

    [Fact]
    public void A_descriptor_that_is_no_socket_does_not_become_a_client()
    {
        using FileDescriptor ready = FileDescriptor.FromCall(Libc.eventfd(1, Libc.O_NONBLOCK | Libc.O_CLOEXEC), "eventfd");
        using SequencedSocket client = SequencedSocket.Connect(_path);
        Assert.True(new ExecMessage { Kind = ExecMessageKind.Socket, PortId = 77, Inode = 78 }.TrySend(client, ready));
        AssertServes(client);
        Assert.Equal(1, _sockets.ClientCount);
    }

    // A session that is told of calls and cannot take them must end, and not try for ever.
    [Fact]
    public void What_is_no_listener_gives_no_calls()
    {
        using PendingCalls pending = new();
        using SeccompListener listener = new(FileDescriptor.FromCall(Libc.eventfd(1, Libc.O_NONBLOCK | Libc.O_CLOEXEC), "eventfd"));
        Assert.False(listener.TryReceive(pending, 0, out _));
    }

    [Fact]
    public void A_second_descriptor_of_a_datagram_is_closed()
    {
        using SequencedSocket ours = SequencedSocket.TryPair(isSecondNonBlocking: false, out SequencedSocket? theirs)!;
        using (theirs)
        {
            using SequencedSocket reader = SequencedSocket.TryPair(isSecondNonBlocking: false, out SequencedSocket? writer)!;
            using (FileDescriptor other = FileDescriptor.FromCall(Libc.eventfd(0, Libc.O_CLOEXEC), "eventfd"))
            using (writer)
            {
                // struct cmsghdr with two descriptors.
                byte* control = stackalloc byte[24];
                *(nuint*)control = 24;
                *(int*)(control + 8) = Libc.SOL_SOCKET;
                *(int*)(control + 12) = Libc.SCM_RIGHTS;
                *(int*)(control + 16) = other.Number;
                *(int*)(control + 20) = writer!.Number;
                byte data = 1;
                Libc.iovec vector = new() { iov_base = (nint)(&data), iov_len = 1 };
                Libc.msghdr message = new() { msg_iov = &vector, msg_iovlen = 1, msg_control = (nint)control, msg_controllen = 24 };
                Assert.Equal(1, Libc.sendmsg(ours.Number, &message, 0));
            }

            Assert.Equal(1, theirs!.Receive(new byte[16], out FileDescriptor? first));
            using (first)
            {
                // Nobody has the other end any more.
                Assert.NotNull(first);
                Assert.Equal(0, reader.Receive(new byte[16], out _));
            }
        }
    }

    // The longest flow there is does not fit what Open vSwitch reads at once; beside it go those that do.
    [Fact]
    public void A_dump_with_the_longest_flow_ends_and_has_all_flows()
    {
        _server.Handle(_client, new RequestBuilder().NewDatapath("dp0").Bytes);
        _client.TakeMessages();
        Datapath datapath = _server.CurrentDatapaths.Single().Datapath;
        FlowKey mask = new() { InPort = uint.MaxValue };
        foreach (int outputs in (int[])[1, 8191, 2, 8191, 8191])
        {
            NetlinkWriter writer = new(new byte[1 << 17]);
            for (int i = 0; i < outputs; i++)
            {
                writer.Put((int)OvsActionAttribute.Output, (uint)i);
            }

            FlowKey key = new() { MacProtocol = 1, InPort = (uint)datapath.Flows.Count };
            Assert.Equal(Refusal.None, ActionList.TryCreate(writer.Written, in key, ActionFeatures.All, out ActionList? list));
            Assert.NotNull(list);
            datapath.Flows.Put(in key, in mask, list, default, FlowPutMode.CreateOnly, out _);
        }

        _server.Handle(_client, new RequestBuilder().Add(RequestBuilder.Flow, 3, NetlinkFlags.Dump, FirstDatapath).Bytes);
        List<byte[]> messages = _client.TakeMessages();
        Assert.Equal(6, messages.Count);
        Assert.Equal(3, messages.Count(static message => message.Length > 65_528));
        Assert.Equal(NetlinkHeader.DoneType, BitConverter.ToUInt16(messages[^1], 4));
        Assert.False(_client.IsDumping);
    }

    [Fact]
    public void A_list_that_no_attribute_can_hold_is_refused()
    {
        NetlinkWriter actions = new(new byte[1 << 17]);
        for (int i = 0; i < 8192; i++)
        {
            actions.Put((int)OvsActionAttribute.Output, 1u);
        }

        FlowKey key = new() { MacProtocol = 1 };
        Assert.Equal(Errno.MessageTooLong, ActionList.TryCreate(actions.Written, in key, ActionFeatures.All, out _).Errno);
        NetlinkWriter writer = new(new byte[1 << 18]);
        int nested = writer.BeginNested(1);
        writer.PutRaw(actions.Written);
        writer.EndNested(nested);
        Assert.True(writer.Overflowed);
    }

    [Fact]
    public void Limits_of_more_zones_than_an_answer_holds_are_told_in_parts_only()
    {
        const ushort Limits = 0x7f05;
        for (int first = 0; first < 6000; first += 600)
        {
            _server.Handle(_client, new RequestBuilder().Add(Limits, 1, NetlinkFlags.Ack, 0, (ref writer) => PutZones(ref writer, first)).Bytes);
        }

        Assert.All(_client.TakeMessages().Where(static message => BitConverter.ToUInt16(message, 4) == NetlinkHeader.ErrorType), static message => Assert.Equal(0, BitConverter.ToInt32(message, 16)));
        _server.Handle(_client, new RequestBuilder().Add(Limits, 3, 0, 0).Add(Limits, 3, 0, 0, static (ref writer) => PutZones(ref writer, 600)).Bytes);
        List<byte[]> answers = _client.TakeMessages();
        Assert.Equal(-(int)Errno.MessageTooLong, BitConverter.ToInt32(answers[0], 16));
        Assert.True(answers[1].Length > 600 * 12);
    }

    [Fact]
    public void A_name_is_one_port_s_in_all_datapaths_and_an_index_is_wished_for_internal_ports_only()
    {
        using ControlServer server = new(new AnyHost(), new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 64 } });
        server.TryAdd(_client);
        server.Handle(_client, new RequestBuilder().NewDatapath("dp0").NewDatapath("dp1").NewVport(1, "x", (uint)VportType.Gre).NewVport(2, "x", (uint)VportType.Ip6Gre)
            .NewVport(2, "x", (uint)VportType.Internal).NewDatapath("x").Add(RequestBuilder.Vport, 1, NetlinkFlags.Ack, 2, static (ref writer) =>
            {
                writer.PutOvsVportName("y");
                writer.PutOvsVportType((uint)VportType.Gre);
                writer.PutOvsVportUpcallPortIds([0, 0, 0, 0]);
                writer.PutOvsVportIfindex(9);
            }).Bytes);
        Assert.Equal([0, 0, 0, -17, -17, -17, -95], _client.TakeMessages().Select(static message => BitConverter.ToInt32(message, 16)));
    }

    // trunc counts from the end, as the kernel does; after pops there may be less than it cuts.
    [Theory]
    [InlineData(14, 0)]
    [InlineData(40, 22)]
    public void A_packet_cut_and_popped_goes_up_with_what_is_left(int length, int left)
    {
        byte[] frame = Convert.FromHexString("0200000000020200000000018847000011ff45000020000000004011000001010101020202020001000200000000aabbccdd");
        FlowKey key = new() { MacProtocol = 1 };
        List<byte[]> sent = Send(frame, default, ref key, (ref writer) =>
        {
            writer.Put((int)OvsActionAttribute.Truncate, (uint)length);
            writer.Put((int)OvsActionAttribute.PopEthernet, []);
            writer.Put((int)OvsActionAttribute.PopMpls, new Be16(0x0800));
        });
        (byte[] packet, uint whole) = Read(Assert.Single(sent));
        Assert.Equal((left, (uint)(frame.Length - 18)), (packet.Length, whole));
        Assert.Equal(frame[18..(18 + left)], packet);
    }

    // The checksum is over the whole packet, whatever is left of it.
    [Theory]
    [InlineData(40)]
    [InlineData(60)]
    public void A_checksum_that_is_not_there_yet_is_finished_before_the_packet_is_cut(int length)
    {
        byte[] frame = Convert.FromHexString("02000000000202000000000108004500003c00000000401100000101010102020202000100020028000000000000000000000000000000000000000000000000aabbccdd00000000");
        FlowKey key = new() { MacProtocol = 1 };
        PacketOffload partial = new() { Flags = ChecksumOffload.NeedsChecksum, ChecksumStart = 34, ChecksumOffset = 6 };
        byte[] whole = Read(Assert.Single(Send(frame, partial, ref key, static (ref writer) => { }))).Packet;
        Assert.Equal(frame.Length, whole.Length);
        Assert.NotEqual(0, whole[40] | whole[41]);
        (byte[] cut, uint told) = Read(Assert.Single(Send(frame, partial, ref key, (ref writer) => writer.Put((int)OvsActionAttribute.Truncate, (uint)length))));
        Assert.Equal((uint)frame.Length, told);
        Assert.Equal(whole[..length], cut);
    }

    private static void PutZones(ref NetlinkWriter writer, int first)
    {
        byte[] zones = new byte[600 * 12];
        for (int i = 0; i < 600; i++)
        {
            BitConverter.TryWriteBytes(zones.AsSpan(i * 12), first + i);
            BitConverter.TryWriteBytes(zones.AsSpan((i * 12) + 4), 5);
        }

        writer.Put(1, zones);
    }

    // The upcalls of one packet that actions and an upcall to the client are executed on.
    private List<byte[]> Send(byte[] frame, PacketOffload offload, ref FlowKey key, RequestBuilder.PutAttributes put)
    {
        if (_server.CurrentDatapaths.IsEmpty)
        {
            _server.Handle(_client, new RequestBuilder().NewDatapath("dp0", _client.PortId).Bytes);
            _client.TakeMessages();
        }

        NetlinkWriter writer = new(new byte[256]);
        put(ref writer);
        int nested = writer.BeginNested((int)OvsActionAttribute.Userspace);
        writer.Put(1, _client.PortId);
        writer.EndNested(nested);
        Worker worker = _server.CurrentDatapaths.Single().ControlWorker;
        Packet* packet = worker.Pool.TryAllocate();
        Assert.True(packet->TrySetBytes(frame));
        packet->HasEthernet = true;
        packet->Offload = offload;
        Assert.True(FlowKeyExtractor.TryExtract(packet, ref key));
        Assert.Equal(Refusal.None, ActionList.TryCreate(writer.Written, in key, ActionFeatures.All, out ActionList? actions));
        worker.Execute(packet, ref key, actions!);
        worker.Flush();
        return _client.TakeMessages();
    }

    // The packet of an upcall, and the length that is told with it.
    private static (byte[] Packet, uint Length) Read(byte[] message)
    {
        byte[] packet = [];
        uint length = 0;
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(message.AsSpan(24)))
        {
            switch ((OvsPacketAttribute)attribute.Type)
            {
                case OvsPacketAttribute.Packet:
                    packet = attribute.Payload.ToArray();
                    break;
                case OvsPacketAttribute.Length:
                    length = BitConverter.ToUInt32(attribute.Payload);
                    break;
            }
        }

        return (packet, length);
    }

    // Another client is served, and so is this one if it is still there.
    private void AssertServes(SequencedSocket? same = null)
    {
        using SequencedSocket? other = same is null ? SequencedSocket.Connect(_path) : null;
        SequencedSocket client = same ?? other!;
        Assert.True(client.TrySend(new RequestBuilder().Add(RequestBuilder.Datapath, 3, NetlinkFlags.Dump, 0).Bytes));
        Assert.Equal(20, client.Receive(new byte[64], out _));
    }

    /// <summary>A host that makes everything it is asked for.</summary>
    private sealed class AnyHost : IVportFactory
    {
        private int _index;

        public Errno TryCreate(VportRequest request, out VportDevice? device)
        {
            device = new VportDevice(request.Name, ++_index, new NullDriver());
            return Errno.None;
        }
    }
}
