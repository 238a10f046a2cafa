using System.Buffers.Binary;
using Engine.Flows;
using Engine.Packets;
using Engine.Platform;
using Engine.Tests.Oracles;
using Engine.Vports;

namespace Engine.Tests.Tunnels;

/// <summary>TCP segments that come by a tunnel are merged, and cut again they are the bytes that came, in the order of each connection.</summary>
public sealed unsafe class SegmentMergerTests
{
    private const int Network = 14;

    [Theory]
    [InlineData("vxlan", false, 0, 45, 1400, 1400)]
    [InlineData("vxlan", false, 12, 46, 1388, 1)]
    [InlineData("gre", true, 12, 20, 1368, 700)]
    [InlineData("geneve", true, 0, 2, 100, 100)]
    [InlineData("erspan", false, 40, 5, 8, 3)]
    public void Segments_become_one_frame_that_is_cut_into_the_same_bytes(string kind, bool isIpv6, int options, int count, int size, int last)
    {
        using TunnelEnds ends = TunnelEnds.Of(kind);
        List<byte[]> sent = [.. Train(isIpv6, options, count, size, last)];
        List<byte[]> merged = Exchange(ends, kind, sent, out int frames);
        Assert.Equal(sent, merged);

        // One for each batch of 32 datagrams; what is longer than an IP packet goes on in the next frame.
        Assert.InRange(frames, 1, 3);
        Assert.Equal(count, sent.Count);
        Assert.All(ends.Drops, dropped => Assert.Equal(0u, dropped));
    }

    [Fact]
    public void A_merged_frame_says_what_its_sink_has_to_do()
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        foreach (byte[] frame in Train(isIpv6: false, options: 12, count: 3, size: 1000, last: 10))
        {
            Arrive(ends, "vxlan", frame);
        }

        PacketBatch batch = default;
        ((ITunnelReceiver)ends.Driver.Rings[0].Driver).Receive(ends.Pool, ref batch, new FlowKey[PacketBatch.Capacity], ends.Drops);
        Assert.Equal(1, batch.Count);
        Span<byte> bytes = batch[0].Bytes;
        Assert.Equal(66 + 2010, bytes.Length);
        Assert.Equal(bytes.Length - Network, BinaryPrimitives.ReadUInt16BigEndian(bytes[16..]));
        Assert.Equal(0xffffu, ByteChecksum.Sum(bytes.Slice(Network, 20)));
        Assert.Equal(0x18, bytes[47]);
        uint pseudo = ByteChecksum.PseudoHeader(bytes.Slice(26, 8), 6, bytes.Length - 34);
        pseudo = (pseudo & 0xffff) + (pseudo >> 16);
        Assert.Equal(pseudo, BinaryPrimitives.ReadUInt16BigEndian(bytes[50..]));
        Assert.Equal(
            new PacketOffload { Flags = 1, GsoType = 1, HeaderLength = 66, SegmentSize = 1000, ChecksumStart = 34, ChecksumOffset = 16 },
            batch[0].Offload);
        ends.Pool.Free(ref batch);
    }

    // Of three segments the second is another one in one thing.
    [Theory]
    [InlineData(false, 6, 0x01)] // Source address of Ethernet.
    [InlineData(false, 15, 0x04)] // TOS.
    [InlineData(false, 15, 0x01)] // Its congestion mark.
    [InlineData(false, 19, 0x01)] // Identification.
    [InlineData(false, 20, 0x40)] // DF.
    [InlineData(false, 20, 0x80)] // The reserved bit.
    [InlineData(false, 22, 0x01)] // TTL.
    [InlineData(false, 29, 0x01)] // Source address: another connection.
    [InlineData(false, 35, 0x01)] // Source port.
    [InlineData(false, 41, 0x01)] // Sequence number.
    [InlineData(false, 45, 0x01)] // Acknowledged number.
    [InlineData(false, 46, 0x01)] // A reserved bit.
    [InlineData(false, 47, 0x20)] // URG.
    [InlineData(false, 47, 0x40)] // ECE.
    [InlineData(false, 47, 0x80)] // CWR.
    [InlineData(false, 47, 0x02)] // SYN.
    [InlineData(false, 47, 0x04)] // RST.
    [InlineData(false, 47, 0x10)] // No ACK.
    [InlineData(false, 49, 0x01)] // Window.
    [InlineData(false, 53, 0x01)] // Urgent pointer.
    [InlineData(false, 61, 0x01)] // An option.
    [InlineData(true, 15, 0x10)] // Traffic class.
    [InlineData(true, 17, 0x01)] // Flow label.
    [InlineData(true, 21, 0x01)] // Hop limit.
    [InlineData(true, 53, 0x01)] // Destination address.
    [InlineData(true, 61, 0x01)] // Sequence number.
    [InlineData(true, 69, 0x01)] // Window.
    public void A_segment_that_differs_is_not_merged(bool isIpv6, int offset, byte bits)
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        List<byte[]> sent = [.. Train(isIpv6, options: 12, count: 3, size: 500, last: 500)];
        sent[1][offset] ^= bits;
        Complete(sent[1], isIpv6);
        List<byte[]> came = Exchange(ends, "vxlan", sent, out int frames);

        // Another connection's does not keep these two apart, but the gap does.
        Assert.Equal(3, frames);
        Assert.Equal(sent, came);
    }

    [Theory]
    [InlineData(24)] // Of IPv4.
    [InlineData(50)] // Of TCP.
    [InlineData(200)] // The payload.
    public void A_wrong_checksum_stays_wrong(int offset)
    {
        for (int which = 0; which < 3; which++)
        {
            using TunnelEnds ends = TunnelEnds.Of("vxlan");
            List<byte[]> sent = [.. Train(isIpv6: false, options: 12, count: 3, size: 500, last: 500)];
            sent[which][offset] ^= 1;
            Assert.Equal(sent, Exchange(ends, "vxlan", sent, out int frames));
            Assert.Equal(which == 1 ? 3 : 2, frames);
        }
    }

    [Fact]
    public void The_last_segment_ends_a_frame()
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");

        // PSH, or one that is shorter: what follows begins a frame.
        List<byte[]> sent = [.. Train(false, 0, 3, 500, 500), .. Train(false, 0, 3, 500, 500, first: 3), .. Train(false, 0, 2, 400, 400, first: 6, startAt: 3000)];
        Assert.Equal(sent, Exchange(ends, "vxlan", sent, out int frames));
        Assert.Equal(3, frames);
    }

    [Fact]
    public void Tunnels_are_kept_apart()
    {
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        List<byte[]> sent = [.. Train(false, 0, 4, 500, 500)];
        for (int i = 0; i < sent.Count; i++)
        {
            Datagram about = new() { Ttl = (byte)(i < 2 ? 64 : 63) };
            ends.Underlay.Put(in about, [8, 0, 0, 0, 0, 0, 5, 0, .. sent[i]]);
        }

        Assert.Equal(sent, Receive(ends, out int frames));
        Assert.Equal(2, frames);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_comes_each_connection_has_its_bytes_in_order(int seed)
    {
        Random random = new(seed);
        using TunnelEnds ends = TunnelEnds.Of("vxlan");
        int merged = 0, all = 0;
        for (int round = 0; round < 300; round++)
        {
            // Some connections, each a train with some things changed, dealt like cards.
            List<Queue<byte[]>> trains = [];
            for (int i = random.Next(1, 12); i > 0; i--)
            {
                bool isIpv6 = random.Next(3) == 0;
                List<byte[]> train = [.. Train(isIpv6, options: 12, count: random.Next(1, 9), size: random.Next(1, 1360), last: 1, port: (ushort)(5000 + i))];
                for (int changes = random.Next(3); changes > 0; changes--)
                {
                    // All but what says how long the headers are, which checksums would be computed by.
                    byte[] frame = train[random.Next(train.Count)];
                    int offset = ((int[])[15, 19, 22, 41, 45, 47, 49, 60])[random.Next(8)];
                    frame[offset + (isIpv6 && offset > 22 ? 20 : 0)] ^= (byte)(1 << random.Next(7));
                    if (random.Next(4) != 0)
                    {
                        Complete(frame, isIpv6);
                    }
                }

                trains.Add(new Queue<byte[]>(train));
            }

            List<byte[]> sent = [];
            while (trains.Count != 0)
            {
                int which = random.Next(trains.Count);
                for (int run = random.Next(1, 6); run > 0 && trains[which].TryDequeue(out byte[]? frame); run--)
                {
                    sent.Add(frame);
                }

                if (trains[which].Count == 0)
                {
                    trains.RemoveAt(which);
                }
            }

            List<byte[]> came = Exchange(ends, "vxlan", sent, out int frames);
            Assert.Equal(ByConnection(sent), ByConnection(came));
            merged += sent.Count - frames;
            all += sent.Count;
        }

        Assert.InRange(merged, all / 10, all);
    }

    // Frames of one connection, in order; ports are not changed above.
    private static List<List<string>> ByConnection(List<byte[]> frames) =>
    [
        .. frames.GroupBy(static frame => BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(frame[12] == 8 ? 34 : 54))).OrderBy(static each => each.Key)
            .Select(static each => each.Select(Convert.ToHexString).ToList()),
    ];

    /// <summary>Segments that follow each other, the last with PSH, all complete.</summary>
    private static IEnumerable<byte[]> Train(bool isIpv6, int options, int count, int size, int last, int first = 0, int startAt = -1, ushort port = 5001)
    {
        int transport = Network + (isIpv6 ? 40 : 20), payload = transport + 20 + options;
        for (int i = 0; i < count; i++)
        {
            int length = i == count - 1 ? last : size;
            byte[] frame = new byte[payload + length];
            Convert.FromHexString("020000000002020000000001").CopyTo(frame, 0);
            Span<byte> ip = frame.AsSpan(Network), tcp = frame.AsSpan(transport);
            if (isIpv6)
            {
                BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x86dd);
                Convert.FromHexString("60012345000006402001" + "0db80000000000000000000000012001" + "0db8000000000000000000000002").CopyTo(ip);
                BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(ip.Length - 40));
            }
            else
            {
                BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x0800);
                Convert.FromHexString("45000000000040004006" + "00000a0000010a000002").CopyTo(ip);
                BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
                BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(0xfffe + first + i));
            }

            BinaryPrimitives.WriteUInt16BigEndian(tcp, port);
            BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], 80);
            BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], (uint)(-1000 + (startAt >= 0 ? startAt + (i * size) : (first + i) * size)));
            BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], 0x0102_0304);
            tcp[12] = (byte)((20 + options) / 4 << 4);
            tcp[13] = (byte)(i == count - 1 ? 0x18 : 0x10);
            BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], 502);
            tcp.Slice(20, options).Fill(1);
            new Random((first + i) * 77).NextBytes(frame.AsSpan(payload));
            Complete(frame, isIpv6);
            yield return frame;
        }
    }

    private static void Complete(byte[] frame, bool isIpv6)
    {
        int transport = Network + (isIpv6 ? 40 : 20), addresses = isIpv6 ? 32 : 8;
        if (!isIpv6)
        {
            frame.AsSpan(24, 2).Clear();
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), (ushort)~ByteChecksum.Sum(frame.AsSpan(Network, 20)));
        }

        Span<byte> tcp = frame.AsSpan(transport);
        tcp.Slice(16, 2).Clear();
        uint sum = ByteChecksum.PseudoHeader(frame.AsSpan(transport - addresses, addresses), 6, tcp.Length) + ByteChecksum.Sum(tcp);
        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], (ushort)~((sum & 0xffff) + (sum >> 16)));
    }

    private static List<byte[]> Exchange(TunnelEnds ends, string kind, List<byte[]> sent, out int frames)
    {
        sent.ForEach(frame => Arrive(ends, kind, frame));
        return Receive(ends, out frames);
    }

    private static void Arrive(TunnelEnds ends, string kind, byte[] frame)
    {
        ends.Underlay.Sent.Clear();
        Assert.True(ends.Send(TunnelEnds.Tunnel(kind), frame));
        Assert.Single(ends.Underlay.Sent);
        ends.Underlay.PutPacket(ends.Underlay.Sent[0]);
    }

    // What came, super-frames cut.
    private static List<byte[]> Receive(TunnelEnds ends, out int frames)
    {
        List<byte[]> came = [];
        FlowKey[] keys = new FlowKey[PacketBatch.Capacity];
        frames = 0;
        while (true)
        {
            PacketBatch batch = default;
            ((ITunnelReceiver)ends.Driver.Rings[0].Driver).Receive(ends.Pool, ref batch, keys, ends.Drops);
            if (batch.Count == 0)
            {
                return came;
            }

            frames += batch.Count;
            for (int i = 0; i < batch.Count; i++)
            {
                if (batch[i].Offload.GsoType == 0)
                {
                    came.Add(batch[i].Bytes.ToArray());
                    continue;
                }

                Assert.True(SegmentationOffload.TryStart(ref batch[i], out SegmentationOffload segments));
                while (segments.Remaining > 0)
                {
                    Packet* segment = segments.TryNext(ends.Pool);
                    came.Add(segment->Bytes.ToArray());
                    ends.Pool.Free(segment);
                }
            }

            ends.Pool.Free(ref batch);
        }
    }
}
