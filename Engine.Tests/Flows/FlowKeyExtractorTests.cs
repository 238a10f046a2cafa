using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Tests.Fuzz;
using Engine.Tests.Golden;
using Engine.Tests.Oracles;
using Xunit.Abstractions;

namespace Engine.Tests.Flows;

/// <summary>The extractor beside its twin; where the headers are; and what a key keeps of the packet before. The kernel's word is in the golden vectors.</summary>
public sealed unsafe class FlowKeyExtractorTests(ITestOutputHelper output) : IDisposable
{
    private const string Tcp4 =
        "020000000002020000000001080045000048123400004006547a0a0000010a00000203e8005000000001000000005012200086860000000102030405060708090a0b0c0d0e0f";

    private readonly PacketPool _pool = new(1);

    private enum Way
    {
        Received,

        // As the others in a batch, in a slot that had only common packets before.
        InBatch,
        Executed,
        Bare,
    }

    public void Dispose() => _pool.Dispose();

    [Theory]
    [MemberData(nameof(FuzzSeeds.All), MemberType = typeof(FuzzSeeds))]
    public void Random_and_mutated_packets_get_the_key_of_the_twin(int seed)
    {
        output.WriteLine($"seed {seed}");
        PacketMix mix = new(seed);
        for (int i = 0; i < 60_000; i++)
        {
            ReadOnlySpan<byte> bytes = i % 3 == 0 ? mix.Next() : mix.NextMutated();
            bool udpSegmentation = mix.Random.Next(16) == 0;
            Compare(bytes, (Way)(i / 3 % 3), udpSegmentation, 0, $"seed {seed} input {i}");
            if (bytes.Length >= 14)
            {
                Compare(bytes[14..], Way.Bare, udpSegmentation, (ushort)((bytes[12] << 8) | bytes[13]), $"seed {seed} input {i}");
            }
        }
    }

    [Fact]
    public void A_packet_cut_at_any_length_gets_the_key_of_the_twin_whatever_lies_behind_its_end()
    {
        PacketMix mix = new(1);
        IEnumerable<byte[]> packets = GoldenFiles.KeyExtract
            .Where(vector => vector.Via == "exec" && !vector.Category.StartsWith("mut", StringComparison.Ordinal) && vector.Packet.Length < 300)
            .GroupBy(vector => (vector.Category, vector.Packet.Length))
            .Select(alike => alike.First().Packet)
            .Concat(Enumerable.Range(0, 300).Select(_ => mix.Next().ToArray()));
        int packetCount = 0;
        foreach (byte[] packet in packets)
        {
            packetCount++;
            for (int length = 0; length <= Math.Min(packet.Length, 160); length++)
            {
                Compare(packet.AsSpan(0, length), (Way)(length % 3), false, 0, $"cut to {length}", packet.AsSpan(length));
            }
        }

        output.WriteLine($"{packetCount} packets");
        Assert.InRange(packetCount, 350, 2_000);
    }

    [Theory]
    [InlineData(Tcp4, "untagged", 14, 34, false)]
    [InlineData("0200000000020200000000018100600508004500001c000000004001000001020304050607080800000000000000", "one tag", 18, 38, true)]
    [InlineData("02000000000202000000000188a860058100600608004500001c000000004001000001020304050607080800000000000000", "two tags", 22, 42, true)]
    [InlineData("0200000000020200000000010024aaaa0300000008004500001c000000004011000001020304050607080102030400080000", "SNAP", 22, 42, false)]
    [InlineData("020000000002020000000001080047000020000000004011000001020304050607080102030401020304", "IPv4 options, nothing behind", 14, 42, false)]
    [InlineData("02000000000202000000000108004500001c00000005401100000102030405060708", "later fragment", 14, 34, false)]
    [InlineData("020000000002020000000001080042000014000000004011000001020304050607080102030400080000", "IHL 2", 14, -1, false)]
    [InlineData("020000000002020000000001080600010800060400010200000000010a0000010000000000000a000002", "ARP", 14, -1, false)]
    [InlineData("020000000002020000000001810060050800", "a tag and nothing else", 18, -1, true)]
    [InlineData("0200000000020200000000018100", "a tag cut short", 14, -1, false)]
    public void The_packet_knows_where_its_headers_are(string hex, string because, int network, int transport, bool outerTag)
    {
        Packet* packet = Load(Convert.FromHexString(hex), default);
        packet->HasTransport = transport < 0;
        packet->HasOuterTag = !outerTag;
        FlowKey key = default;
        Assert.True(FlowKeyExtractor.TryExtract(packet, ref key), because);
        Assert.Equal(network, packet->NetworkOffset);
        Assert.Equal(transport >= 0, packet->HasTransport);
        Assert.Equal(transport >= 0 ? transport : network, packet->TransportOffset);
        Assert.Equal(outerTag, packet->HasOuterTag);
        _pool.Free(packet);
    }

    [Theory]
    [InlineData("02000000000202000000000108", DropReason.TooShort)]
    [InlineData("0200000000020200000000018100000108", DropReason.TooShort)]
    [InlineData("02000000000202000000000188a8000108000a", DropReason.TooShort)]
    [InlineData("020000000002020000000001894f4fc60101000000ff", DropReason.ExtractionFailed)]
    [InlineData("020000000002020000000001894f0fc601", DropReason.ExtractionFailed)]
    public void What_cannot_be_received_has_a_reason(string hex, DropReason reason)
    {
        Packet* packet = Load(Convert.FromHexString(hex), default);
        FlowKey key = Dirty();
        Assert.False(FlowKeyExtractor.TryReceive(packet, ref key, 1));
        Assert.Equal(reason, FlowKeyExtractor.ReasonOfFailure(packet));
        Assert.Equal(FlowKeySegments.None, key.FindSegments() & ~key.Segments);
        _pool.Free(packet);
    }

    [Fact]
    public void A_bare_packet_must_not_be_of_a_VLAN_type()
    {
        Packet* packet = Load(new byte[40], default);
        packet->HasEthernet = false;
        FlowKey key = new() { EtherType = 0x88a8 };
        Assert.False(FlowKeyExtractor.TryExtract(packet, ref key));
        Assert.Equal(DropReason.ExtractionFailed, FlowKeyExtractor.ReasonOfFailure(packet));
        _pool.Free(packet);
    }

    [Fact]
    public void A_batch_gets_the_keys_of_its_packets_and_names_the_ones_that_failed()
    {
        using PacketPool pool = new(32);
        PacketBatch batch = default;
        for (int i = 0; i < 32; i++)
        {
            byte[] frame = Convert.FromHexString(Tcp4);
            frame[35] = (byte)i;
            Packet* packet = pool.TryAllocate();
            Assert.True(packet->TrySetBytes(i % 5 == 3 ? frame.AsSpan(0, 10) : frame));
            batch.Add(packet);
        }

        FlowKey[] keys = [.. Enumerable.Repeat(Dirty(), 32)];
        uint failed = FlowKeyExtractor.ReceiveBatch(ref batch, keys, 7);
        for (int i = 0; i < 32; i++)
        {
            Assert.Equal(i % 5 == 3, (failed >> i & 1) != 0);
            if (i % 5 != 3)
            {
                Assert.Equal((0x0300 | i, 7u), (keys[i].TransportSource.Value, keys[i].InPort));
            }
        }
    }

    [Fact]
    public void A_packet_at_the_end_of_its_frame_gets_the_same_key_in_a_batch()
    {
        byte[] frame = Convert.FromHexString(Tcp4);
        for (int length = 54; length <= frame.Length; length++)
        {
            Packet* packet = _pool.TryAllocate();
            packet->SetData(packet->FrameSize - length, length);
            frame.AsSpan(0, length).CopyTo(packet->Bytes);
            FlowKey alone = default;
            Assert.True(FlowKeyExtractor.TryReceive(packet, ref alone, 3));
            PacketBatch batch = default;
            batch.Add(packet);
            FlowKey inBatch = default;
            Assert.Equal(0u, FlowKeyExtractor.ReceiveBatch(ref batch, new Span<FlowKey>(ref inBatch), 3));
            AssertEqual(in alone, in inBatch, $"{length} bytes");
            _pool.Free(packet);
        }
    }

    [Fact]
    public void Extraction_from_the_network_header_on_keeps_what_the_key_says_about_Ethernet()
    {
        byte[] frame = Convert.FromHexString(Tcp4);
        Packet* packet = Load(frame, default);
        FlowKey key = default;
        Assert.True(FlowKeyExtractor.TryReceive(packet, ref key, 3));
        FlowKey expected = key;
        expected.Ipv4Source = 0x01020304;
        new byte[] { 1, 2, 3, 4 }.CopyTo(packet->Bytes[26..]);
        packet->Bytes[..12].Fill(0xee);
        key.Segments |= FlowKeySegments.Nsh;
        key.NshPathHeader = 5;
        Assert.True(FlowKeyExtractor.TryExtractNetwork(packet, ref key));
        AssertEqual(in expected, in key, "network");
        _pool.Free(packet);
    }

    [Fact]
    public void The_fields_lie_where_the_common_cases_store_them()
    {
        (string Name, int Offset)[] stored =
        [
            (nameof(FlowKey.InPort), 0), (nameof(FlowKey.RecirculationId), 4), (nameof(FlowKey.DatapathHash), 8), (nameof(FlowKey.SkbMark), 12),
            (nameof(FlowKey.EthernetDestination), 16), (nameof(FlowKey.EthernetSource), 22), (nameof(FlowKey.EtherType), 28),
            (nameof(FlowKey.VlanTci), 30), (nameof(FlowKey.VlanTpid), 32), (nameof(FlowKey.InnerVlanTci), 34), (nameof(FlowKey.InnerVlanTpid), 36),
            (nameof(FlowKey.MacProtocol), 38), (nameof(FlowKey.ConntrackState), 39), (nameof(FlowKey.Ipv4Source), 40), (nameof(FlowKey.Ipv4Destination), 44),
            (nameof(FlowKey.IpProtocol), 48), (nameof(FlowKey.IpTos), 49), (nameof(FlowKey.IpTtl), 50), (nameof(FlowKey.IpFragment), 51),
            (nameof(FlowKey.TransportSource), 52), (nameof(FlowKey.TransportDestination), 54), (nameof(FlowKey.TcpFlags), 56),
            (nameof(FlowKey.ConntrackZone), 58), (nameof(FlowKey.SkbPriority), 60),
            (nameof(FlowKey.Ipv6Source), 64), (nameof(FlowKey.Ipv6Destination), 80), (nameof(FlowKey.Ipv6Label), 96), (nameof(FlowKey.Ipv6ExtensionHeaders), 100),
        ];
        Assert.Equal(stored, FlowFields.All.TakeWhile(field => field.Offset < 104).Select(field => (field.Name, field.Offset)));
    }

    // All bytes set, as if every kind of packet had been in this slot before.
    private static FlowKey Dirty()
    {
        FlowKey key = default;
        MemoryMarshal.AsBytes(new Span<FlowKey>(ref key)).Fill(0xa5);
        key.Segments = (FlowKeySegments)0xff;
        return key;
    }

    private Packet* Load(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> behind)
    {
        Packet* packet = _pool.TryAllocate();
        packet->SetData(Packet.DescriptorSize, packet->FrameSize - Packet.DescriptorSize);
        packet->Bytes.Fill(0xa5);
        packet->SetData(Packet.DefaultDataOffset, bytes.Length + behind.Length);
        bytes.CopyTo(packet->Bytes);
        behind.CopyTo(packet->Bytes[bytes.Length..]);
        packet->Trim(bytes.Length);
        return packet;
    }

    private void Compare(ReadOnlySpan<byte> bytes, Way way, bool udpSegmentation, ushort type, string what, ReadOnlySpan<byte> behind = default)
    {
        Packet* packet = Load(bytes, behind);
        packet->Offload.GsoType = udpSegmentation ? (byte)3 : (byte)0;
        packet->HasEthernet = way != Way.Bare;
        FlowKey key = Dirty();
        FlowKeyExtractorTwin twin;
        bool extracted;
        if (way == Way.Received)
        {
            twin = FlowKeyExtractorTwin.Receive(bytes, udpSegmentation, 9);
            extracted = FlowKeyExtractor.TryReceive(packet, ref key, 9);
        }
        else if (way == Way.InBatch)
        {
            twin = FlowKeyExtractorTwin.Receive(bytes, udpSegmentation, 9);
            key.ClearSegments(~FlowKeySegments.None);
            PacketBatch batch = default;
            batch.Add(packet);
            extracted = FlowKeyExtractor.ReceiveBatch(ref batch, new Span<FlowKey>(ref key), 9) == 0;
        }
        else
        {
            // Metadata of every kind is kept; segments that are not metadata are dirty.
            key.ClearSegments(FlowKeySegments.Conntrack | FlowKeySegments.Tunnel | FlowKeySegments.TunnelOptions);
            key.Segments |= FlowKeySegments.Conntrack | FlowKeySegments.Tunnel;
            key.ConntrackMark = 1;
            key.ConntrackLabels = new Ipv6Address("0123456789abcdef"u8);
            key.TunnelId = 2;
            key.TunnelIpv4Destination = 3;
            key.EtherType = type;
            twin = way == Way.Bare
                ? FlowKeyExtractorTwin.ExtractBare(bytes, udpSegmentation, in key)
                : FlowKeyExtractorTwin.Extract(bytes, udpSegmentation, in key);
            extracted = FlowKeyExtractor.TryExtract(packet, ref key);
        }

        what = $"{what}: {way} type {type:x4} gso {udpSegmentation} {Convert.ToHexStringLower(bytes)}";
        Assert.True(twin.Succeeded == extracted, what);
        Assert.True((key.FindSegments() & ~key.Segments) == 0, what);
        if (extracted)
        {
            AssertEqual(twin.Key, in key, what);
            Assert.True(twin.NetworkOffset == packet->NetworkOffset, what);
            Assert.True(twin.TransportOffset.HasValue == packet->HasTransport, what);
            Assert.True((twin.TransportOffset ?? twin.NetworkOffset) == packet->TransportOffset, what);
            Assert.True(twin.Tags > 0 == packet->HasOuterTag, what);
        }

        _pool.Free(packet);
    }

    private static void AssertEqual(in FlowKey expected, in FlowKey actual, string what)
    {
        ReadOnlySpan<byte> left = LinearClassifier<int>.BytesOf(in expected), right = LinearClassifier<int>.BytesOf(in actual);
        if (left.SequenceEqual(right))
        {
            return;
        }

        foreach (FlowField field in FlowFields.All)
        {
            string wanted = Convert.ToHexStringLower(left.Slice(field.Offset, field.Size)), got = Convert.ToHexStringLower(right.Slice(field.Offset, field.Size));
            Assert.True(wanted == got, $"{field.Name} is {got} instead of {wanted}; {what}");
        }

        Assert.Fail($"padding differs; {what}");
    }
}
