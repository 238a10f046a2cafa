using System.Buffers.Binary;
using Engine.Packets;
using Engine.Tests.Oracles;

namespace Engine.Tests.Packets;

/// <summary>Super-frames cut in software, held against the same segments built one by one, byte by byte.</summary>
public sealed unsafe class SegmentationOffloadTests
{
    private const byte Tcp4 = 1, Tcp6 = 4, Udp = 5, Ecn = 0x80;

    [Theory]
    [InlineData(Tcp4, false, "", 1448, 64_000)]
    [InlineData(Tcp4, false, "", 1448, 1449)] // One byte in the last.
    [InlineData(Tcp4, false, "", 1448, 2896)] // The last is full.
    [InlineData(Tcp4, false, "", 1448, 1)] // Nothing to cut.
    [InlineData(Tcp4 | Ecn, false, "", 500, 5000)]
    [InlineData(Tcp4, false, "81000007", 1000, 9999)]
    [InlineData(Tcp4, false, "88a8000181000007", 1000, 9999)]
    [InlineData(Tcp6, true, "", 1428, 60_000)]
    [InlineData(Tcp6, true, "81000007", 1, 40)]
    [InlineData(Udp, false, "", 1472, 30_001)]
    [InlineData(Udp, true, "", 1300, 30_000)]
    [InlineData(Tcp4, false, "", 9000, 60_000)] // Segments in large frames.
    public void Segments_are_those_built_one_by_one(byte type, bool isIpv6, string tags, int segmentSize, int payloadLength)
    {
        using PacketPool pool = new(64, largeFrameCount: 16);
        byte[] payload = new byte[payloadLength];
        new Random(payloadLength).NextBytes(payload);
        bool isTcp = type != Udp;
        Packet* packet = Super(pool, type, isIpv6, tags, segmentSize, payload);
        Assert.True(SegmentationOffload.TryStart(ref *packet, out SegmentationOffload segments));
        int count = ((payloadLength - 1) / segmentSize) + 1;
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(count - i, segments.Remaining);
            Packet* segment = segments.TryNext(pool);
            Assert.True(segment != null);
            int offset = i * segmentSize, length = Math.Min(segmentSize, payloadLength - offset);
            byte[] expected = Frame(tags, isTcp, isIpv6, payload.AsSpan(offset, length), i, offset, isLast: i == count - 1);
            Complete(expected, tags.Length / 2, isTcp, isIpv6);
            Assert.Equal(expected, segment->Bytes.ToArray());
            Assert.Equal(0, segment->Offload.Flags | segment->Offload.GsoType);
            pool.Free(segment);
        }

        Assert.Equal(0, segments.Remaining);
        Assert.True(segments.TryNext(pool) == null);
        pool.Free(packet);
    }

    [Fact]
    public void A_segment_waits_for_a_free_frame()
    {
        using PacketPool pool = new(1, largeFrameCount: 1);
        Packet* packet = Super(pool, Tcp4, false, "", 1000, new byte[3000]);
        Packet* only = pool.TryAllocate();
        Assert.True(SegmentationOffload.TryStart(ref *packet, out SegmentationOffload segments));
        Assert.True(segments.TryNext(pool) == null);
        Assert.Equal(3, segments.Remaining);
        pool.Free(only);
        Assert.True(segments.TryNext(pool) == only);
        Assert.Equal(2, segments.Remaining);
    }

    [Fact]
    public void Any_cut_or_flipped_header_is_refused_or_cut_without_fault()
    {
        using PacketPool pool = new(64);
        Random random = new(5);
        for (int round = 0; round < 20_000; round++)
        {
            bool isIpv6 = round % 2 != 0;
            Packet* packet = Super(pool, isIpv6 ? Tcp6 : Tcp4, isIpv6, round % 3 == 0 ? "81000007" : "", 100, new byte[500]);
            packet->Bytes[random.Next(80)] ^= (byte)(1 << random.Next(8));
            packet->Offload.ChecksumStart = (ushort)(random.Next(4) == 0 ? random.Next(1 << 16) : packet->Offload.ChecksumStart);
            packet->Trim(random.Next(packet->Length + 1));
            if (SegmentationOffload.TryStart(ref *packet, out SegmentationOffload segments))
            {
                Packet* segment;
                while ((segment = segments.TryNext(pool)) != null)
                {
                    pool.Free(segment);
                }

                Assert.Equal(0, segments.Remaining);
            }

            pool.Free(packet);
        }
    }

    [Theory]
    [InlineData(true, false, 1000)]
    [InlineData(false, false, 1001)]
    [InlineData(true, true, 0)]
    [InlineData(false, true, 13)]
    public void A_partial_checksum_is_finished(bool isTcp, bool isIpv6, int payloadLength)
    {
        using PacketPool pool = new(2);
        byte[] payload = new byte[payloadLength];
        new Random(payloadLength).NextBytes(payload);
        byte[] frame = Frame("81000007", isTcp, isIpv6, payload, 0, 0, isLast: true);
        byte[] expected = [.. frame];
        Complete(expected, 4, isTcp, isIpv6);
        Packet* packet = pool.TryAllocate();
        packet->TrySetBytes(Partial(frame, 4, isTcp, isIpv6, out ushort start));
        packet->Offload = new PacketOffload { Flags = 1, ChecksumStart = start, ChecksumOffset = (ushort)(isTcp ? 16 : 6) };
        Assert.True(ChecksumOffload.TryFinish(ref *packet));
        Assert.Equal(expected, packet->Bytes.ToArray());
        Assert.Equal(0, packet->Offload.Flags);

        // Finished is finished.
        Assert.True(ChecksumOffload.TryFinish(ref *packet));
        Assert.Equal(expected, packet->Bytes.ToArray());
        pool.Free(packet);
    }

    [Fact]
    public void A_checksum_outside_of_the_packet_is_refused()
    {
        using PacketPool pool = new(2);
        Packet* packet = pool.TryAllocate();
        packet->TrySetBytes(new byte[60]);
        packet->Offload = new PacketOffload { Flags = 1, ChecksumStart = 50, ChecksumOffset = 9 };
        Assert.False(ChecksumOffload.TryFinish(ref *packet));
        packet->Offload.ChecksumOffset = 8;
        Assert.True(ChecksumOffload.TryFinish(ref *packet));
    }

    private static Packet* Super(PacketPool pool, byte type, bool isIpv6, string tags, int segmentSize, byte[] payload)
    {
        bool isTcp = type != Udp;
        byte[] frame = Partial(Frame(tags, isTcp, isIpv6, payload, 0, 0, isLast: true), tags.Length / 2, isTcp, isIpv6, out ushort start);
        Packet* packet = pool.TryAllocate(PacketPool.MaximumPacketLength);
        Assert.True(packet->TrySetBytes(frame));
        packet->Offload = new PacketOffload
        {
            Flags = 1,
            GsoType = type,
            SegmentSize = (ushort)segmentSize,
            HeaderLength = 7, // Only a hint.
            ChecksumStart = start,
            ChecksumOffset = (ushort)(isTcp ? 16 : 6),
        };
        return packet;
    }

    // A segment with zero checksums.
    private static byte[] Frame(string tags, bool isTcp, bool isIpv6, ReadOnlySpan<byte> payload, int index, int offset, bool isLast)
    {
        FrameBuilder builder = new(1 << 17);
        builder.Bytes(Convert.FromHexString("020000000002020000000001"));
        builder.Bytes(Convert.FromHexString(tags));
        builder.U16(isIpv6 ? 0x86dd : 0x0800);
        int transport = (isTcp ? 32 : 8) + payload.Length;
        if (isIpv6)
        {
            builder.U32(0x6000_1234);
            builder.U16(transport & 0xffff);
            builder.U8(isTcp ? 6 : 17);
            builder.U8(64);
            builder.Bytes(Convert.FromHexString("fd770000000000000000000000000001fd770000000000000000000000000002"));
        }
        else
        {
            builder.U16(0x4500);
            builder.U16((20 + transport) & 0xffff);
            builder.U16((0xfffe + index) & 0xffff);
            builder.U16(0x4000);
            builder.U8(64);
            builder.U8(isTcp ? 6 : 17);
            builder.U16(0);
            builder.U32(0x0a4d_0001);
            builder.U32(0x0a4d_0002);
        }

        builder.U16(1000);
        builder.U16(2000);
        if (isTcp)
        {
            builder.U32(unchecked(0xffff_f000 + (uint)offset));
            builder.U32(77);
            builder.U8(0x80);
            builder.U8(0x10 | (isLast ? 0x09 : 0) | (index == 0 ? 0x80 : 0));
            builder.U16(500);
            builder.U16(0);
            builder.U16(0);
            builder.Bytes(Convert.FromHexString("0101080a0102030405060708"));
        }
        else
        {
            builder.U16(transport & 0xffff);
            builder.U16(0);
        }

        builder.Bytes(payload);
        return builder.Written.ToArray();
    }

    // Writes the sum of the pseudo-header where the checksum goes, as the kernel leaves it.
    private static byte[] Partial(byte[] frame, int tags, bool isTcp, bool isIpv6, out ushort start)
    {
        start = (ushort)(14 + tags + (isIpv6 ? 40 : 20));
        CompleteNetwork(frame, 14 + tags, isIpv6);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(start + (isTcp ? 16 : 6)), (ushort)Pseudo(frame, start, isTcp, isIpv6));
        return frame;
    }

    private static void Complete(byte[] frame, int tags, bool isTcp, bool isIpv6)
    {
        int network = 14 + tags, start = network + (isIpv6 ? 40 : 20);
        CompleteNetwork(frame, network, isIpv6);
        ushort sum = ByteChecksum.Of(frame.AsSpan(start), Pseudo(frame, start, isTcp, isIpv6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(start + (isTcp ? 16 : 6)), sum);
    }

    private static void CompleteNetwork(byte[] frame, int network, bool isIpv6)
    {
        if (!isIpv6)
        {
            frame.AsSpan(network + 10, 2).Clear();
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(network + 10), ByteChecksum.Of(frame.AsSpan(network, 20)));
        }
    }

    private static uint Pseudo(byte[] frame, int start, bool isTcp, bool isIpv6)
    {
        int addresses = isIpv6 ? 32 : 8;
        return ByteChecksum.PseudoHeader(frame.AsSpan(start - addresses, addresses), (byte)(isTcp ? 6 : 17), frame.Length - start);
    }
}
