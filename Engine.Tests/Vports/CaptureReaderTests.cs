using Engine.Tests.Allocation;
using Engine.Vports;

namespace Engine.Tests.Vports;

/// <summary>Captures of every kind are read, and damaged ones up to the damage.</summary>
public sealed class CaptureReaderTests
{
    private const long Second = 1_000_000_000;

    private static readonly byte[] First = [.. Enumerable.Range(0, 61).Select(i => (byte)i)];
    private static readonly byte[] Other = [.. Enumerable.Range(0, 1514).Select(i => (byte)(i * 7))];

    [Theory]
    [InlineData(0xa1b2c3d4, false, CaptureFormat.PcapMicroseconds, 250_000)]
    [InlineData(0xa1b2c3d4, true, CaptureFormat.PcapMicroseconds, 250_000)]
    [InlineData(0xa1b23c4d, false, CaptureFormat.PcapNanoseconds, 250)]
    [InlineData(0xa1b23c4d, true, CaptureFormat.PcapNanoseconds, 250)]
    public void Classic_pcap_in_either_byte_order_and_resolution(uint magic, bool isBigEndian, CaptureFormat format, long fractionNs)
    {
        byte[] bytes = new CaptureBytes(isBigEndian).PcapHeader(magic).Record(7, 250, First).Record(uint.MaxValue, 0, Other, 9000).Record(8, 0, []).ToArray();
        Assert.True(CaptureReader.TryOpen(new MemoryStream(bytes), out CaptureReader? reader, out _));
        Assert.Equal(format, reader.Format);
        (var packets, CaptureFault fault) = CaptureBytes.Read(bytes);
        Assert.Equal(CaptureFaultKind.None, fault.Kind);
        Assert.Equal(3, packets.Count);
        Assert.Equal(First, packets[0].Bytes);
        Assert.Equal((7 * Second) + fractionNs, packets[0].TimestampNs);
        Assert.Equal(61u, packets[0].OriginalLength);
        Assert.Equal(Other, packets[1].Bytes);
        Assert.Equal(uint.MaxValue * Second, packets[1].TimestampNs);
        Assert.Equal(9000u, packets[1].OriginalLength);
        Assert.Empty(packets[2].Bytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_block_that_holds_a_packet_is_read_and_the_others_are_skipped(bool isBigEndian)
    {
        byte[] bytes = new CaptureBytes(isBigEndian)
            .Section().Unknown(0).Interface(snapshotLength: 40).Unknown(300_001).Interface(resolution: 9)
            .Enhanced(0, 5_000_000, First).Enhanced(1, 5_000_000_007, Other, 9000)
            .Simple(First[..40], 61).Simple(First[..13])
            .Obsolete(1, 6_000_000_000, Other).Unknown(4)
            .ToArray();
        (var packets, CaptureFault fault) = CaptureBytes.Read(bytes);
        Assert.Equal(CaptureFaultKind.None, fault.Kind);
        Assert.Equal(new[] { First, Other, First[..40], First[..13], Other }, packets.Select(packet => packet.Bytes));
        Assert.Equal(new[] { 5 * Second, (5 * Second) + 7, 0, 0, 6 * Second }, packets.Select(packet => packet.TimestampNs));
        Assert.Equal(new uint[] { 61, 9000, 61, 13, 1514 }, packets.Select(packet => packet.OriginalLength));
    }

    [Fact]
    public void Sections_of_both_byte_orders_follow_each_other_and_forget_the_interfaces()
    {
        byte[] little = new CaptureBytes(false).Section().Interface().Interface(resolution: 0).Enhanced(1, 3, First).ToArray();
        byte[] big = new CaptureBytes(true).Section(minor: 2).Interface(resolution: 3).Enhanced(0, 4, Other).ToArray();
        (var packets, CaptureFault fault) = CaptureBytes.Read([.. little, .. big, .. little]);
        Assert.Equal(CaptureFaultKind.None, fault.Kind);
        Assert.Equal(new[] { 3 * Second, 4_000_000, 3 * Second }, packets.Select(packet => packet.TimestampNs));

        byte[] stale = new CaptureBytes(true).Section().Enhanced(0, 4, Other).ToArray();
        (packets, fault) = CaptureBytes.Read([.. little, .. stale]);
        Assert.Single(packets);
        Assert.Equal(CaptureFaultKind.Corrupt, fault.Kind);
        Assert.Equal(little.Length + 28, fault.Offset);
    }

    [Theory]
    [InlineData(null, null, 1_500_000UL, 1_500_000_000L)] // microseconds where nothing is said
    [InlineData((byte)0, null, 3UL, 3 * Second)]
    [InlineData((byte)3, null, 1_500UL, 1_500_000_000L)]
    [InlineData((byte)9, null, 1_500_000_001UL, 1_500_000_001L)]
    [InlineData((byte)12, null, 1_999UL, 1L)] // picoseconds, rounded down
    [InlineData((byte)29, null, ulong.MaxValue, 0L)]
    [InlineData((byte)127, null, ulong.MaxValue, 0L)]
    [InlineData((byte)0x80, null, 3UL, 3 * Second)]
    [InlineData((byte)0x81, null, 3UL, 1_500_000_000L)] // halves
    [InlineData((byte)0xa0, null, 1UL << 32, Second)]
    [InlineData((byte)0xff, null, ulong.MaxValue, 0L)]
    [InlineData((byte)6, 1000L, 1UL, (1000 * Second) + 1000)]
    [InlineData((byte)6, -1L, 1UL, -Second + 1000)]
    public void Times_have_the_interface_s_resolution_and_offset(byte? resolution, long? offset, ulong time, long expectedNs)
    {
        byte[] bytes = new CaptureBytes(true).Section().Interface(resolution: resolution, offset: offset).Enhanced(0, time, First).ToArray();
        (var packets, _) = CaptureBytes.Read(bytes);
        Assert.Equal(expectedNs, Assert.Single(packets).TimestampNs);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_capture_cut_anywhere_gives_every_packet_before_the_cut_and_says_where_it_is(bool isPcapng)
    {
        List<int> ends = [];
        CaptureBytes whole = isPcapng ? new CaptureBytes(false).Section().Unknown(5).Interface() : new CaptureBytes(true).PcapHeader();
        HashSet<int> properEnds = isPcapng ? [28, 48, whole.Length] : [24];
        for (int i = 0; i < 5; i++)
        {
            byte[] packet = First[..(i * 10)];
            whole = isPcapng ? whole.Enhanced(0, 1, packet) : whole.Record(1, 1, packet);
            ends.Add(whole.Length);
            properEnds.Add(whole.Length);
        }

        byte[] bytes = whole.ToArray();
        for (int length = 0; length <= bytes.Length; length++)
        {
            (var packets, CaptureFault fault) = CaptureBytes.Read(bytes[..length], chunk: 1 + (length % 5));
            Assert.Equal(ends.Count(end => end <= length), packets.Count);
            if (properEnds.Contains(length))
            {
                Assert.Equal(CaptureFaultKind.None, fault.Kind);
                continue;
            }

            Assert.Equal(CaptureFaultKind.Truncated, fault.Kind);
            Assert.Equal(properEnds.Where(end => end <= length).DefaultIfEmpty(0).Max(), fault.Offset);
            Assert.Contains("truncated", fault.ToString(), StringComparison.Ordinal);
        }
    }

    public static TheoryData<string, byte[], CaptureFaultKind, long, string> Unusable() => new()
    {
        { "not a capture", "GIF89a"u8.ToArray(), CaptureFaultKind.NotACapture, 0, "47494638" },
        { "compressed", [0x1f, 0x8b, 8, 0], CaptureFaultKind.NotACapture, 0, "gzip" },
        { "old version", new CaptureBytes(false).PcapHeader(minor: 3).ToArray(), CaptureFaultKind.NotACapture, 4, "2.3" },
        { "radio", new CaptureBytes(false).PcapHeader(linkType: 127).ToArray(), CaptureFaultKind.UnsupportedLinkType, 20, "link type 127 (802.11)" },
        { "raw IP", new CaptureBytes(true).PcapHeader(linkType: 101).ToArray(), CaptureFaultKind.UnsupportedLinkType, 20, "link type 101 (raw IP)" },
        { "overlong record", new CaptureBytes(false).PcapHeader().U32(0).U32(0).U32(262_145).U32(0).ToArray(), CaptureFaultKind.Corrupt, 24, "262145" },
        { "radio in pcapng", new CaptureBytes(false).Section().Interface(105).Enhanced(0, 0, First).ToArray(), CaptureFaultKind.UnsupportedLinkType, 64, "link type 105" },
        { "radio and no packet", new CaptureBytes(false).Section().Interface(105).ToArray(), CaptureFaultKind.UnsupportedLinkType, 28, "link type 105" },
        { "pcapng magic", new CaptureBytes(false).Block(0x0a0d0d0a, body => body.Raw(new byte[16])).ToArray(), CaptureFaultKind.NotACapture, 0, "magic" },
        { "pcapng version", new CaptureBytes(false).Section(minor: 1).ToArray(), CaptureFaultKind.NotACapture, 0, "1.1" },
        { "no interface", new CaptureBytes(false).Section().Enhanced(0, 0, First).ToArray(), CaptureFaultKind.Corrupt, 28, "interface 0" },
        { "no interface of a simple packet", new CaptureBytes(false).Section().Simple(First).ToArray(), CaptureFaultKind.Corrupt, 28, "interface 0" },
        { "block too short", new CaptureBytes(false).Section().U32(77).U32(8).ToArray(), CaptureFaultKind.Corrupt, 28, "8 bytes" },
        { "block of an odd length", new CaptureBytes(false).Section().U32(77).U32(13).Raw(new byte[8]).ToArray(), CaptureFaultKind.Corrupt, 28, "13 bytes" },
        { "block of gigabytes to hold", new CaptureBytes(false).Section().U32(6).U32(0x8000_0000).Raw(new byte[8]).ToArray(), CaptureFaultKind.Corrupt, 28, "2147483648" },
        { "block of gigabytes to skip", new CaptureBytes(false).Section().U32(77).U32(0xffff_fff0).Raw(new byte[8]).ToArray(), CaptureFaultKind.Truncated, 28, "after 16" },
        { "lengths differ", new CaptureBytes(false).Section().U32(77).U32(16).U32(0).U32(20).ToArray(), CaptureFaultKind.Corrupt, 28, "ends with 20" },
        { "lengths of a packet differ", new CaptureBytes(false).Section().Interface().Raw(BreakTrailer(new CaptureBytes(false).Enhanced(0, 0, First).ToArray())).ToArray(), CaptureFaultKind.Corrupt, 64, "begins with" },
        { "packet longer than its block", new CaptureBytes(false).Section().Interface().Block(6, body => body.U32(0).U64(0).U32(5).U32(5).U32(0)).ToArray(), CaptureFaultKind.Corrupt, 64, "5 bytes" },
        { "option longer than its block", new CaptureBytes(false).Section().Block(1, body => body.U32(1).U32(0).U16(9).U16(5).U32(0)).ToArray(), CaptureFaultKind.Corrupt, 28, "option" },
        { "section in the middle", [.. new CaptureBytes(false).Section().ToArray(), .. new CaptureBytes(false).Section(minor: 7).ToArray()], CaptureFaultKind.Corrupt, 28, "1.7" },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void What_cannot_be_used_is_told_with_place_and_cause(string why, byte[] bytes, CaptureFaultKind kind, long offset, string cause)
    {
        (var packets, CaptureFault fault) = CaptureBytes.Read(bytes);
        Assert.Empty(packets);
        Assert.True(kind == fault.Kind && offset == fault.Offset, $"{why}: {fault.Kind} at {fault}");
        Assert.Contains(cause, fault.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interface_that_cannot_be_used_matters_only_when_a_packet_comes_from_it()
    {
        CaptureBytes capture = new CaptureBytes(false).Section().Interface(127).Interface().Enhanced(1, 0, First);
        (var packets, CaptureFault fault) = CaptureBytes.Read(capture.ToArray());
        Assert.Single(packets);
        Assert.Equal(CaptureFaultKind.None, fault.Kind);

        int end = capture.Length;
        (packets, fault) = CaptureBytes.Read(capture.Enhanced(0, 0, First).ToArray());
        Assert.Single(packets);
        Assert.Equal((CaptureFaultKind.UnsupportedLinkType, end), (fault.Kind, (int)fault.Offset));
    }

    [Fact]
    public void A_stream_that_fails_ends_the_reading()
    {
        byte[] bytes = new CaptureBytes(false).PcapHeader().Record(0, 0, First).ToArray();
        Assert.True(CaptureReader.TryOpen(new FailingStream(bytes), out CaptureReader? reader, out _));
        Assert.True(reader.TryRead(out CapturedPacket packet));
        Assert.Equal(First, packet.Bytes);
        Assert.False(reader.TryRead(out _));
        Assert.Equal((CaptureFaultKind.Unreadable, bytes.Length), (reader.Fault.Kind, (int)reader.Fault.Offset));
        Assert.Contains("disk on fire", reader.Fault.Cause, StringComparison.Ordinal);
        Assert.False(reader.TryRead(out _));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reading_and_writing_allocate_nothing_for_a_packet(bool isPcapng)
    {
        CaptureBytes capture = isPcapng ? new CaptureBytes(false).Section().Interface() : new CaptureBytes(false).PcapHeader();
        for (int i = 0; i < 4000; i++)
        {
            capture = isPcapng ? capture.Enhanced(0, 0, Other) : capture.Record(0, 0, Other);
        }

        Assert.True(CaptureReader.TryOpen(new MemoryStream(capture.ToArray()), out CaptureReader? reader, out _));
        using CaptureWriter writer = new(new MemoryStream(8 << 20), isPcapng ? CaptureFormat.Pcapng : CaptureFormat.PcapNanoseconds);
        Copy(reader, writer, 500);
        Assert.Equal(0, Allocated.ByThisThread(() => Assert.True(Copy(reader, writer, 1000) == 1000)));
    }

    private static int Copy(CaptureReader reader, CaptureWriter writer, int count)
    {
        int copied = 0;
        while (copied < count && reader.TryRead(out CapturedPacket packet) && writer.TryWrite(packet.Bytes, packet.TimestampNs))
        {
            copied++;
        }

        return copied;
    }

    private static byte[] BreakTrailer(byte[] block)
    {
        block[^4]++;
        return block;
    }

    private sealed class FailingStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer) is > 0 and int read ? read : throw new IOException("disk on fire");
    }
}
