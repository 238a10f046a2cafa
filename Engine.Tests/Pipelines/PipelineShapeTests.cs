extern alias pipelines;

using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Tests.Oracles;
using pipelines::Engine.Generators.Pipelines;
using Xunit.Abstractions;

namespace Engine.Tests.Pipelines;

/// <summary>Frames of each shape that is code, through every kind of edit and of list, alike with the table; and that they are code at all.</summary>
public sealed class PipelineShapeTests(ITestOutputHelper output)
{
    private const int Packets = 20_000;

    /// <summary>The shapes, the flows, and the methods that must have come of it.</summary>
    public static TheoryData<string, string, string[]> Tables => new()
    {
        {
            "edits of IPv6", """
            in_port(1),eth_type(0x86dd),ipv6(proto=6,frag=no),tcp(dst=0/0x8000) set(ipv6(src=2001:db8::9,dst=2001:db8:1::/48,label=0x12345,tclass=0x70/0xf0,hlimit=9)),2
            in_port(1),eth_type(0x86dd),ipv6(proto=6,frag=no),tcp(dst=0x8000/0x8000) set(tcp(src=7,dst=0x100/0xff00)),3
            in_port(1),eth_type(0x86dd),ipv6(proto=17,frag=no) set(ipv6(dst=2001:db8::7)),set(udp(dst=9)),push_vlan(vid=3,pcp=1),set(ipv6(hlimit=3)),2
            in_port(2),eth_type(0x86dd),ipv6(proto=17,frag=no) set(eth(src=02:00:00:00:00:09)),dec_ttl(le_1()),3
            in_port(2),eth_type(0x86dd),ipv6(proto=6,frag=no) set(ipv6(tclass=0x4))
            """, ["MatchIpv6"]
        },
        {
            "IPv6 behind a tag", """
            in_port(1),eth_type(0x8100),vlan(vid=0/0x801),encap(eth_type(0x86dd),ipv6(proto=6,frag=no)) pop_vlan,set(ipv6(src=2001:db8::9)),2
            in_port(1),eth_type(0x8100),vlan(vid=1/0x801,pcp=0/4),encap(eth_type(0x86dd),ipv6(proto=17,frag=no)) dec_ttl(le_1()),set(udp(src=9)),3
            in_port(1),eth_type(0x88a8),vlan(vid=0/0),encap(eth_type(0x86dd),ipv6(proto=17,frag=no)) set(eth(dst=02:00:00:00:00:09)),2
            """, ["MatchTaggedIpv6"]
        },
        {
            "edits of IPv4", """
            in_port(1),eth_type(0x0800),ipv4(proto=6,frag=no) set(ipv4(src=10.9.0.0/16,dst=10.8.8.8,tos=0x4/0xfc,ttl=7)),set(tcp(src=7)),2
            in_port(1),eth_type(0x0800),ipv4(proto=17,ttl=0/0x80,frag=no) dec_ttl(le_1()),set(ipv4(dst=10.8.8.8)),set(udp(src=7,dst=0x300/0xff00)),push_vlan(vid=3,pcp=1),set(ipv4(src=1.1.1.1)),3
            in_port(1),eth_type(0x0800),ipv4(proto=17,ttl=0x80/0x80,frag=no) set(udp(src=7)),2
            in_port(1),eth_type(0x8100),vlan(vid=0/0),encap(eth_type(0x0800),ipv4(proto=17,frag=no)) set(ipv4(src=1.1.1.1)),pop_vlan,set(ipv4(ttl=9)),2
            in_port(1),eth_type(0x8100),vlan(vid=0/0),encap(eth_type(0x0800),ipv4(proto=6,frag=no)) set(tcp(dst=9)),3
            """, ["MatchIpv4", "MatchTaggedIpv4"]
        },
        {
            "ARP", """
            in_port(1),eth_type(0x0806),arp(op=1,sip=0.0.0.0/0.0.0.1) 2
            in_port(1),eth_type(0x0806),arp(op=1,sip=0.0.0.1/0.0.0.1,sha=00:00:00:00:00:00/00:00:00:00:00:01) push_vlan(vid=3,pcp=1),2
            in_port(1),eth_type(0x0806),arp(op=2,tip=0.0.0.0/0.0.0.1,tha=00:00:00:00:00:00/00:00:00:00:00:02) set(eth(src=02:00:00:00:00:09)),3
            in_port(1),eth_type(0x0806),arp(op=0) drop
            in_port(1),eth_type(0x8100),vlan(vid=0/0),encap(eth_type(0x0806),arp(op=1)) pop_vlan,3
            """, ["MatchArp", "MatchTaggedArp"]
        },
        {
            "lists that go one by one, between others, all to one port", """
            in_port(1),eth_type(0x0800),ipv4(proto=6,frag=no) 2
            in_port(1),eth_type(0x0800),ipv4(proto=17,tos=0/0x10,frag=no) 2,set(ipv4(ttl=3)),2
            in_port(1),eth_type(0x0800),ipv4(proto=17,tos=0x10/0x10,frag=no) trunc(40),2
            in_port(1),eth_type(0x86dd),ipv6(proto=6,frag=no) set(ipv6(hlimit=9)),2
            in_port(1),eth_type(0x86dd),ipv6(proto=17,frag=no) clone(2),set(ipv6(hlimit=9)),2
            in_port(1),eth_type(0x0806) push_vlan(vid=3,pcp=1),2,pop_vlan,2
            in_port(2) 2
            """, ["MatchIpv4", "MatchIpv6", "MatchArp"]
        },
        {
            "one list for all untagged shapes", """
            in_port(1),eth(src=00:00:00:00:00:00/00:00:00:00:00:01) push_vlan(vid=3,pcp=1),2
            in_port(1),eth(src=00:00:00:00:00:01/00:00:00:00:00:01,dst=00:00:00:00:00:00/00:00:00:00:00:01) set(eth(dst=02:00:00:00:00:09)),2
            in_port(2) drop
            """, ["MatchIpv4", "MatchIpv6", "MatchArp"]
        },
    };

    [Theory]
    [MemberData(nameof(Tables))]
    public void Frames_of_a_shape_end_alike(string name, string flows, string[] methods)
    {
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", flows));
        Assert.Empty(run.Reported);
        string source = run.Sources.Values.Single();
        Assert.All(methods, method => Assert.Contains($"{method}(uint inPort, PlainFrame frame)", source, StringComparison.Ordinal));
        using Comparison comparison = new(run.Load().GetType("Sample.Edge")!, flows);
        comparison.Play(new PacketMix(name.Length), Packets);
        string outcome = comparison.AssertSame(name);
        output.WriteLine($"{name}: {outcome}");
        Assert.DoesNotContain(" 0 matched", outcome, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FrameWord.InPortIndex, nameof(FlowKey.InPort))]
    [InlineData(4, nameof(FlowKey.EthernetDestination))]
    [InlineData(7, nameof(FlowKey.EtherType))]
    [InlineData(8, nameof(FlowKey.VlanTpid))]
    [InlineData(9, nameof(FlowKey.InnerVlanTpid))]
    [InlineData(10, nameof(FlowKey.Ipv4Source))]
    [InlineData(11, nameof(FlowKey.Ipv4Destination))]
    [InlineData(FrameWord.ProtocolIndex, nameof(FlowKey.IpProtocol))]
    [InlineData(13, nameof(FlowKey.TransportSource))]
    [InlineData(14, nameof(FlowKey.TcpFlags))]
    [InlineData(16, nameof(FlowKey.Ipv6Source))]
    [InlineData(20, nameof(FlowKey.Ipv6Destination))]
    [InlineData(24, nameof(FlowKey.Ipv6Label))]
    [InlineData(26, nameof(FlowKey.ArpSenderHardware))]
    public void Words_stand_where_the_key_has_them(int word, string field) => Assert.Equal(4 * word, Marshal.OffsetOf<FlowKey>(field));
}
