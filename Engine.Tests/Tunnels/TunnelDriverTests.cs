using System.Buffers.Binary;
using Engine.Flows;
using Engine.Packets;
using Engine.Tests.Oracles;

namespace Engine.Tests.Tunnels;

/// <summary>Every kind of tunnel with itself: what goes in comes out, with its tunnel in its key; what is malformed is dropped for a reason.</summary>
public sealed class TunnelDriverTests
{
    private static readonly byte[] Frame = Convert.FromHexString(
        "020000000002020000000001080045000048123400004006547a0a0000010a00000203e8005000000001000000005002200086860000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

    /// <summary>A test for each kind.</summary>
    public static TheoryData<string> Kinds => [.. TunnelEnds.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_sent_is_received_with_its_tunnel(string kind)
    {
        foreach (TunnelKeyFlags flags in (TunnelKeyFlags[])[TunnelKeyFlags.None, TunnelKeyFlags.DontFragment, TunnelKeyFlags.Checksum])
        {
            if (flags == TunnelKeyFlags.Checksum && kind is "gre" or "ip6gre")
            {
                continue; // What has a checksum is dropped, as the kernel does: see the golden vectors.
            }

            using TunnelEnds ends = TunnelEnds.Of(kind);
            TunnelKey tunnel = TunnelEnds.Tunnel(kind, flags, tos: 0x28);
            bool isBare = TunnelEnds.IsBare(kind);
            byte[] inner = isBare ? Frame[14..] : Frame;
            Assert.True(ends.Send(tunnel, inner, hasEthernet: !isBare, etherType: isBare ? (ushort)0x0800 : (ushort)0));
            byte[] packet = Assert.Single(ends.Underlay.Sent);
            ends.Underlay.PutPacket(packet);

            (FlowKey key, byte[] bytes) = Assert.Single(ends.Receive());
            Assert.Equal(inner, bytes);
            ref readonly FlowKey sent = ref tunnel.Key;
            Assert.Equal(sent.TunnelId, key.TunnelId);
            Assert.Equal(sent.TunnelIpv4Destination, key.TunnelIpv4Destination);
            Assert.Equal(sent.TunnelIpv6Destination, key.TunnelIpv6Destination);
            Assert.Equal(0x28, key.TunnelTos);
            Assert.Equal(63, key.TunnelTtl);
            bool isUdp = TunnelEnds.IsUdp(kind);

            // The DF bit is not told to receivers; ERSPAN always has a sequence number.
            bool hasChecksum = isUdp || kind is "gre64" or "ip6gre64";
            TunnelKeyFlags expected = (sent.TunnelFlags & ~TunnelKeyFlags.DontFragment & ~(hasChecksum ? TunnelKeyFlags.None : TunnelKeyFlags.Checksum))
                | (kind.EndsWith("erspan", StringComparison.Ordinal) ? TunnelKeyFlags.Sequence : 0);
            Assert.Equal(expected, key.TunnelFlags);
            Assert.Equal(sent.TunnelOptionsLength, key.TunnelOptionsLength);
            if (kind != "ip6erspan")
            {
                Assert.Equal(((ReadOnlySpan<byte>)sent.TunnelOptions).ToArray(), ((ReadOnlySpan<byte>)key.TunnelOptions).ToArray());
            }
            else
            {
                // The timestamp is the sender's; hardware id and direction came through.
                Assert.Equal([0x82, 0x58], ((ReadOnlySpan<byte>)key.TunnelOptions).Slice(10, 2).ToArray());
            }

            Assert.Equal(0x0a000001u, key.Ipv4Source.Value);
            Assert.Equal(isUdp ? ends.Underlay.Sent[0][packet[0] >> 4 == 6 ? 40 : 20] : 0, key.TunnelTransportSource.Value >> 8);
            Assert.All(ends.Drops, count => Assert.Equal(0u, count));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_datagram_cut_short_anywhere_is_dropped_or_gives_a_shorter_packet(string kind)
    {
        using TunnelEnds ends = TunnelEnds.Of(kind);
        bool isBare = TunnelEnds.IsBare(kind);
        Assert.True(ends.Send(TunnelEnds.Tunnel(kind), isBare ? Frame[14..] : Frame, hasEthernet: !isBare, etherType: 0x0800));
        byte[] packet = ends.Underlay.Sent[0];
        int header = packet[0] >> 4 == 6 ? 40 : 20;
        byte[] datagram = packet[(header + (packet[header == 40 ? 6 : 9] == 17 ? 8 : 0))..];
        int innerLength = isBare ? Frame.Length - 14 : Frame.Length;
        for (int length = 0; length <= datagram.Length; length++)
        {
            Array.Clear(ends.Drops);
            ends.Underlay.Put(default, datagram.AsSpan(0, length));
            int left = innerLength - (datagram.Length - length);
            List<(FlowKey Key, byte[] Bytes)> received = ends.Receive();

            // GTP-U says how long the packet was.
            if (left >= (isBare ? 1 : 14) && (left == innerLength || !kind.EndsWith("gtpu", StringComparison.Ordinal)))
            {
                Assert.Equal(left, Assert.Single(received).Bytes.Length);
            }
            else
            {
                Assert.Empty(received);
                Assert.Equal(1u, ends.Drops[(int)DropReason.TunnelHeader] + ends.Drops[(int)DropReason.TunnelPayload]);
            }
        }
    }

    [Theory]
    [InlineData("vxlan", "0000000000000500")] // No network identifier.
    [InlineData("vxlan", "0800000000000501")] // Reserved byte.
    [InlineData("vxlan", "0900000000000500")] // Reserved flag.
    [InlineData("vxlan", "8800012300000500")] // A group policy nobody asked for.
    [InlineData("gbp", "0d00000000000500")] // A generic payload nobody asked for.
    [InlineData("gpe", "0800000000000500")] // No payload type.
    [InlineData("gpe", "1c00000300000500")] // Version 1.
    [InlineData("gpe", "0d00000300000500")] // Control.
    [InlineData("gpe", "0c00000900000500")] // Unknown payload.
    [InlineData("geneve", "4000655800000500")] // Version 1.
    [InlineData("geneve", "0000080000000500")] // IPv4.
    [InlineData("geneve", "3f00655800000500")] // Options past the end.
    [InlineData("gre", "40006558")] // Routing.
    [InlineData("gre", "00016558")] // PPTP.
    [InlineData("gre", "00000800")] // IPv4.
    [InlineData("gre", "80006558" + "5a950000")] // A checksum, which the kernel does not take.
    [InlineData("gre64", "2000655800000001")] // No sequence number.
    [InlineData("gre64", "1000655800000001")] // No key.
    [InlineData("gre64", "b0006558ffff00000000000100000000")] // A wrong checksum.
    [InlineData("gre64", "3000080000000001" + "00000000")] // IPv4.
    [InlineData("lisp", "9800000000000501")] // Nonce and map versions at once.
    [InlineData("gtpu", "20ff000000000155")] // GTP'.
    [InlineData("gtpu", "50ff000000000155")] // Version 2.
    [InlineData("gtpu", "30ff010000000155")] // Longer than it is.
    [InlineData("gtpu", "32ff000300000155" + "00000000")] // Ends in the optional fields.
    [InlineData("gtpu", "34ff000c00000155" + "00000085" + "00000000")] // An extension of no length.
    [InlineData("gtpu", "34ff000c00000155" + "00000085" + "ff000000")] // An extension past the end.
    [InlineData("gtpu", "34ff000c00000155" + "00000081" + "01000000")] // An extension that must be understood.
    [InlineData("gtpu", "34ff000c00000155" + "00000020" + "01000081")] // The same behind another one.
    [InlineData("ip6srv6", "0402030000000000" + "00000000000000000000000000000000")] // Type 3.
    [InlineData("ip6srv6", "0402040100000000" + "00000000000000000000000000000000")] // Not the last segment.
    [InlineData("ip6srv6", "0402040001000000" + "00000000000000000000000000000000")] // A second segment past the end.
    [InlineData("ip6srv6", "0400040000000000")] // A segment past the end.
    [InlineData("ip6srv6", "04ff040000000000" + "00000000000000000000000000000000")] // Longer than it is.
    [InlineData("ip6srv6", "0403040000000000" + "00000000000000000000000000000000" + "0507000000000000")] // An option past the end.
    [InlineData("ip6srv6", "0403040000000000" + "00000000000000000000000000000000" + "0000000000000005")] // An option cut short.
    [InlineData("erspan", "100088be00000000" + "3000000100000000")] // Version 3.
    [InlineData("erspan", "10006558000000001000000100000000")] // GRE.
    public void A_malformed_header_is_dropped(string kind, string header)
    {
        using TunnelEnds ends = TunnelEnds.Of(kind);
        ends.Underlay.Put(default, [.. Convert.FromHexString(header), .. Frame]);
        Assert.Empty(ends.Receive());
        Assert.Equal(1u, ends.Drops[(int)DropReason.TunnelHeader]);
    }

    [Theory]
    [InlineData("lisp", "4800000000000501", 0)] // ARP, say.
    [InlineData("gtpu", "3001000000000155", 0)] // An echo request.
    [InlineData("gtpu", "30fe000000000155", 0)] // An end marker.
    [InlineData("gtpu", "30ff000000000155", 0)]
    [InlineData("ip6srv6", "8f02040000000000" + "00000000000000000000000000000000", 0x45)] // Ethernet.
    public void What_a_tunnel_does_not_carry_is_dropped(string kind, string header, byte first)
    {
        using TunnelEnds ends = TunnelEnds.Of(kind);
        ends.Underlay.Put(default, [.. Convert.FromHexString(header), first, .. Frame]);
        Assert.Empty(ends.Receive());
        Assert.Equal(1u, ends.Drops[(int)DropReason.TunnelPayload]);
    }

    [Theory]
    [InlineData("lisp", "e012345600000501", 0)] // Nonce, locator status, echo, no instance: RFC 6830 has the reserved flags ignored.
    [InlineData("lisp", "0fffffff00000501", 5)] // Instance and all reserved flags.
    [InlineData("gtpu", "32ff004c00000155" + "1234ff85", 0x155)] // A sequence number; the other fields must be ignored.
    [InlineData("gtpu", "34ff005000000155" + "00000085" + "01000000", 0x155)] // A PDU session container.
    [InlineData("gtpu", "34ff005800000155" + "00000020" + "02000000" + "00000085" + "01000000", 0x155)] // Two extensions.
    [InlineData("gtpu", "38ff004800000155", 0x155)] // A spare bit.
    [InlineData("ip6srv6", "0404040000000000" + "00000000000000000000000000000000" + "0504aabbccdd0400" + "0000000000000000", 0)] // Options.
    [InlineData("ip6srv6", "0404040001ff1234" + "00000000000000000000000000000000" + "00000000000000000000000000000000", 0)] // Two segments, flags, a tag.
    [InlineData("gre64", "3000655889abcdef01234567", 0x0123_4567_89ab_cdef)]
    public void An_unusual_header_is_read(string kind, string header, ulong id)
    {
        using TunnelEnds ends = TunnelEnds.Of(kind);
        byte[] inner = TunnelEnds.IsBare(kind) ? Frame[14..] : Frame;
        ends.Underlay.Put(default, [.. Convert.FromHexString(header), .. inner]);
        (FlowKey key, byte[] bytes) = Assert.Single(ends.Receive());
        Assert.Equal(id, key.TunnelId.Value);
        Assert.Equal(inner, bytes);
        Assert.Equal(0x0a000001u, key.Ipv4Source.Value);
    }

    [Theory]
    [InlineData("gre64", "b0006558" + "00000000" + "89abcdef01234567", 4)]
    [InlineData("lisp", "4800000000015501", -1)]
    [InlineData("gtpu", "30ff004800000155", -1)]
    [InlineData("ip6srv6", "0402040000000000" + "20010db8009900000000000000000002", -1)]
    public void The_header_is_as_its_standard_says(string kind, string header, int checksum)
    {
        using TunnelEnds ends = TunnelEnds.Of(kind);
        bool isBare = TunnelEnds.IsBare(kind);
        TunnelKey tunnel = TunnelEnds.Tunnel(kind, checksum < 0 ? TunnelKeyFlags.None : TunnelKeyFlags.Checksum);
        Assert.True(ends.Send(tunnel, isBare ? Frame[14..] : Frame, hasEthernet: !isBare, etherType: isBare ? (ushort)0x0800 : (ushort)0));
        byte[] packet = ends.Underlay.Sent[0];
        byte[] expected = Convert.FromHexString(header);
        Span<byte> written = packet.AsSpan(packet.Length - Frame.Length + (isBare ? 14 : 0) - expected.Length);
        if (checksum >= 0)
        {
            Assert.Equal(0xffffu, ByteChecksum.Sum(written));
            written.Slice(checksum, 2).Clear();
        }

        Assert.Equal(expected, written[..expected.Length].ToArray());
        if (kind == "ip6srv6")
        {
            Assert.Equal(43, packet[6]);
        }
    }

    [Theory]
    [InlineData("lisp")]
    [InlineData("gtpu")]
    [InlineData("ip6srv6")]
    [InlineData("bareudp")]
    public void A_frame_does_not_go_by_a_tunnel_of_packets(string kind)
    {
        using TunnelEnds ends = TunnelEnds.Of(kind);
        Assert.False(ends.Send(TunnelEnds.Tunnel(kind), Frame));
        Assert.False(ends.Send(TunnelEnds.Tunnel(kind), Frame.AsSpan(14), hasEthernet: false, etherType: 0x0806));
        Assert.Equal(2u, ends.Drops[(int)DropReason.TunnelPayload]);
        Assert.Empty(ends.Underlay.Sent);
    }

    [Theory]
    [InlineData("lisp")]
    [InlineData("ip6gtpu")]
    [InlineData("ip6srv6")]
    [InlineData("bareudp")]
    public void A_super_frame_without_Ethernet_is_cut_too(string kind)
    {
        using TunnelEnds ends = TunnelEnds.Of(kind);
        byte[] packet = new byte[40 + 4000];
        Frame.AsSpan(14, 40).CopyTo(packet);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        PacketOffload offload = new() { Flags = 1, GsoType = 1, SegmentSize = 1380, HeaderLength = 40, ChecksumStart = 20, ChecksumOffset = 16 };
        Assert.True(ends.Send(TunnelEnds.Tunnel(kind), packet, offload, hasEthernet: false, etherType: 0x0800));
        ends.Underlay.Sent.ForEach(sent => ends.Underlay.PutPacket(sent));
        Assert.Equal([1420, 1420, 1280], ends.Receive().Select(received => received.Bytes.Length));
    }

    [Fact]
    public void Congestion_marks_go_through_as_RFC_6040_says()
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        for (int inner = 0; inner < 4; inner++)
        {
            byte[] frame = [.. Frame];
            frame[15] = (byte)inner;
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), 0);
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), (ushort)~ByteChecksum.Sum(frame.AsSpan(14, 20)));

            // Out: as the inner packet, but congestion experienced goes as capable.
            ends.Underlay.Sent.Clear();
            Assert.True(ends.Send(TunnelEnds.Tunnel("vxlan", tos: 0x2b), frame));
            Assert.Equal(0x28 | (inner == 3 ? 2 : inner), ends.Underlay.Sent[0][1]);
            for (int outer = 0; outer < 4; outer++)
            {
                // In: the table of RFC 6040, figure 4, as the kernel has it.
                byte[] packet = [.. ends.Underlay.Sent[0]];
                packet[1] = (byte)outer;
                ends.Underlay.PutPacket(packet);
                List<(FlowKey Key, byte[] Bytes)> received = ends.Receive();
                if (outer == 3 && inner == 0)
                {
                    Assert.Empty(received);
                    Assert.Equal(1u, ends.Drops[(int)DropReason.TunnelCongestion]);
                    continue;
                }

                byte[] bytes = Assert.Single(received).Bytes;
                Assert.Equal(outer == 3 ? 3 : inner, bytes[15]);
                Assert.Equal(0xffffu, ByteChecksum.Sum(bytes.AsSpan(14, 20)));
            }
        }
    }

    [Theory]
    [InlineData("vxlan", 1500, 9000)]
    [InlineData("gre", 576, 3000)]
    [InlineData("ip6gre", 1280, 9000)]
    public void A_packet_too_long_for_the_path_goes_in_fragments_unless_forbidden(string kind, int mtu, int length)
    {
        using TunnelEnds ends = TunnelEnds.Of(kind);
        ends.Underlay.MaximumTransmissionUnit = mtu;
        byte[] frame = new byte[length];
        Frame.CopyTo(frame, 0);
        new Random(1).NextBytes(frame.AsSpan(Frame.Length));
        Assert.True(ends.Send(TunnelEnds.Tunnel(kind), frame));
        Assert.All(ends.Underlay.Sent, packet => Assert.InRange(packet.Length, 1, mtu));
        ends.Underlay.PutPacket(Reassemble(ends.Underlay.Sent));
        Assert.Equal(frame, Assert.Single(ends.Receive()).Bytes);

        ends.Underlay.Sent.Clear();
        bool isIpv6 = kind == "ip6gre";
        Assert.Equal(isIpv6, ends.Send(TunnelEnds.Tunnel(kind, TunnelKeyFlags.DontFragment), frame));
        Assert.Equal(isIpv6 ? 0u : 1u, ends.Drops[(int)DropReason.TooBig]);
    }

    [Fact]
    public void Options_longer_than_the_headroom_find_room()
    {
        using TunnelEnds ends = TunnelEnds.Of("geneve");
        TunnelKey tunnel = TunnelEnds.Tunnel("geneve", optionWords: 63);
        Assert.True(ends.Send(tunnel, Frame));
        ends.Underlay.PutPacket(ends.Underlay.Sent[0]);
        (FlowKey key, byte[] bytes) = Assert.Single(ends.Receive());
        Assert.Equal(Frame, bytes);
        Assert.Equal(252, key.TunnelOptionsLength);
    }

    [Fact]
    public void A_super_frame_is_cut_and_each_segment_is_wrapped()
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        byte[] frame = new byte[54 + 4000];
        Frame.AsSpan(0, 54).CopyTo(frame);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(16), (ushort)(frame.Length - 14));
        PacketOffload offload = new() { Flags = 1, GsoType = 1, SegmentSize = 1400, HeaderLength = 54, ChecksumStart = 34, ChecksumOffset = 16 };
        Assert.True(ends.Send(TunnelEnds.Tunnel("vxlan"), frame, offload));
        Assert.Equal(3, ends.Underlay.Sent.Count);
        ends.Underlay.Sent.ForEach(packet => ends.Underlay.PutPacket(packet));
        List<(FlowKey Key, byte[] Bytes)> received = ends.Receive();
        Assert.Equal([1454, 1454, 1254], received.Select(packet => packet.Bytes.Length));
    }

    [Fact]
    public void Without_a_route_or_to_the_wrong_family_a_packet_is_dropped_and_says_why()
    {
        using TunnelEnds vxlan = TunnelEnds.Of("vxlan"), gre = TunnelEnds.Of("gre");
        FlowKey elsewhere = TunnelEnds.Tunnel("vxlan").Key;
        elsewhere.TunnelIpv4Destination = 0xcb007101;
        Assert.False(vxlan.Send(new TunnelKey(in elsewhere), Frame));
        Assert.Equal(1u, vxlan.Drops[(int)DropReason.NoRoute]);
        Assert.False(gre.Send(TunnelEnds.Tunnel("ip6gre"), Frame));
        Assert.Equal(1u, gre.Drops[(int)DropReason.NoTunnel]);
    }

    [Fact]
    public void A_route_that_changes_is_seen_by_the_next_packet()
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        TunnelKey tunnel = TunnelEnds.Tunnel("vxlan", TunnelKeyFlags.DontFragment);
        Assert.True(ends.Send(tunnel, Frame));
        ends.Underlay.MaximumTransmissionUnit = 100;
        Assert.True(ends.Send(tunnel, Frame));
        ends.Underlay.RouteGeneration++;
        Assert.False(ends.Send(tunnel, Frame));
        ends.Underlay.MaximumTransmissionUnit = 1500;
        ends.Underlay.RouteGeneration++;
        Assert.True(ends.Send(tunnel, Frame));
    }

    [Fact]
    public void One_tunnel_serves_two_ports()
    {
        using TunnelEnds first = TunnelEnds.Of("vxlan"), second = TunnelEnds.Of("gbp");
        TunnelKey tunnel = TunnelEnds.Tunnel("gbp");
        for (int i = 0; i < 3; i++)
        {
            Assert.True(first.Send(tunnel, Frame));
            Assert.True(second.Send(tunnel, Frame));
        }

        Assert.All(first.Underlay.Sent, packet => Assert.Equal(0x08, packet[28]));
        Assert.All(second.Underlay.Sent, packet => Assert.Equal(0x88, packet[28]));
    }

    private static byte[] Reassemble(IEnumerable<byte[]> fragments)
    {
        SortedDictionary<int, byte[]> pieces = [];
        byte[] header = [];
        foreach (byte[] fragment in fragments)
        {
            bool isIpv6 = fragment[0] >> 4 == 6;
            int offset = isIpv6 ? BinaryPrimitives.ReadUInt16BigEndian(fragment.AsSpan(42)) & ~7 : (BinaryPrimitives.ReadUInt16BigEndian(fragment.AsSpan(6)) & 0x1fff) * 8;
            header = fragment[..(isIpv6 ? 40 : 20)];
            if (!isIpv6)
            {
                Assert.Equal(0xffffu, ByteChecksum.Sum(header));
            }
            else
            {
                header[6] = fragment[40];
            }

            pieces.Add(offset, fragment[(isIpv6 ? 48 : 20)..]);
        }

        int next = 0;
        foreach ((int offset, byte[] piece) in pieces)
        {
            Assert.Equal(next, offset);
            next += piece.Length;
        }

        return [.. header, .. pieces.Values.SelectMany(piece => piece)];
    }
}
