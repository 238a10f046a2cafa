using System.Runtime.InteropServices;
using Engine.Protocols;

namespace Engine.Tests.Protocols;

/// <summary>Every protocol header: fields where the RFC has them, round trip over a dirty buffer, truncation at every length, bit ranges, printer.</summary>
public sealed class ProtocolHeaderTests
{
    private delegate bool TryReadFunction<T>(ReadOnlySpan<byte> bytes, out T header)
        where T : allows ref struct;

    private delegate bool TryViewFunction<T>(Span<byte> bytes, int offset, out HeaderView<T> view)
        where T : unmanaged;

    private static readonly Dictionary<string, HeaderCase> Headers = new()
    {
        ["Ethernet"] = new HeaderCase<EthernetHeader>(
            "0a0b0c0d0e0f 010203040506 0800",
            "EthernetHeader { Destination = 0a:0b:0c:0d:0e:0f, Source = 01:02:03:04:05:06, EtherType = 2048 }",
            EthernetHeader.TryRead, EthernetHeader.TryView, (in EthernetHeader header, Span<byte> to) => header.Write(to)),
        ["VLAN"] = new HeaderCase<VlanTag>(
            "8100 b064",
            "VlanTag { Tpid = 33024, Pcp = 5, Dei = True, Vid = 100 }",
            VlanTag.TryRead, VlanTag.TryView, (in VlanTag header, Span<byte> to) => header.Write(to)),
        ["LLC and SNAP"] = new HeaderCase<LlcSnapHeader>(
            "aa ab 03 01 0203 86dd",
            "LlcSnapHeader { DestinationSap = 170, SourceSap = 171, Control = 3, OrganizationHigh = 1, OrganizationLow = 515, EtherType = 34525 }",
            LlcSnapHeader.TryRead, LlcSnapHeader.TryView, (in LlcSnapHeader header, Span<byte> to) => header.Write(to)),
        ["MPLS"] = new HeaderCase<MplsLabelStackEntry>(
            "00064b40",
            "MplsLabelStackEntry { Label = 100, TrafficClass = 5, IsBottomOfStack = True, Ttl = 64 }",
            MplsLabelStackEntry.TryRead, MplsLabelStackEntry.TryView, (in MplsLabelStackEntry header, Span<byte> to) => header.Write(to)),
        ["ARP"] = new HeaderCase<ArpHeader>(
            "0001 0800 06 04 0002 010203040506 0a000001 0708090a0b0c 0a000002",
            "ArpHeader { HardwareType = 1, ProtocolType = 2048, HardwareLength = 6, ProtocolLength = 4, Operation = 2, SenderHardware = 01:02:03:04:05:06, " +
            "SenderProtocol = 167772161, TargetHardware = 07:08:09:0a:0b:0c, TargetProtocol = 167772162 }",
            ArpHeader.TryRead, ArpHeader.TryView, (in ArpHeader header, Span<byte> to) => header.Write(to)),
        ["IPv4"] = new HeaderCase<Ipv4Header>(
            "46 b9 0102 0304 6005 40 11 0708 0a000001 0a000002",
            "Ipv4Header { Version = 4, HeaderWords = 6, Dscp = 46, Ecn = 1, TotalLength = 258, Identification = 772, DontFragment = True, MoreFragments = True, " +
            "FragmentOffset = 5, Ttl = 64, Protocol = 17, Checksum = 1800, Source = 167772161, Destination = 167772162 }",
            Ipv4Header.TryRead, Ipv4Header.TryView, (in Ipv4Header header, Span<byte> to) => header.Write(to)),
        ["IPv6"] = new HeaderCase<Ipv6Header>(
            "6ab12345 0102 3a ff 20010db8000000000000000000000001 20010db8000000000000000000000002",
            "Ipv6Header { Version = 6, TrafficClass = 171, FlowLabel = 74565, PayloadLength = 258, NextHeader = 58, HopLimit = 255, Source = 2001:db8::1, Destination = 2001:db8::2 }",
            Ipv6Header.TryRead, Ipv6Header.TryView, (in Ipv6Header header, Span<byte> to) => header.Write(to)),
        ["IPv6 extension"] = new HeaderCase<Ipv6ExtensionHeader>(
            "06 01",
            "Ipv6ExtensionHeader { NextHeader = 6, Length = 1 }",
            Ipv6ExtensionHeader.TryRead, Ipv6ExtensionHeader.TryView, (in Ipv6ExtensionHeader header, Span<byte> to) => header.Write(to)),
        ["IPv6 routing"] = new HeaderCase<Ipv6RoutingHeader>(
            "06 02 04 01",
            "Ipv6RoutingHeader { NextHeader = 6, Length = 2, RoutingType = 4, SegmentsLeft = 1 }",
            Ipv6RoutingHeader.TryRead, Ipv6RoutingHeader.TryView, (in Ipv6RoutingHeader header, Span<byte> to) => header.Write(to)),
        ["IPv6 fragment"] = new HeaderCase<Ipv6FragmentHeader>(
            "06 00 05c9 01020304",
            "Ipv6FragmentHeader { NextHeader = 6, Reserved = 0, FragmentOffset = 185, MoreFragments = True, Identification = 16909060 }",
            Ipv6FragmentHeader.TryRead, Ipv6FragmentHeader.TryView, (in Ipv6FragmentHeader header, Span<byte> to) => header.Write(to)),
        ["TCP"] = new HeaderCase<TcpHeader>(
            "03e8 0050 01020304 05060708 6a12 2000 0a0b 0c0d",
            "TcpHeader { SourcePort = 1000, DestinationPort = 80, SequenceNumber = 16909060, AcknowledgmentNumber = 84281096, DataOffset = 6, Flags = 2578, " +
            "Window = 8192, Checksum = 2571, UrgentPointer = 3085 }",
            TcpHeader.TryRead, TcpHeader.TryView, (in TcpHeader header, Span<byte> to) => header.Write(to)),
        ["UDP"] = new HeaderCase<UdpHeader>(
            "03e8 0035 001a 0102",
            "UdpHeader { SourcePort = 1000, DestinationPort = 53, Length = 26, Checksum = 258 }",
            UdpHeader.TryRead, UdpHeader.TryView, (in UdpHeader header, Span<byte> to) => header.Write(to)),
        ["SCTP"] = new HeaderCase<SctpHeader>(
            "03e8 07d0 00000001 01020304",
            "SctpHeader { SourcePort = 1000, DestinationPort = 2000, VerificationTag = 1, Checksum = 16909060 }",
            SctpHeader.TryRead, SctpHeader.TryView, (in SctpHeader header, Span<byte> to) => header.Write(to)),
        ["ICMP"] = new HeaderCase<IcmpHeader>(
            "08 01 0203 04050607",
            "IcmpHeader { Type = 8, Code = 1, Checksum = 515, Rest = 67438087 }",
            IcmpHeader.TryRead, IcmpHeader.TryView, (in IcmpHeader header, Span<byte> to) => header.Write(to)),
        ["ICMPv6"] = new HeaderCase<Icmpv6Header>(
            "80 01 0203 04050607",
            "Icmpv6Header { Type = 128, Code = 1, Checksum = 515, Rest = 67438087 }",
            Icmpv6Header.TryRead, Icmpv6Header.TryView, (in Icmpv6Header header, Span<byte> to) => header.Write(to)),
        ["Neighbor discovery"] = new HeaderCase<NeighborMessage>(
            "88 00 0203 a0000000 20010db8000000000000000000000001",
            "NeighborMessage { Type = 136, Code = 0, Checksum = 515, IsRouter = True, IsSolicited = False, Overrides = True, Target = 2001:db8::1 }",
            NeighborMessage.TryRead, NeighborMessage.TryView, (in NeighborMessage header, Span<byte> to) => header.Write(to)),
        ["Neighbor option"] = new HeaderCase<NeighborOption>(
            "02 01 010203040506",
            "NeighborOption { Type = 2, Length = 1, LinkLayer = 01:02:03:04:05:06 }",
            NeighborOption.TryRead, NeighborOption.TryView, (in NeighborOption header, Span<byte> to) => header.Write(to)),
        ["NSH"] = new HeaderCase<NshHeader>(
            "6fc6 01 03 000102ff",
            "NshHeader { Version = 1, Flags = 2, Ttl = 63, LengthWords = 6, MdType = 1, NextProtocol = 3, PathIdentifier = 258, ServiceIndex = 255 }",
            NshHeader.TryRead, NshHeader.TryView, (in NshHeader header, Span<byte> to) => header.Write(to)),
        ["NSH context"] = new HeaderCase<NshContextHeader>(
            "00000001 00000002 00000003 00000004",
            "NshContextHeader { Context0 = 1, Context1 = 2, Context2 = 3, Context3 = 4 }",
            NshContextHeader.TryRead, NshContextHeader.TryView, (in NshContextHeader header, Span<byte> to) => header.Write(to)),
    };

    private delegate void WriteFunction<T>(in T header, Span<byte> destination);

    public static TheoryData<string> Names => [.. Headers.Keys];

    /// <summary>All bits of one range set in a header of zeros.</summary>
    public static TheoryData<string, string, string> Ranges => new()
    {
        { "VLAN PCP", Hex(new VlanTag { Pcp = 0xff }), "0000e000" },
        { "VLAN DEI", Hex(new VlanTag { Dei = true }), "00001000" },
        { "VLAN VID", Hex(new VlanTag { Vid = 0xffff }), "00000fff" },
        { "MPLS label", Hex(new MplsLabelStackEntry { Label = 0xffffffff }), "fffff000" },
        { "MPLS traffic class", Hex(new MplsLabelStackEntry { TrafficClass = 0xff }), "00000e00" },
        { "MPLS bottom of stack", Hex(new MplsLabelStackEntry { IsBottomOfStack = true }), "00000100" },
        { "MPLS TTL", Hex(new MplsLabelStackEntry { Ttl = 0xff }), "000000ff" },
        { "IPv4 version", Hex(new Ipv4Header { Version = 0xff })[..2], "f0" },
        { "IPv4 header words", Hex(new Ipv4Header { HeaderWords = 0xff })[..2], "0f" },
        { "IPv4 DSCP", Hex(new Ipv4Header { Dscp = 0xff })[..4], "00fc" },
        { "IPv4 ECN", Hex(new Ipv4Header { Ecn = 0xff })[..4], "0003" },
        { "IPv4 do not fragment", Hex(new Ipv4Header { DontFragment = true })[12..16], "4000" },
        { "IPv4 more fragments", Hex(new Ipv4Header { MoreFragments = true })[12..16], "2000" },
        { "IPv4 fragment offset", Hex(new Ipv4Header { FragmentOffset = 0xffff })[12..16], "1fff" },
        { "IPv6 version", Hex(new Ipv6Header { Version = 0xff })[..8], "f0000000" },
        { "IPv6 traffic class", Hex(new Ipv6Header { TrafficClass = 0xff })[..8], "0ff00000" },
        { "IPv6 flow label", Hex(new Ipv6Header { FlowLabel = 0xffffffff })[..8], "000fffff" },
        { "IPv6 fragment offset", Hex(new Ipv6FragmentHeader { FragmentOffset = 0xffff })[4..8], "fff8" },
        { "IPv6 more fragments", Hex(new Ipv6FragmentHeader { MoreFragments = true })[4..8], "0001" },
        { "TCP data offset", Hex(new TcpHeader { DataOffset = 0xff })[24..28], "f000" },
        { "TCP flags", Hex(new TcpHeader { Flags = 0xffff })[24..28], "0fff" },
        { "NSH version", Hex(new NshHeader { Version = 0xff })[..4], "c000" },
        { "NSH flags", Hex(new NshHeader { Flags = 0xff })[..4], "3000" },
        { "NSH TTL", Hex(new NshHeader { Ttl = 0xff })[..4], "0fc0" },
        { "NSH length", Hex(new NshHeader { LengthWords = 0xff })[..4], "003f" },
        { "NSH path identifier", Hex(new NshHeader { PathIdentifier = 0xffffffff })[8..], "ffffff00" },
        { "NSH service index", Hex(new NshHeader { ServiceIndex = 0xff })[8..], "000000ff" },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void A_header_reads_prints_and_writes_what_stands_on_the_wire(string name) => Headers[name].RoundTrip();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_header_cut_short_is_no_header(string name) => Headers[name].Truncate();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_view_writes_into_the_packet_and_nowhere_else(string name) => Headers[name].View();

    [Theory]
    [MemberData(nameof(Ranges))]
    public void A_bit_range_covers_its_bits(string name, string written, string expected) => Assert.True(expected == written, $"{name}: {written}");

    [Fact]
    public void Setting_a_bit_range_leaves_the_others()
    {
        Ipv4Header header = default;
        MemoryMarshal.AsBytes(new Span<Ipv4Header>(ref header)).Fill(0xff);
        header.HeaderWords = 5;
        header.FragmentOffset = 0;
        header.MoreFragments = false;
        Assert.Equal((15, 5, 0xc000), (header.Version, header.HeaderWords, header.FlagsAndFragmentOffset.Value));
        header.Ecn = 1;
        Assert.Equal((63, 1, 0xfd), (header.Dscp, header.Ecn, header.Tos));
    }

    private static string Hex<T>(T header)
        where T : unmanaged => Convert.ToHexStringLower(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in header)));

    private abstract class HeaderCase
    {
        public abstract void RoundTrip();

        public abstract void Truncate();

        public abstract void View();
    }

    private sealed class HeaderCase<T>(string hex, string text, TryReadFunction<T> tryRead, TryViewFunction<T> tryView, WriteFunction<T> write) : HeaderCase
        where T : unmanaged
    {
        private readonly byte[] _bytes = Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal));

        public override void RoundTrip()
        {
            Assert.True(tryRead([.. _bytes, 0xa5], out T header));
            Assert.Equal(text, header.ToString());

            byte[] dirty = [.. Enumerable.Repeat((byte)0xa5, _bytes.Length + 2)];
            write(in header, dirty.AsSpan(1));
            Assert.Equal([0xa5, .. _bytes, 0xa5], dirty);
            Assert.Throws<ArgumentOutOfRangeException>(() => write(in header, new byte[_bytes.Length - 1]));
        }

        public override void Truncate()
        {
            for (int length = 0; length < _bytes.Length; length++)
            {
                Assert.False(tryRead(_bytes.AsSpan(0, length), out T header));
                Assert.Equal(default, header);
                Assert.False(tryView(_bytes.AsSpan(0, length), 0, out _));
                Assert.False(tryView(_bytes, _bytes.Length - length, out _));
            }

            Assert.False(tryView(_bytes, _bytes.Length + 1, out _));
            Assert.False(tryView(_bytes, int.MaxValue, out _));
            Assert.False(tryView(default, 0, out _));
        }

        public override void View()
        {
            byte[] packet = [0xa5, 0xa5, 0xa5, .. _bytes, 0xa5];
            Assert.True(tryView(packet, 3, out HeaderView<T> view));
            Assert.Equal(text, view.Header.ToString());
            view.Header = default;
            Assert.Equal([0xa5, 0xa5, 0xa5, .. new byte[_bytes.Length], 0xa5], packet);
        }
    }
}
