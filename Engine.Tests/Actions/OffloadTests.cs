using Engine.Actions;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using static Engine.Tests.Actions.ActionBytes;

namespace Engine.Tests.Actions;

/// <summary>Headers that come and go in front of a checksum that is left to the sink: it is finished in the same place as if it had been finished before.</summary>
public sealed unsafe class OffloadTests : IDisposable
{
    private const ushort Tag = 0x1005;

    private static readonly byte[] Ethernet = [2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8];

    private readonly Recording _recording = new();

    public void Dispose() => _recording.Dispose();

    public static TheoryData<string, byte[], byte[]> Lists => new()
    {
        { "a tag pushed", Frames.Tcp4, PushVlan(0x8100, Tag) },
        { "two tags pushed", Frames.Tcp4, [.. PushVlan(0x8100, Tag), .. PushVlan(0x88a8, Tag)] },
        { "a tag popped", Frames.TaggedTcp4, PopVlan() },
        { "a tag pushed and popped", Frames.Tcp4, [.. PushVlan(0x8100, Tag), .. PopVlan()] },
        { "a label pushed", Frames.Tcp4, PushMpls(0x00001140, 0x8847) },
        { "a label pushed in place of a tag", Frames.TaggedTcp4, [.. PopVlan(), .. PushMpls(0x00001140, 0x8847)] },
        { "a label pushed and popped", Frames.Tcp4, [.. PushMpls(0x00001140, 0x8847), .. PopMpls(0x0800)] },
        { "Ethernet popped", Frames.Tcp4, Action(Netlink.OvsActionAttribute.PopEthernet) },
        { "Ethernet popped and pushed", Frames.Tcp4, [.. Action(Netlink.OvsActionAttribute.PopEthernet), .. Action(Netlink.OvsActionAttribute.PushEthernet, Ethernet)] },
    };

    [Theory]
    [MemberData(nameof(Lists))]
    public void A_partial_checksum_moves_with_its_header(string why, byte[] frame, byte[] actions)
    {
        Assert.NotEmpty(why);
        Assert.Equal(Run(frame, actions, finishesFirst: true), Run(frame, actions, finishesFirst: false));
    }

    [Fact]
    public void A_header_that_is_gone_leaves_nothing_to_the_sink()
    {
        Packet* packet = _recording.Pool.TryAllocate();
        packet->TrySetBytes(Frames.Tcp4);
        packet->Offload = new PacketOffload { Flags = ChecksumOffload.NeedsChecksum, ChecksumStart = 8, ChecksumOffset = 4 };
        packet->HasEthernet = true;
        packet->NetworkOffset = EthernetLayout.HeaderSize;
        FlowKey key = default;
        Assert.Equal(Errno.None, PushPop.PopEthernet(packet, ref key));
        Assert.Equal(default, packet->Offload);
        _recording.Pool.Free(packet);
    }

    // skb_gso_validate_mac_len: what counts is what will be on the wire.
    [Theory]
    [InlineData(0, 100, 2)]
    [InlineData(20, 73, 2)]
    [InlineData(20, 74, 3)]
    [InlineData(20, 75, 3)]
    public void A_super_frame_is_as_long_as_its_segments(ushort segmentSize, ushort limit, uint port)
    {
        byte[] frame = new byte[2000];
        Frames.Tcp4.AsSpan(0, 54).CopyTo(frame);
        frame[16] = (byte)((frame.Length - 14) >> 8);
        frame[17] = unchecked((byte)(frame.Length - 14));
        FlowKey key = new() { MacProtocol = 1, InPort = 1 };
        Packet* packet = _recording.Prepare(frame, ref key);
        packet->Offload = new PacketOffload
        {
            Flags = ChecksumOffload.NeedsChecksum,
            ChecksumStart = packet->TransportOffset,
            ChecksumOffset = 16,
            GsoType = segmentSize == 0 ? (byte)0 : PacketOffload.GsoTcpIpv4,
            SegmentSize = segmentSize,
        };
        ActionList list = List(CheckLength(limit, Output(2), Output(3)), key);
        RecordingHost host = new(_recording);
        Assert.Equal(Errno.None, ActionExecutor.Execute(list, packet, ref key, _recording.Context, ref host));
        Assert.Equal(port, Assert.Single(_recording.Outputs).Port);
    }

    private byte[] Run(byte[] frame, byte[] actions, bool finishesFirst)
    {
        FlowKey key = new() { MacProtocol = 1, InPort = 1 };
        Packet* packet = _recording.Prepare(frame, ref key);
        packet->Offload = new PacketOffload { Flags = ChecksumOffload.NeedsChecksum, ChecksumStart = packet->TransportOffset, ChecksumOffset = 16 };
        ActionList list = List([.. actions, .. Output(2)], key);
        if (finishesFirst)
        {
            Assert.True(ChecksumOffload.TryFinish(ref *packet));
        }

        // The sink sees the packet where the list ends.
        byte[] sent = [];
        _recording.Inspect = at =>
        {
            Assert.True(ChecksumOffload.TryFinish(ref *(Packet*)at));
            sent = ((Packet*)at)->Bytes.ToArray();
        };
        RecordingHost host = new(_recording);
        Assert.Equal(Errno.None, ActionExecutor.Execute(list, packet, ref key, _recording.Context, ref host));
        Assert.NotEmpty(sent);
        return sent;
    }
}
