using Engine.Flows;
using Engine.Netlink;
using Engine.Text;

namespace Engine.Tests.Text;

/// <summary>What is said about a bad text, and where: a bar stands where the error is.</summary>
public sealed class TextErrorTests
{
    [Theory]
    [InlineData("|", "a key attribute such as eth_type(0x0800)")]
    [InlineData("|ipv5(src=1.2.3.4)", "a key attribute such as eth_type(0x0800)")]
    [InlineData("in_port(1),|ipv5(src=1.2.3.4)", "a key attribute such as eth_type(0x0800)")]
    [InlineData("in_port(|x)", "the number of a port after \"in_port(\"")]
    [InlineData("in_port(|)", "the number of a port after \"in_port(\"")]
    [InlineData("in_port(1|", "\")\" after the value of in_port")]
    [InlineData("in_port(|4294967296)", "a number of up to 32 bits after \"in_port(\"")]
    [InlineData("in_port(1),|in_port(2)", "each key attribute once")]
    [InlineData("eth(src=|02:00:00:00:00)", "an Ethernet address after \"src=\"")]
    [InlineData("eth(src=02:00:00:00:00:01/|02:00)", "an Ethernet mask after \"/\"")]
    [InlineData("eth(|source=02:00:00:00:00:01)", "a field of eth: src=, dst=")]
    [InlineData("eth(src=02:00:00:00:00:01|;dst=02:00:00:00:00:02)", "\",\" or \")\" after a field of eth")]
    [InlineData("eth(src=02:00:00:00:00:01,|src=02:00:00:00:00:02)", "each field of eth once")]
    [InlineData("eth_type(0x0800),ipv4(src=|10.0.0)", "an IPv4 address after \"src=\"")]
    [InlineData("eth_type(0x0800),ipv4(src=|10.0.0.256)", "an IPv4 address after \"src=\"")]
    [InlineData("eth_type(0x0800),ipv4(src=10.0.0.1/|33)", "an IPv4 mask or a prefix length from 0 to 32 after \"/\"")]
    [InlineData("eth_type(0x0800),ipv4(ttl=|256)", "a number from 0 to 255 after \"ttl=\"")]
    [InlineData("eth_type(0x0800),ipv4(ttl=|064)", "a number from 0 to 255 after \"ttl=\"")]
    [InlineData("eth_type(0x0800),ipv4(tos=1/|-1)", "a number from 0 to 255 after \"/\"")]
    [InlineData("eth_type(0x0800),ipv4(frag=|maybe)", "no, first or later after \"frag=\"")]
    [InlineData("eth_type(0x86dd),ipv6(src=|::1::2)", "an IPv6 address after \"src=\"")]
    [InlineData("eth_type(0x86dd),ipv6(src=|12345::)", "an IPv6 address after \"src=\"")]
    [InlineData("eth_type(0x86dd),ipv6(src=::1/|129)", "an IPv6 mask or a prefix length from 0 to 128 after \"/\"")]
    [InlineData("eth_type(0x86dd),ipv6(label=|0x100000)", "a number from 0 to 1048575 after \"label=\"")]
    [InlineData("tcp_flags(syn|fin)", "\"|\" or \")\" after a flag of \"tcp_flags(\"", '!')]
    [InlineData("tcp_flags(+syn+|xxx)", "a flag of \"tcp_flags(\": fin, syn, rst, psh, ack, urg, ece, cwr, ns, [200], [400], [800]")]
    [InlineData("ct_state(+new-|new)", "each flag of \"ct_state(\" once")]
    [InlineData("ct_state(|0x100)", "flags of \"ct_state(\", at most 0xff")]
    [InlineData("ct_label(|0x123456789012345678901234567890123)", "a number of up to 128 bits after \"ct_label(\"")]
    [InlineData("vlan(vid=|4096)", "a number from 0 to 4095 after \"vid=\"")]
    [InlineData("eth_type(0x8100),vlan(vid=1),encap(|x)", "a key attribute such as eth_type(0x0800)")]
    [InlineData("eth_type(0x8100),vlan(vid=1),encap(eth_type(0x0800)|", "a key attribute such as eth_type(0x0800)")]
    [InlineData("mpls(label=1,label=2,label=3,|label=4)", "at most 3 labels in mpls")]
    [InlineData("tunnel(|x=1)", "a field of tunnel: tun_id=, src=, dst=, ipv6_src=, ipv6_dst=, tos=, ttl=, tp_src=, tp_dst=, geneve(, vxlan(, erspan(, flags(")]
    [InlineData("tunnel(geneve({class=1,type=2,len=|3}))", "a multiple of 4 up to 124, and at most 252 bytes of Geneve options")]
    [InlineData("tunnel(geneve({class=1,type=2,len=4,|0x1122334455}))", "a number of at most 4 bytes as the data of the Geneve option")]
    [InlineData("tunnel(vxlan(|gpe(1)))", "gbp( after \"vxlan(\"")]
    [InlineData("tunnel(erspan(|idx=1))", "ver= first in erspan")]
    [InlineData("nsh(mdtype=2,|c1=0x1)", "context headers only with mdtype=1")]
    [InlineData("packet_type(|ns=1,id=0x800)", "packet_type(ns=0,id=0), or no packet_type and no eth for packets without Ethernet header")]
    [InlineData("key32(00|0)", "pairs of hexadecimal digits", 'x')]
    [InlineData("key32(00 00/|00)", "2 pairs of hexadecimal digits after \"/\"")]
    [InlineData("ufid:|00112233-4455", "a UFID, 8-4-4-4-12 hexadecimal digits, after \"ufid:\"")]
    public void A_bad_key_is_pointed_at(string marked, string expected, char bar = '|')
    {
        // Flags have bars of their own; where one of these rows has none, only the words count.
        int offset = bar == '|' ? marked.IndexOf('|', StringComparison.Ordinal) : -1;
        string text = bar == '|' ? marked.Remove(offset, 1) : marked.Replace("syn|fin", "syn;fin", StringComparison.Ordinal).Replace("00|0", "000", StringComparison.Ordinal);
        NetlinkWriter key = new(new byte[4096]);
        NetlinkWriter mask = new(new byte[4096]);
        Assert.False(FlowText.TryParseNetlink(text, ref key, ref mask, out TextError error));
        Assert.Equal("expected " + expected, error.Message);
        if (offset >= 0)
        {
            Assert.Equal(offset, error.Offset);
        }
    }

    [Theory]
    [InlineData("|set", "an action such as 2, drop or set(ipv4(ttl=5))")]
    [InlineData("1,|xyz", "an action such as 2, drop or set(ipv4(ttl=5))")]
    [InlineData("1|x", "\",\" after an action")]
    [InlineData("|4294967296", "a number of up to 32 bits after the last action")]
    [InlineData("|drop,2", "drop alone, or another action")]
    [InlineData("2,|drop", "drop alone, or another action")]
    [InlineData("set(|foo(1))", "a key attribute such as ipv4(ttl=5) after \"set(\"")]
    [InlineData("set(|encap())", "a key attribute such as ipv4(ttl=5) after \"set(\"")]
    [InlineData("set(ipv4(ttl=|500))", "a number from 0 to 255 after \"ttl=\"")]
    [InlineData("set(ipv4(ttl=5)|", "\")\" after the key attribute of set")]
    [InlineData("set(tunnel(dst=1.1.1.1|/16))", "no mask here")]
    [InlineData("set(tunnel(dst=1.1.1.1,flags(|+df)))", "flags without a mask here")]
    [InlineData("push_vlan(vid=|5000,pcp=0)", "a number from 0 to 4095 after \"vid=\"")]
    [InlineData("push_vlan(|id=5)", "a field of push_vlan: tpid=, vid=, pcp=, cfi=")]
    [InlineData("push_mpls(label=1,tc=0,ttl=64,bos=1|)", "eth_type= in push_mpls")]
    [InlineData("pop_mpls(|0x800)", "eth_type= after \"pop_mpls(\"")]
    [InlineData("push_eth(src=|1,dst=2)", "an Ethernet address after \"src=\"")]
    [InlineData("sample(sample=|101%,actions(1))", "a percentage from 0% to 100% after \"sample=\"")]
    [InlineData("sample(sample=50%|,action(1))", "\",actions(\" after the percentage of sample")]
    [InlineData("sample(sample=50%,actions(1)|", "\")\" after the actions of sample")]
    [InlineData("clone(1,2|", "\")\" after the actions of clone")]
    [InlineData("check_pkt_len(size=100,gt(1)|)", "\",le(\" after gt() of check_pkt_len")]
    [InlineData("check_pkt_len(size=|65536,gt(1),le(2))", "a number from 0 to 65535 after \"size=\"")]
    [InlineData("hash(|l5(1))", "l4( or sym_l4( after \"hash(\"")]
    [InlineData("dec_ttl(|drop)", "le_1( after \"dec_ttl(\"")]
    [InlineData("ct(|foo)", "an argument of ct: commit, force_commit, zone=, mark=, label=, helper=, timeout=, nat")]
    [InlineData("ct(zone=|65536)", "a number from 0 to 65535 after \"zone=\"")]
    [InlineData("ct(commit,force_commit)|", "only one of commit and force_commit in ct")]
    [InlineData("ct(helper=|a-name-of-sixteen)", "a name of 1 to 15 characters after \"helper=\"")]
    [InlineData("ct(nat(src=|1.1.1))", "an IPv4 or IPv6 address in nat")]
    [InlineData("ct(nat(src=1.1.1.1-|::1))", "an IPv4 address after \"-\"")]
    [InlineData("ct(nat(src=|1.1.1.9-1.1.1.1))", "a range of addresses that starts with the lower one")]
    [InlineData("ct(nat(src=1.1.1.1:|9-8))", "a range of ports that starts with the lower one")]
    [InlineData("ct(nat(src,|dst))", "only one of src and dst in nat")]
    [InlineData("ct(nat(src,hash,|random))", "only one of hash and random in nat")]
    [InlineData("ct(|nat(random))", "src or dst in nat with persistent, hash or random")]
    [InlineData("userspace(|1)", "pid= in userspace")]
    [InlineData("userspace(pid=1,|foo)", "an argument of userspace: userdata(, sFlow(, slow_path(, flow_sample(, ipfix(, controller(, actions, tunnel_out_port=")]
    [InlineData("userspace(pid=1,userdata(|0))", "pairs of hexadecimal digits in userdata")]
    [InlineData("userspace(pid=1,sFlow(|pcp=1))", "vid=")]
    [InlineData("push_nsh(|mdtype=3)", "mdtype=1 with c1 to c4, or mdtype=2 with md2")]
    public void Bad_actions_are_pointed_at(string marked, string expected)
    {
        int offset = marked.IndexOf('|', StringComparison.Ordinal);
        NetlinkWriter actions = new(new byte[4096]);
        Assert.False(ActionText.TryParse(marked.Remove(offset, 1), ref actions, out TextError error));
        Assert.Equal(new TextError(offset, "expected " + expected), error);
    }

    [Fact]
    public void What_the_kernel_refuses_is_pointed_at_too()
    {
        FlowKey key = default;
        FlowKey mask = default;
        Assert.False(FlowText.TryParse("in_port(1),eth(),eth_type(0x0800),ipv4(frag=no),udp(src=1)", ref key, ref mask, out TextError error));
        Assert.NotNull(error.Message);
        Assert.Equal("in_port(1),eth(),eth_type(0x0800),ipv4(frag=no),".Length, error.Offset);
    }

    [Fact]
    public void Deep_nesting_is_an_error()
    {
        string clones = string.Concat(Enumerable.Repeat("clone(", 100_000));
        NetlinkWriter actions = new(new byte[65536]);
        Assert.False(ActionText.TryParse(clones, ref actions, out TextError error));
        Assert.Equal("expected at most 32 levels of actions", error.Message);

        string tags = string.Concat(Enumerable.Repeat("encap(", 100_000));
        NetlinkWriter key = new(new byte[65536]);
        NetlinkWriter mask = new(new byte[65536]);
        Assert.False(FlowText.TryParseNetlink(tags, ref key, ref mask, out error));
        Assert.Equal("expected at most 31 levels of encap", error.Message);
    }

    [Fact]
    public void Too_many_actions_are_an_error()
    {
        NetlinkWriter actions = new(new byte[16]);
        Assert.False(ActionText.TryParse("1,2,3", ref actions, out TextError error));
        Assert.Equal(new TextError(4, "expected fewer actions"), error);
    }
}
