using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;
using Engine.Tests.Allocation;
using static Engine.Tests.Actions.ActionBytes;

namespace Engine.Tests.Actions;

/// <summary>What lists do with packets beyond single actions, which the golden vectors cover: order, nesting, limits, drops, hooks.</summary>
public sealed unsafe class ActionExecutorTests : IDisposable
{
    private const ushort Tag = 0x1005;

    private readonly Recording _recording = new();

    public void Dispose() => _recording.Dispose();

    /// <summary>Why the row is there, the actions, the lengths and ports sent, the drops.</summary>
    public static TheoryData<string, byte[], string, string> Lists => new()
    {
        { "nothing to do", [], "", "LastAction" },
        { "one output needs no copy", Output(2), "2:86", "" },
        { "a copy for all but the last output", [.. Output(2), .. Output(3)], "2:86 3:86", "" },
        { "a list that does not end with an output drops its packet", [.. Output(2), .. PushVlan(0x8100, Tag)], "2:86", "LastAction" },
        { "trunc is used up by one output", [.. Truncate(60), .. Output(2), .. Output(3)], "2:60 3:86", "" },
        { "trunc counts what it cuts, so a label pushed later is sent too", [.. Truncate(60), .. PushMpls(0x00001140, 0x8847), .. Output(2)], "2:64", "" },
        { "trunc does not count the tag", [.. PushVlan(0x8100, Tag), .. Truncate(60), .. Output(2)], "2:64", "" },
        { "trunc longer than the packet does not take back the one before", [.. Truncate(60), .. Truncate(9000), .. Output(2)], "2:60", "" },
        { "trunc leaves the Ethernet header", [.. PushMpls(0x00001140, 0x8847), .. Truncate(14), .. Output(2)], "2:14", "" },
        { "explicit drop", [.. Output(2), .. Drop(0)], "2:86", "Explicit" },
        { "explicit drop with an error", Drop(7), "", "ExplicitWithError" },
        { "a meter passes", [.. Meter(5), .. Output(2)], "2:86", "" },
        { "a meter drops", [.. Meter(9), .. Output(2)], "", "Meter" },
        { "sample never", [.. Sample(0, Output(2)), .. Output(3)], "3:86", "" },
        { "sample never, and nothing else", Sample(0, Output(2)), "", "LastAction" },
        { "sample always, without a number drawn", [.. Sample(uint.MaxValue, Output(2)), .. Output(3)], "2:86 3:86", "" },
        { "sample changes its own copy", [.. Sample(uint.MaxValue, [.. PushVlan(0x8100, Tag), .. Output(2)]), .. Output(3)], "2:90 3:86", "" },
        { "clone of nothing", [.. Clone(), .. Output(3)], "3:86", "LastAction" },
        { "clone changes its own copy", [.. Clone([.. PushVlan(0x8100, Tag), .. Output(2)]), .. Output(3)], "2:90 3:86", "" },
        { "short packets", [.. CheckLength(86, [.. Output(2)], [.. Output(3)]), .. Output(4)], "3:86 4:86", "" },
        { "long packets", [.. CheckLength(85, [.. PushVlan(0x8100, Tag), .. Output(2)], [.. Output(3)]), .. Output(4)], "2:90 4:86", "" },
        { "check_pkt_len does not count the tag", [.. PushVlan(0x8100, Tag), .. CheckLength(86, [.. Output(2)], [.. Output(3)])], "3:90", "" },
        { "lists of check_pkt_len of several steps", CheckLength(85, [.. Output(2), .. Output(3)], [.. Output(4), .. Output(5), .. Output(6)]), "2:86 3:86", "" },
        { "TTL left", [.. DecrementTtl(Output(3)), .. Output(2)], "2:86", "" },
    };

    [Theory]
    [MemberData(nameof(Lists))]
    public void A_list_sends_and_drops(string why, byte[] actions, string outputs, string drops)
    {
        Assert.NotEmpty(why);
        _recording.OverMeter = 9;
        Assert.Equal(Errno.None, Execute(actions, Frames.Tcp4));
        Assert.Equal(outputs, Sent());
        Assert.Equal(drops, string.Join(' ', _recording.Drops));
    }

    [Theory]
    [InlineData(0x7fff_ffffu, 0x7fff_ffffu, true)]
    [InlineData(0x7fff_ffffu, 0x8000_0000u, false)]
    [InlineData(1u, 0u, true)]
    [InlineData(1u, 2u, false)]
    public void Sample_compares_its_probability_with_a_random_number(uint probability, uint random, bool isSampled)
    {
        _recording.Randoms.Enqueue(random);
        Execute([.. Sample(probability, Output(2)), .. Output(3)], Frames.Tcp4);
        Assert.Equal(isSampled ? "2:86 3:86" : "3:86", Sent());
    }

    [Fact]
    public void A_used_up_TTL_ends_the_list_with_the_actions_for_it()
    {
        byte[] frame = [.. Frames.Tcp4];
        frame[22] = 1;
        Execute([.. DecrementTtl(Output(3)), .. Output(2)], frame);
        Assert.Equal("3:86", Sent());
        Assert.Equal(frame, _recording.Outputs[0].Packet);

        _recording.Outputs.Clear();
        Execute([.. DecrementTtl(), .. Output(2)], frame);
        Assert.Empty(_recording.Outputs);
        Assert.Equal([DropReason.IpTtl], _recording.Drops);
    }

    [Fact]
    public void A_step_that_fails_drops_the_packet_and_is_reported()
    {
        // The TCP header is cut short, which the key does not show.
        Assert.Equal(Errno.NoMemory, Execute([.. Output(2), .. Set(OvsKeyAttribute.Tcp, 0, 1, 0, 2), .. Output(3)], Frames.Tcp4.AsSpan(0, 54 - 1)));
        Assert.Equal("2:53", Sent());
        Assert.Equal([DropReason.ActionError], _recording.Drops);
    }

    [Fact]
    public void A_list_that_fails_inside_another_ends_both()
    {
        byte[] setTcp = Set(OvsKeyAttribute.Tcp, 0, 1, 0, 2);
        Assert.Equal(Errno.NoMemory, Execute([.. Clone([.. setTcp, .. Output(2)]), .. Output(3)], Frames.Tcp4.AsSpan(0, 53)));
        Assert.Empty(_recording.Outputs);
        Assert.Equal([DropReason.ActionError, DropReason.ActionError], _recording.Drops);
    }

    [Fact]
    public void No_memory_for_a_copy_skips_the_action()
    {
        List<nint> taken = [];
        Errno error = Execute([.. Output(2), .. Clone(Output(3)), .. Recirculate(1), .. Output(4)], Frames.Tcp4, _ =>
        {
            while ((nint)_recording.Pool.TryAllocate() is var frame and not 0)
            {
                taken.Add(frame);
            }
        });
        Assert.Equal(Errno.None, error);
        Assert.Equal("4:86", Sent());
        taken.ForEach(frame => _recording.Pool.Free((Packet*)frame));
    }

    [Fact]
    public void Recirculation_keeps_order_down_to_a_depth_and_then_comes_last()
    {
        // Each flow sends to its own port and goes round again; the kernel lets five lists run inside each other.
        FlowKey key = Key(Frames.Unknown);
        for (uint id = 1; id <= 8; id++)
        {
            _recording.Flows[id] = List([.. Recirculate(id + 1), .. Output(10 + id)], key);
        }

        Execute([.. Recirculate(1), .. Output(10)], Frames.Unknown);

        // Levels 1 to 3 recirculate at once; level 4 defers its packet, so the lists above finish first.
        Assert.Equal("13:46 12:46 11:46 10:46 16:46 15:46 14:46 18:46 17:46", Sent());
        Assert.Equal(["MISS"], _recording.Upcalls.Select(upcall => upcall.Cmd));
        Assert.Empty(_recording.Drops);
    }

    [Fact]
    public void The_tenth_deferred_list_of_a_packet_is_dropped()
    {
        FlowKey key = Key(Frames.Unknown);
        for (uint id = 1; id <= 2; id++)
        {
            _recording.Flows[id] = List(Recirculate(id + 1), key);
        }

        _recording.Flows[3] = List([.. Enumerable.Range(0, 12).SelectMany(i => Recirculate((uint)(100 + i)))], key);
        Execute(Recirculate(1), Frames.Unknown);
        Assert.Equal(9, _recording.Upcalls.Count);
        Assert.Equal([DropReason.DeferredLimit, DropReason.DeferredLimit, DropReason.DeferredLimit], _recording.Drops);

        // The queue is free again for the next packet.
        Execute(Recirculate(1), Frames.Unknown);
        Assert.Equal(18, _recording.Upcalls.Count);
    }

    [Fact]
    public void Lists_that_run_too_deep_inside_each_other_are_dropped()
    {
        RecordingHost host = new(_recording);
        FlowKey key = Key(Frames.Unknown);
        _recording.Context.Level = ActionContext.RecursionLimit;
        Packet* packet = _recording.Prepare(Frames.Unknown, ref key);
        Assert.Equal(Errno.NetworkDown, ActionExecutor.Execute(List(Output(1), key), packet, ref key, _recording.Context, ref host));
        Assert.Equal([DropReason.RecursionLimit], _recording.Drops);
        Assert.Equal(ActionContext.RecursionLimit, _recording.Context.Level);
    }

    [Fact]
    public void Recirculation_after_a_push_sees_the_new_headers()
    {
        Execute([.. PushMpls(0x00001140, 0x8847), .. Recirculate(3)], Frames.Tcp4);
        FlowKey expected = Key(_recording.Upcalls[0].Packet);
        expected.RecirculationId = 3;
        Assert.Equal(0x8847, expected.EtherType.Value);
        Assert.Equal(KeyBytes(expected), _recording.Upcalls[0].Key);
    }

    [Fact]
    public void Userspace_carries_what_the_action_says()
    {
        byte[] actions = [.. Output(2), .. Clone([.. Userspace(77, [.. Attribute(2, 1, 2, 3), .. Attribute(3, 4, 0, 0, 0), .. Attribute(4)]), .. Output(3)])];
        Execute([.. Truncate(50), .. actions[..0], .. actions], Frames.Tcp4);
        RecordedUpcall upcall = Assert.Single(_recording.Upcalls);
        Assert.Equal(77u, upcall.PortId);
        Assert.Equal([1, 2, 3], upcall.Userdata);
        Assert.Equal(4u, upcall.EgressTunnelPort);

        // The actions are those of the list that the userspace action stands in.
        Assert.Equal(actions[(8 + 4)..], upcall.Actions);
        Assert.Null(upcall.Len);
    }

    [Fact]
    public void Conntrack_gets_its_arguments_and_may_take_the_packet()
    {
        byte[] actions = [.. Track([.. Attribute(1), .. Attribute(2, 9, 0)]), .. Output(2)];
        Assert.Equal(Errno.None, Execute(actions, Frames.Tcp4));
        Assert.Equal("2:86", Sent());
        ConntrackArguments arguments = Assert.Single(_recording.Tracked);
        Assert.True(arguments.Commit);
        Assert.Equal(9, arguments.Zone);

        _recording.ConntrackResult = Errno.InProgress;
        Assert.Equal(Errno.None, Execute(actions, Frames.Tcp4));
        _recording.ConntrackResult = Errno.NoMemory;
        Assert.Equal(Errno.NoMemory, Execute(actions, Frames.Tcp4));
        Assert.Equal("2:86", Sent());
        Assert.Empty(_recording.Drops);
    }

    [Fact]
    public void Set_of_conntrack_fields_is_accepted_and_fails_as_in_the_kernel()
    {
        Assert.Equal(Errno.InvalidArgument, Execute([.. Set(OvsKeyAttribute.ConntrackMark, 1, 0, 0, 0), .. Output(2)], Frames.Tcp4));
        Assert.Equal([DropReason.ActionError], _recording.Drops);
    }

    [Fact]
    public void Hash_is_jhash_of_the_hash_of_the_source_and_never_zero()
    {
        // From the golden vector exec_hash.
        Execute([.. Hash(0, 0), .. Recirculate(1)], Frames.Tcp4, packet => ((Packet*)packet)->FlowHash = 0x3_0000_1234);
        FlowKey key = Key(Frames.Tcp4);
        key.DatapathHash = PacketHash.JenkinsHash(0x1234, 0);
        key.RecirculationId = 1;
        Assert.Equal(KeyBytes(key), _recording.Upcalls[0].Key);
    }

    [Fact]
    public void The_symmetric_hash_is_the_same_both_ways_and_the_other_is_not()
    {
        byte[] back = [.. Frames.Tcp4];
        Frames.Tcp4.AsSpan(0, 6).CopyTo(back.AsSpan(6));
        Frames.Tcp4.AsSpan(6, 6).CopyTo(back);
        Frames.Tcp4.AsSpan(26, 4).CopyTo(back.AsSpan(30));
        Frames.Tcp4.AsSpan(30, 4).CopyTo(back.AsSpan(26));
        Frames.Tcp4.AsSpan(34, 2).CopyTo(back.AsSpan(36));
        Frames.Tcp4.AsSpan(36, 2).CopyTo(back.AsSpan(34));
        Assert.Equal(HashOf(Frames.Tcp4, 1, 5), HashOf(back, 1, 5));
        Assert.NotEqual(HashOf(Frames.Tcp4, 0, 5), HashOf(back, 0, 5));
        Assert.NotEqual(HashOf(Frames.Tcp4, 1, 5), HashOf(Frames.Tcp4, 1, 6));
        Assert.NotEqual(HashOf(Frames.Tcp4, 0, 0), HashOf(Frames.Udp4, 0, 0));
    }

    [Fact]
    public void A_checksum_left_to_the_sink_keeps_the_sum_of_the_pseudo_header()
    {
        // virtio_net: the field holds the pseudo header's sum, and the ports do not belong to it.
        byte[] frame = [.. Frames.Tcp4];
        ushort sum = InternetChecksum.Sum([10, 0, 0, 1, 10, 0, 0, 2, 0, 6, 0, 52]);
        BitConverter.TryWriteBytes(frame.AsSpan(50), sum);
        byte[] setIp = SetMasked(OvsKeyAttribute.Ipv4, [192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
        Execute([.. setIp, .. Set(OvsKeyAttribute.Tcp, 1, 2, 3, 4), .. Output(2)], frame, packet => ((Packet*)packet)->Offload.Flags = 1);
        ushort expected = InternetChecksum.Sum([192, 0, 2, 1, 10, 0, 0, 2, 0, 6, 0, 52]);
        Assert.Equal(expected, BitConverter.ToUInt16(_recording.Outputs[0].Packet, 50));
        Assert.Equal([1, 2, 3, 4], _recording.Outputs[0].Packet[34..38]);
    }

    [Fact]
    public void A_header_larger_than_the_headroom_moves_the_packet()
    {
        byte[] metadata = [.. Enumerable.Range(1, 240).Select(i => (byte)i)];
        byte[] nsh = Attribute((int)OvsKeyAttribute.Nsh, [.. Attribute(1, 0, 63, 2, 3, 0, 0, 1, 255), .. Attribute(3, metadata)]);
        byte[] ethernet = [2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8];
        byte[] push = [.. Action(OvsActionAttribute.PushNsh, nsh), .. Action(OvsActionAttribute.PushEthernet, ethernet)];
        Execute([.. push, .. Output(2)], Frames.Tcp4);
        byte[] sent = _recording.Outputs[0].Packet;
        Assert.Equal([2, 0, 0, 0, 0, 8, 2, 0, 0, 0, 0, 9, 0x89, 0x4f], sent[..14]);
        Assert.Equal(metadata, sent[22..262]);
        Assert.Equal(Frames.Tcp4, sent[262..]);
    }

    [Fact]
    public void Execution_allocates_nothing()
    {
        byte[] setIp = SetMasked(OvsKeyAttribute.Ipv4, [192, 0, 2, 1, 0, 0, 0, 0, 0, 8, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 255, 0, 0]);
        byte[] inner = [.. setIp, .. PushVlan(0x8100, Tag), .. Output(2)];
        byte[] actions =
        [
            .. Truncate(60), .. Output(2), .. Clone(inner), .. Sample(uint.MaxValue, inner), .. CheckLength(80, inner, inner), .. DecrementTtl(),
            .. Hash(0, 1), .. Hash(1, 1), .. Set(OvsKeyAttribute.Tcp, 0, 1, 0, 2), .. Userspace(5, [.. Attribute(2, 1, 2), .. Attribute(4)]),
            .. Recirculate(1), .. PushVlan(0x8100, Tag), .. PopVlan(), .. PushMpls(0x00001140, 0x8847), .. Recirculate(1), .. Output(3),
        ];
        FlowKey key = Key(Frames.Tcp4);
        ActionList list = List(actions, key);
        using PacketPool pool = new(16);
        ActionContext context = new();
        SilentHost host = new(pool);
        ExecuteAll();
        Assert.Equal(0, Allocated.ByThisThread(ExecuteAll));
        Assert.Equal(0, pool.UsedCount);

        void ExecuteAll()
        {
            for (int i = 0; i < 100; i++)
            {
                Packet* packet = pool.TryAllocate();
                packet->TrySetBytes(Frames.Tcp4);
                key = default;
                key.MacProtocol = 1;
                FlowKeyExtractor.TryExtract(packet, ref key);
                ActionExecutor.Execute(list, packet, ref key, context, ref host);
            }
        }
    }

    private static byte[] KeyBytes(in FlowKey key)
    {
        NetlinkWriter writer = new(new byte[2048]);
        FlowKey.WriteNetlink(key, ref writer);
        return writer.Written.ToArray();
    }

    [Fact]
    public void A_partial_checksum_moves_with_the_headers_before_it()
    {
        FlowKey key = Key(Frames.Tcp4);
        Packet* packet = _recording.Prepare(Frames.Tcp4, ref key);
        packet->Offload = new PacketOffload { Flags = 1, GsoType = 1, HeaderLength = 54, SegmentSize = 16, ChecksumStart = 34, ChecksumOffset = 16 };
        Assert.Equal(Errno.None, PushPop.PushVlan(packet, ref key, BitConverter.ToUInt32([0x81, 0x00, 0x10, 0x05])));
        Assert.Equal((38, 58), (packet->Offload.ChecksumStart, packet->Offload.HeaderLength));
        Assert.Equal(Errno.None, PushPop.PushMpls(packet, ref key, 0x00001140, 0x4788));
        Assert.Equal((42, 62), (packet->Offload.ChecksumStart, packet->Offload.HeaderLength));
        Assert.Equal(Errno.None, PushPop.PopVlan(packet, ref key));
        Assert.Equal(Errno.None, PushPop.PopMpls(packet, ref key, 0x0008));
        Assert.Equal((34, 54), (packet->Offload.ChecksumStart, packet->Offload.HeaderLength));
        _recording.Pool.Free(packet);
    }

    private Errno Execute(ReadOnlySpan<byte> actions, ReadOnlySpan<byte> frame, Action<nint>? prepare = null)
    {
        FlowKey key = Key(frame);
        ActionList list = List(actions, key);
        Packet* packet = _recording.Prepare(frame, ref key);
        prepare?.Invoke((nint)packet);
        RecordingHost host = new(_recording);
        Errno error = ActionExecutor.Execute(list, packet, ref key, _recording.Context, ref host);
        Assert.Equal(0, _recording.Context.Level);
        return error;
    }

    private FlowKey Key(ReadOnlySpan<byte> frame)
    {
        FlowKey key = new() { MacProtocol = 1, InPort = 1 };
        _recording.Pool.Free(_recording.Prepare(frame, ref key));
        return key;
    }

    private uint HashOf(ReadOnlySpan<byte> frame, uint algorithm, uint basis)
    {
        FlowKey key = Key(frame);
        Packet* packet = _recording.Prepare(frame, ref key);
        PacketHash.SetDatapathHash(packet, ref key, algorithm, basis);
        _recording.Pool.Free(packet);
        return key.DatapathHash;
    }

    private string Sent() => string.Join(' ', _recording.Outputs.Select(output => $"{output.Port}:{output.Packet.Length}"));

    private readonly struct SilentHost(PacketPool pool) : IActionHost
    {
        public void Output(Packet* packet, in FlowKey key, uint port) => pool.Free(packet);

        public void Userspace(Packet* packet, in FlowKey key, in UserspaceArguments arguments)
        {
        }

        public void Recirculate(Packet* packet, ref FlowKey key) => pool.Free(packet);

        public Packet* TryClone(Packet* packet) => pool.TryClone(ref *packet);

        public void Drop(Packet* packet, DropReason reason) => pool.Free(packet);

        public void Free(Packet* packet) => pool.Free(packet);

        public bool IsOverMeter(Packet* packet, in FlowKey key, uint meterId) => false;

        public Errno Conntrack(Packet* packet, ref FlowKey key, ConntrackArguments arguments) => Errno.None;

        public void ClearConntrack(Packet* packet, ref FlowKey key)
        {
        }

        public void SetTunnel(Packet* packet, TunnelKey tunnel)
        {
        }

        public uint NextRandom() => 0;
    }
}
