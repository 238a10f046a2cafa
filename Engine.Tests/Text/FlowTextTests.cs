using System.Text;
using Engine.Flows;
using Engine.Text;

namespace Engine.Tests.Text;

/// <summary>Lines built from a table of metadata, tunnels, tags and headers: read, checked as the kernel does, printed again.</summary>
public sealed class FlowTextTests
{
    // What ovs-dpctl dump-flows puts before the headers, in its order; "" leaves the field out.
    private static readonly string[] Metadata =
    [
        "in_port(1)",
        "recirc_id(0),in_port(1)",
        "recirc_id(0x1f),dp_hash(0x5/0xf),in_port(3)",
        "recirc_id(0),skb_priority(0x1234),in_port(7),skb_mark(0x80000000/0x80000000)",
        "recirc_id(0x2),in_port(2),ct_state(-new+est+trk),ct_zone(0x5),ct_mark(0x1/0xff),ct_label(0x1234/0xffff)",
        "recirc_id(0x2),in_port(2),ct_state(+inv+trk),ct_zone(0x9/0xf),ct_mark(0x4d),ct_label(0x112233445566778899aabbccddeeff00)",
        "recirc_id(0),in_port(65534)",
        "recirc_id(0),tunnel(tun_id=0x7f10354,src=10.10.10.10,dst=20.20.20.20,ttl=64,flags(csum|key)),in_port(1)",
        "recirc_id(0),tunnel(tun_id=0x5/0xff,src=1.1.1.0/255.255.255.0,dst=2.2.2.2,tp_dst=4789,flags(-df-csum+key)),in_port(4)",
        "recirc_id(0),tunnel(src=1.1.1.1,dst=2.2.2.2,tos=0x10/0xfc,ttl=255,flags(+oam+df+csum)),in_port(4)",
        "recirc_id(0),tunnel(tun_id=0x9,ipv6_src=2001:db8::1,ipv6_dst=2001:db8::2,ttl=64,flags(df|key)),in_port(4)",
        "recirc_id(0),tunnel(tun_id=0x1,src=1.1.1.1,dst=1.1.1.2,ttl=64,geneve({class=0x102,type=0x80,len=8,0x1122334455667788}{class=0xffff,type=0x1,len=0}),flags(df|key)),in_port(5)",
        "recirc_id(0),tunnel(tun_id=0x1,src=1.1.1.1,dst=1.1.1.2,ttl=64,geneve({class=0x102,type=0x80,len=4,0xa/0xff}),flags(df|key)),in_port(5)",
        "recirc_id(0),tunnel(tun_id=0x1,src=1.1.1.1,dst=1.1.1.2,ttl=64,vxlan(gbp(id=10,flags=0x8)),flags(df|key)),in_port(5)",
        "recirc_id(0),tunnel(tun_id=0x1,src=1.1.1.1,dst=1.1.1.2,ttl=64,erspan(ver=1,idx=0x7/0xfffff),flags(df|key)),in_port(6)",
    ];

    private static readonly string[] Ethernet =
    [
        "eth()",
        "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)",
        "eth(dst=01:00:00:00:00:00/01:00:00:00:00:00)",
    ];

    private static readonly string[] Tags =
    [
        "{0}",
        "eth_type(0x8100),vlan(vid=99,pcp=7),encap({0})",
        "eth_type(0x88a8),vlan(vid=99/0xff0),encap({0})",
        "eth_type(0x88a8),vlan(vid=5),encap(eth_type(0x8100),vlan(vid=6,pcp=1),encap({0}))",
    ];

    private static readonly string[] Headers =
    [
        "eth_type(0x88b5)",
        "eth_type(0x0800),ipv4(frag=no)",
        "eth_type(0x0800)",
        "eth_type(0x0800),ipv4(src=35.8.2.41,dst=172.16.0.20,proto=5,tos=0x80,ttl=128,frag=no)",
        "eth_type(0x0800),ipv4(src=10.1.0.0/255.255.0.0,proto=6,frag=no)",
        "eth_type(0x0800),ipv4(proto=17,frag=first),udp(src=81,dst=6632)",
        "eth_type(0x0800),ipv4(proto=17,frag=later)",
        "eth_type(0x0800),ipv4(dst=224.0.0.0/240.0.0.0,tos=0x3/0x3,ttl=1/0xf,frag=no)",
        "eth_type(0x0800),ipv4(proto=6,frag=no),tcp(src=80/0xff00,dst=8080)",
        "eth_type(0x0800),ipv4(proto=6,frag=no),tcp(dst=8080),tcp_flags(+syn-ack)",
        "eth_type(0x0800),ipv4(proto=6,frag=no),tcp_flags(syn|ack|ns|[800])",
        "eth_type(0x0800),ipv4(proto=17,frag=no),udp(src=81,dst=6632)",
        "eth_type(0x0800),ipv4(proto=132,frag=no),sctp(src=8738,dst=1)",
        "eth_type(0x0800),ipv4(proto=1,frag=no),icmp(type=8,code=0)",
        "eth_type(0x86dd),ipv6(frag=no)",
        "eth_type(0x86dd),ipv6(src=::1,dst=2001:db8::/ffff:ffff::,label=0xf0f0/0xffff,tclass=0x70,hlimit=128,frag=no)",
        "eth_type(0x86dd),ipv6(src=::ffff:1.2.3.4,dst=1::2:0:0:3:4,label=0xfffff,proto=59,frag=later)",
        "eth_type(0x86dd),ipv6(proto=6,frag=no),tcp(src=80,dst=8080),tcp_flags(0)",
        "eth_type(0x86dd),ipv6(proto=17,frag=no),udp(dst=22)",
        "eth_type(0x86dd),ipv6(proto=58,frag=no),icmpv6(type=1,code=2)",
        "eth_type(0x86dd),ipv6(proto=58,frag=no),icmpv6(type=135),nd(target=::3,sll=00:05:06:07:08:09)",
        "eth_type(0x86dd),ipv6(proto=58,frag=no),icmpv6(type=136,code=0),nd(target=fe80::/ffc0::,tll=00:0a:0b:0c:0d:0e)",
        "eth_type(0x0806)",
        "eth_type(0x0806),arp(sip=1.2.3.4,tip=5.6.7.8,op=1/0xff,sha=00:0f:10:11:12:13,tha=00:14:15:16:17:18)",
        "eth_type(0x8035),arp(tip=1.2.3.0/255.255.255.0,op=2/0xff)",
        "eth_type(0x8847),mpls(label=100,tc=3,ttl=64,bos=1)",
        "eth_type(0x8847),mpls(label=100/0xfffff,tc=0/0,ttl=0/0x0,bos=1/1)",
        "eth_type(0x8848),mpls(label=1,tc=0,ttl=0,bos=0,label=2,tc=0,ttl=0,bos=0,label=3,tc=0,ttl=0,bos=1)",
        "eth_type(0x894f),nsh(flags=0,ttl=63,mdtype=1,np=1,spi=0x123456,si=255,c1=0x11223344,c2=0x0,c3=0xffffffff,c4=0x1)",
        "eth_type(0x894f),nsh(mdtype=1,np=3,spi=0x12/0x0000ffff,si=0xf0/0xf0,c1=0x11/0x000000ff)",
    ];

    [Fact]
    public void Terse_lines_are_read_and_printed_again()
    {
        Differences differences = new();
        foreach (string line in Lines())
        {
            differences.Compare(line, WithKeyOfIpv6(line), Reprint(line, verbose: false, out string? error) ?? error!);
        }

        differences.AssertNone();
        Assert.True(differences.Compared > 3000);
    }

    [Fact]
    public void Verbose_lines_say_the_same_as_terse_ones()
    {
        Differences differences = new();
        foreach (string line in Lines().Where((_, index) => index % 7 == 0))
        {
            string verbose = Reprint(line, verbose: true, out string? error) ?? error!;
            differences.Compare(verbose, verbose, Reprint(verbose, verbose: true, out error) ?? error!);
            differences.Compare(verbose, WithKeyOfIpv6(line), Reprint(verbose, verbose: false, out error) ?? error!);
        }

        differences.AssertNone();
    }

    /// <summary>Forms that ovs-dpctl takes but does not print, and what it prints for them.</summary>
    [Theory]
    [InlineData("in_port(0x10),eth(),eth_type(0x88b5)", "in_port(16),eth(),eth_type(0x88b5)")] // Hexadecimal.
    [InlineData("eth_type(0x88b5),eth(),in_port(1)", "in_port(1),eth(),eth_type(0x88b5)")] // Any order.
    [InlineData(" in_port(1) eth()\t,\neth_type(0x88b5), ", "in_port(1),eth(),eth_type(0x88b5)")] // Any space.
    [InlineData("in_port(1),eth(src=2:0:0:0:0:1, ),eth_type(0x88b5)", "in_port(1),eth(src=02:00:00:00:00:01),eth_type(0x88b5)")] // Short pairs.
    [InlineData("in_port(1),eth(),eth_type(2048),ipv4(dst=10.0.0.1/8)", "in_port(1),eth(),eth_type(0x0800),ipv4(dst=10.0.0.1/255.0.0.0)")] // Prefix length.
    [InlineData("in_port(1),eth(),eth_type(0x86dd),ipv6(src=fe80::1/10)", "in_port(1),eth(),eth_type(0x86dd),ipv6(src=fe80::1/ffc0::)KEY32")]
    [InlineData("in_port(1),eth(),eth_type(0x0800),ipv4(dst=10.0.0.1/0)", "in_port(1),eth(),eth_type(0x0800)")]
    [InlineData("in_port(1),eth(),eth_type(0x0800),ipv4(proto=6),tcp_flags(0x12/0x12)", "in_port(1),eth(),eth_type(0x0800),ipv4(proto=6),tcp_flags(+syn+ack)")]
    [InlineData("in_port(1),eth(),eth_type(0x0800),ipv4(proto=6),tcp_flags(0x12)", "in_port(1),eth(),eth_type(0x0800),ipv4(proto=6),tcp_flags(syn|ack)")]
    [InlineData("in_port(1),ct_state(0x21/0x25),eth()", "in_port(1),ct_state(+new-rel+trk),eth()")]
    [InlineData("in_port(1),ct_state(new|trk),eth()", "in_port(1),ct_state(+new-est-rel-rpl-inv+trk-snat-dnat),eth()")]
    [InlineData("packet_type(ns=0,id=0),in_port(1),eth_type(0x88b5)", "in_port(1),eth(),eth_type(0x88b5)")] // User space's own datapath.
    [InlineData("ufid:00112233-4455-6677-8899-aabbccddeeff, in_port(1),eth(),eth_type(0x88b5)", "in_port(1),eth(),eth_type(0x88b5)")]
    [InlineData("in_port(1),eth_type(0x0800),ipv4(frag=no)", "in_port(1),eth_type(0x0800),ipv4(frag=no)")] // No Ethernet header.
    [InlineData("in_port(1),eth(),eth_type(0/0xffff)", "in_port(1),eth(),eth_type(0/0xffff)")] // 802.2 without SNAP.
    [InlineData("in_port(1),eth(),eth_type(0x8847),mpls((bad key length 0)", "in_port(1),eth(),eth_type(0x8847)")] // No label is matched.
    [InlineData("in_port(1),eth(),eth_type(0x8100),vlan(vid=5),encap(eth_type(0x8847),mpls((bad key length 0))", "in_port(1),eth(),eth_type(0x8100),vlan(vid=5),encap(eth_type(0x8847))")]
    [InlineData("in_port(1),eth(),eth_type(0x894f),nsh(mdtype=2,np=3,c1=0x0,c2=0x0,c3=0x0,c4=0x0)", "in_port(1),eth(),eth_type(0x894f),nsh(mdtype=2,np=3,c1=0x0,c2=0x0,c3=0x0,c4=0x0)")]
    [InlineData("recirc_id(5/0xff),in_port(1/0xf),eth(),eth_type(0x88b5)", "recirc_id(0x5/0xff),in_port(1),eth(),eth_type(0x88b5)")] // The kernel matches a port that is given exactly.
    [InlineData("in_port(1),eth(),eth_type(0x86dd),ipv6(proto=6),key32(01 00/ff ff)", "in_port(1),eth(),eth_type(0x86dd),ipv6(proto=6),key32(01 00/ff ff)")]
    [InlineData("in_port(1),eth(),eth_type(0x0800),ct_tuple4(src=10.0.0.1,proto=6,tp_dst=80)", "in_port(1),ct_tuple4(src=10.0.0.1,proto=6,tp_dst=80),eth(),eth_type(0x0800)")]
    [InlineData("in_port(1),eth(),eth_type(0x86dd),ct_tuple6(dst=::1,proto=6,src_port=5)", "in_port(1),ct_tuple6(dst=::1,proto=6,src_port=5),eth(),eth_type(0x86dd)KEY32")]
    public void Other_forms_are_read(string line, string printed)
    {
        string? reprinted = Reprint(line, verbose: false, out string? error);
        Assert.Null(error);
        Assert.Equal(printed.Replace("KEY32", ",key32(00 00/00 00)", StringComparison.Ordinal), reprinted);
    }

    [Fact]
    public void What_terse_lines_leave_out_is_there_as_a_wildcard()
    {
        FlowKey key = default;
        FlowKey mask = default;
        Assert.True(FlowText.TryParse("in_port(1),eth(),eth_type(0x0800),ipv4(proto=6,frag=no)", ref key, ref mask, out TextError error), error.ToString());
        StringBuilder text = new();
        FlowText.Format(text, in key, in mask, verbose: true);
        Assert.EndsWith(",tcp(src=0/0,dst=0/0),tcp_flags(0/0)", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Segments_tell_which_tails_of_key_and_mask_are_used()
    {
        FlowKey key = default;
        FlowKey mask = default;
        Assert.True(FlowText.TryParse("in_port(1),eth(),eth_type(0x86dd),ipv6(dst=::1,frag=no)", ref key, ref mask, out _));
        Assert.Equal(FlowKeySegments.Ipv6, key.Segments & FlowKeySegments.Ipv6);
        Assert.Equal(FlowKeySegments.Ipv6, mask.Segments & FlowKeySegments.Ipv6);
        Assert.True(FlowText.TryParse("in_port(1),eth(),eth_type(0x0800),ipv4(frag=no)", ref key, ref mask, out _));
        Assert.Equal(FlowKeySegments.None, key.Segments);
    }

    [Fact]
    public void Ports_are_named_where_names_are_known()
    {
        TestPorts ports = new();
        ports.Add(7, "p2");
        FlowKey key = default;
        FlowKey mask = default;
        Assert.True(FlowText.TryParse("in_port(p2),eth()", ref key, ref mask, out _, ports));
        Assert.Equal(7u, key.InPort);
        StringBuilder text = new();
        FlowText.Format(text, in key, in mask, verbose: false, ports);
        Assert.Equal("in_port(p2),eth()", text.ToString());
        Assert.False(FlowText.TryParse("in_port(p3),eth()", ref key, ref mask, out TextError error, ports));
        Assert.Equal(new TextError(8, "expected the number or name of a port after \"in_port(\""), error);
    }

    internal static IEnumerable<string> Lines() =>
        from metadata in Metadata
        from ethernet in Ethernet
        from tags in Tags
        from headers in Headers
        select $"{metadata},{ethernet},{tags.Replace("{0}", headers, StringComparison.Ordinal)}";

    // The kernel tells the extension headers of every IPv6 key, and Open vSwitch 3.1 prints what it does not know, matched or not.
    private static string WithKeyOfIpv6(string line)
    {
        int type = line.IndexOf("eth_type(0x86dd)", StringComparison.Ordinal);
        if (type < 0)
        {
            return line;
        }

        int ip = line.IndexOf("ipv6(", type, StringComparison.Ordinal);
        int at = line.IndexOf(')', ip) + 1;
        return line.Insert(at, ",key32(00 00/00 00)");
    }

    private static string? Reprint(string line, bool verbose, out string? error)
    {
        FlowKey key = default;
        FlowKey mask = default;
        if (!FlowText.TryParse(line, ref key, ref mask, out TextError textError))
        {
            error = textError.ToString();
            return null;
        }

        error = null;
        StringBuilder text = new();
        FlowText.Format(text, in key, in mask, verbose);
        return text.ToString();
    }
}
