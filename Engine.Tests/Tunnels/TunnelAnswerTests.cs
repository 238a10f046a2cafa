using System.Buffers.Binary;
using Engine.Flows;
using Engine.Packets;
using Engine.Tests.Oracles;

namespace Engine.Tests.Tunnels;

/// <summary>What becomes of packets too long for the path of a tunnel: their sender is told as the kernel would, or not.</summary>
public sealed class TunnelAnswerTests
{
    private const int Ipv4Headroom = 20 + 8 + 8, Ethernet = 14;

    [Theory]
    [InlineData("vxlan", TunnelKeyFlags.None, Ipv4Headroom)]
    [InlineData("vxlan", TunnelKeyFlags.DontFragment | TunnelKeyFlags.Checksum, Ipv4Headroom)]
    [InlineData("geneve", TunnelKeyFlags.None, Ipv4Headroom + 12)]
    [InlineData("gre", TunnelKeyFlags.DontFragment, 20 + 8)]
    [InlineData("ip6gre", TunnelKeyFlags.DontFragment, 40 + 8)]
    [InlineData("gre64", TunnelKeyFlags.DontFragment, 20 + 12)]
    public void A_packet_that_may_not_be_cut_is_answered_from_the_other_end(string kind, TunnelKeyFlags flags, int headroom)
    {
        using TunnelEnds ends = TunnelEnds.Of(kind);
        TunnelKey tunnel = TunnelEnds.Tunnel(kind, flags, tos: 0x28);
        byte[] frame = Frame(1500 - headroom + 1);
        Assert.False(ends.Send(tunnel, frame));
        Assert.Empty(ends.Underlay.Sent);
        Assert.Equal(1u, ends.Drops[(int)DropReason.TooBig]);

        (FlowKey key, byte[] answer) = Assert.Single(ends.ReceiveAnswers());
        ref readonly FlowKey sent = ref tunnel.Key;
        Assert.Equal((sent.TunnelId, sent.TunnelFlags, sent.TunnelTos, sent.TunnelTtl), (key.TunnelId, key.TunnelFlags, key.TunnelTos, key.TunnelTtl));
        Assert.Equal((sent.TunnelIpv4Destination, sent.TunnelIpv6Destination), (key.TunnelIpv4Source, key.TunnelIpv6Source));
        Assert.Equal(kind == "ip6gre" ? 0u : 0x0a630001u, key.TunnelIpv4Destination.Value);
        Assert.Equal(kind == "ip6gre" ? "2001:db8:99::1" : "::", key.TunnelIpv6Destination.ToString());
        Assert.Equal(((ReadOnlySpan<byte>)sent.TunnelOptions).ToArray(), ((ReadOnlySpan<byte>)key.TunnelOptions).ToArray());

        // Addresses exchanged; the packet as far as 576 bytes of IP hold it, headers included.
        Assert.Equal([.. frame[6..12], .. frame[..6], 0x08, 0x00], answer[..Ethernet]);
        ReadOnlySpan<byte> ip = answer.AsSpan(Ethernet);
        Assert.Equal(576, ip.Length);
        Assert.Equal("45000240000040004001", Convert.ToHexStringLower(ip[..10]));
        Assert.Equal(0xffffu, ByteChecksum.Sum(ip[..20]));
        Assert.Equal([.. frame[30..34], .. frame[26..30]], ip[12..20].ToArray());
        Assert.Equal(0xffffu, ByteChecksum.Sum(ip[20..]));
        Assert.Equal([3, 4], ip[20..22].ToArray());
        Assert.Equal((uint)(1500 - headroom - Ethernet), BinaryPrimitives.ReadUInt32BigEndian(ip[24..]));
        Assert.Equal(frame[Ethernet..(Ethernet + 548)], ip[28..].ToArray());
        Assert.Equal((1, 4), (key.IpProtocol, key.TransportDestination.Value));

        // One byte less goes.
        Assert.True(ends.Send(tunnel, Frame(1500 - headroom)));
        Assert.Equal(1500, Assert.Single(ends.Underlay.Sent).Length);
        Assert.Empty(ends.ReceiveAnswers());
    }

    [Fact]
    public void IPv6_is_answered_with_packet_too_big()
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        byte[] frame = FrameOfIpv6(2000);
        Assert.False(ends.Send(TunnelEnds.Tunnel("vxlan"), frame));
        (FlowKey key, byte[] answer) = Assert.Single(ends.ReceiveAnswers());
        Assert.Equal(Ethernet + 1280, answer.Length);
        ReadOnlySpan<byte> ip = answer.AsSpan(Ethernet);
        Assert.Equal("6000000004d83a40", Convert.ToHexStringLower(ip[..8]));
        Assert.Equal([.. frame[38..54], .. frame[22..38]], ip[8..40].ToArray());
        uint sum = ByteChecksum.PseudoHeader(ip[8..40], 58, 1240) + ByteChecksum.Sum(ip[40..]);
        Assert.Equal(0xffffu, (sum & 0xffff) + (sum >> 16));
        Assert.Equal("0200", Convert.ToHexStringLower(ip[40..42]));
        Assert.Equal(1450u, BinaryPrimitives.ReadUInt32BigEndian(ip[44..]));
        Assert.Equal(frame[Ethernet..(Ethernet + 1232)], ip[48..].ToArray());
        Assert.Equal((58, 2), (key.IpProtocol, key.TransportSource.Value));
    }

    [Fact]
    public void A_packet_without_Ethernet_is_answered_by_one()
    {
        using TunnelEnds ends = TunnelEnds.Of("lisp");
        byte[] packet = Frame(1700)[Ethernet..];
        Assert.False(ends.Send(TunnelEnds.Tunnel("lisp", TunnelKeyFlags.DontFragment), packet, hasEthernet: false, etherType: 0x0800));
        (FlowKey key, byte[] answer) = Assert.Single(ends.ReceiveAnswers());
        Assert.Equal(576, answer.Length);
        Assert.Equal(1464u, BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(24)));
        Assert.Equal((0, 0x0800, 1), (key.MacProtocol, key.EtherType.Value, key.IpProtocol));
    }

    [Fact]
    public void A_super_frame_is_answered_when_its_segments_are_too_long()
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        byte[] frame = Frame(4054);
        PacketOffload offload = new() { Flags = 1, GsoType = 1, SegmentSize = 1400, HeaderLength = 54, ChecksumStart = 34, ChecksumOffset = 16 };
        Assert.True(ends.Send(TunnelEnds.Tunnel("vxlan"), frame, offload));
        Assert.Equal(3, ends.Underlay.Sent.Count);
        offload.SegmentSize = 1411;
        Assert.False(ends.Send(TunnelEnds.Tunnel("vxlan"), frame, offload));
        Assert.Equal(3, ends.Underlay.Sent.Count);
        Assert.Single(ends.ReceiveAnswers());
    }

    [Theory]
    [InlineData("gre", TunnelKeyFlags.None, 20, 0x40)] // The outer packet may be cut.
    [InlineData("erspan", TunnelKeyFlags.None, 20, 0x40)] // A mirrored packet.
    [InlineData("vxlan", TunnelKeyFlags.None, 20, 0x00)] // The inner one may be cut.
    [InlineData("vxlan", TunnelKeyFlags.None, 20, 0x60)] // A first fragment.
    [InlineData("vxlan", TunnelKeyFlags.None, 26, 0x00)] // From 0.0.0.1.
    [InlineData("vxlan", TunnelKeyFlags.None, 26, 0x7f)] // From a loopback address.
    [InlineData("vxlan", TunnelKeyFlags.None, 26, 0xe1)] // From many.
    [InlineData("vxlan", TunnelKeyFlags.None, 30, 0xef)] // To many.
    [InlineData("vxlan", TunnelKeyFlags.None, 12, 0x81)] // With a VLAN tag.
    [InlineData("vxlan", TunnelKeyFlags.None, 23, 0x01, 3)] // Destination unreachable.
    [InlineData("vxlan", TunnelKeyFlags.None, 23, 0x01, 12)] // Parameter problem.
    public void What_must_not_be_answered_goes_in_outer_fragments(string kind, TunnelKeyFlags flags, int at, byte value, byte message = 0)
    {
        using TunnelEnds ends = TunnelEnds.Of(kind);
        byte[] frame = Frame(2000);
        frame[34] = message;
        frame[at] = value;
        Assert.True(ends.Send(TunnelEnds.Tunnel(kind, flags), frame));
        Assert.Equal(2, ends.Underlay.Sent.Count);
        Assert.Empty(ends.ReceiveAnswers());
    }

    [Theory]
    [InlineData(22, "00000000000000000000000000000000")] // From nobody.
    [InlineData(22, "00000000000000000000000000000001")] // From a loopback address.
    [InlineData(22, "ff020000000000000000000000000001")] // From many.
    [InlineData(20, "3a", "04")] // A parameter problem.
    [InlineData(20, "3a", "89")] // A redirect.
    [InlineData(20, "3c", "3a00000000000000" + "01")] // Destination unreachable behind destination options.
    [InlineData(20, "2c", "0600000800000001")] // A later fragment.
    [InlineData(20, "00", "3aff")] // ICMPv6 past the end.
    public void What_must_not_be_answered_of_IPv6(int at, string value, string payload = "")
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        byte[] frame = FrameOfIpv6(1600);
        Convert.FromHexString(value).CopyTo(frame, at);
        Convert.FromHexString(payload).CopyTo(frame, 54);
        Assert.True(ends.Send(TunnelEnds.Tunnel("vxlan"), frame));
        Assert.Equal(2, ends.Underlay.Sent.Count);
        Assert.Empty(ends.ReceiveAnswers());
    }

    [Fact]
    public void Other_ICMP_is_answered_and_so_is_what_follows_options()
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        byte[] echo = Frame(2000);
        (echo[23], echo[34]) = (1, 8);
        byte[] behindOptions = FrameOfIpv6(2000);
        behindOptions[20] = 0;
        Convert.FromHexString("3a00000000000000" + "80").CopyTo(behindOptions, 54);
        Assert.False(ends.Send(TunnelEnds.Tunnel("vxlan"), echo));
        Assert.False(ends.Send(TunnelEnds.Tunnel("vxlan"), behindOptions));
        Assert.Equal(2, ends.ReceiveAnswers().Count);
    }

    [Theory]
    [InlineData(611, true)]
    [InlineData(612, false)]
    public void A_path_too_narrow_for_the_answer_gets_none(int mtu, bool isSent)
    {
        // 576 bytes of IP behind an Ethernet header in VXLAN need 626, of which the frame's own header is not the packet's.
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        ends.Underlay.MaximumTransmissionUnit = mtu + Ethernet;
        Assert.Equal(isSent, ends.Send(TunnelEnds.Tunnel("vxlan"), Frame(1000)));
        Assert.Equal(isSent ? 0 : 1, ends.ReceiveAnswers().Count);
    }

    [Fact]
    public void More_answers_than_there_is_room_for_are_left_unsaid()
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        for (int i = 0; i < 100; i++)
        {
            Assert.False(ends.Send(TunnelEnds.Tunnel("vxlan"), Frame(2000)));
        }

        Assert.Equal(100u, ends.Drops[(int)DropReason.TooBig]);
        Assert.Equal(PacketBatch.Capacity, ends.ReceiveAnswers().Count);
        Assert.Empty(ends.ReceiveAnswers());
    }

    private static byte[] Frame(int length)
    {
        byte[] frame = new byte[length];
        new Random(length).NextBytes(frame);
        Convert.FromHexString("0200000000020200000000010800450000001234400040060000").CopyTo(frame, 0);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(16), (ushort)(length - Ethernet));
        Convert.FromHexString("0a0000010a00000203e8005000000001000000005002200000000000").CopyTo(frame, 26);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), (ushort)~ByteChecksum.Sum(frame.AsSpan(14, 20)));
        return frame;
    }

    private static byte[] FrameOfIpv6(int length)
    {
        byte[] frame = new byte[length];
        Convert.FromHexString("02000000000202000000000186dd6000000000000640" + "fd000000000000000000000000000001" + "fd000000000000000000000000000002").CopyTo(frame, 0);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(18), (ushort)(length - 54));
        return frame;
    }
}
