using System.Text;
using Engine.Flows;
using Engine.Primitives;
using Engine.Text;

namespace Engine.Tests.Text;

/// <summary>Flows files: the forms of a line, and the errors with file, line and column.</summary>
public sealed class FlowFileTests
{
    [Theory]
    [InlineData("in_port(1),eth(),eth_type(0x88b5) 2")]
    [InlineData("in_port(1),eth(),eth_type(0x88b5), actions:2")]
    [InlineData("in_port(1),eth(),eth_type(0x88b5), packets:0, bytes:0, used:never, actions:2")]
    [InlineData("in_port(1),eth(),eth_type(0x88b5), packets:3, bytes:180, used:0.012s, flags:SFPR.EC, actions:2")]
    [InlineData("ufid:00112233-4455-6677-8899-aabbccddeeff, in_port(1),eth(),eth_type(0x88b5), packets:3, bytes:180, used:1.5s, offloaded:yes, dp:ovs, actions:2, dp-extra-info:x")]
    [InlineData("ufid:00112233-4455-6677-8899-aabbccddeeff,in_port(1),eth(),eth_type(0x88b5) 2")]
    [InlineData("\tin_port(1), eth(), eth_type(0x88b5)\t 2 \r")]
    [InlineData("in_port(1),eth(),eth_type(0x88b5) 2 # to the server")]
    public void A_flow_is_read_from_any_form_of_line(string line)
    {
        Assert.True(FlowFile.TryParse("a.flows", line, out IReadOnlyList<FlowLine> flows, out _));
        FlowLine flow = Assert.Single(flows);
        Assert.Equal(1, flow.Line);
        Assert.Equal("0800010002000000", Convert.ToHexStringLower(flow.Actions.Span));
        StringBuilder text = new();
        FlowText.Format(text, in flow.Key, in flow.Mask, verbose: false);
        Assert.Equal("in_port(1),eth(),eth_type(0x88b5)", text.ToString());
        Assert.Equal(line.Contains("ufid", StringComparison.Ordinal), flow.Ufid.IsPresent);
        Assert.Equal(line.Contains("packets:3", StringComparison.Ordinal) ? 3u : 0u, flow.Stats.Packets);
    }

    // The kernel takes a key without eth() for a bare packet. Ports receive none: it takes actions and another look-up to make one.
    [Theory]
    [InlineData("in_port(1) 2", true)]
    [InlineData("in_port(1),eth_type(0x0806) 2", true)]
    [InlineData("recirc_id(0),in_port(1),eth_type(0x0806) 2", true)]
    [InlineData("recirc_id(0x4),in_port(1),eth_type(0x0806) 2", false)]
    [InlineData("recirc_id(0x4),in_port(1),eth(),eth_type(0x0806) 2", true)]
    [InlineData("in_port(1),eth_type(0x0800),ipv4(dst=10.1.0.0/16,proto=6),tcp(dst=443) push_vlan(vid=7,pcp=0),2", true)]
    public void A_key_without_eth_is_of_a_frame_unless_it_came_round_again(string line, bool hasEthernet)
    {
        Assert.True(FlowFile.TryParse("a.flows", line, out IReadOnlyList<FlowLine> flows, out _));
        Assert.Equal(hasEthernet ? 1 : 0, flows[0].Key.MacProtocol);
    }

    [Theory]
    [InlineData("in_port(1),eth() drop")]
    [InlineData("in_port(1),eth(), actions:drop")]
    [InlineData("in_port(1),eth(), actions:")]
    public void Drop_and_nothing_are_no_actions(string line)
    {
        Assert.True(FlowFile.TryParse("a.flows", line, out IReadOnlyList<FlowLine> flows, out _));
        Assert.True(Assert.Single(flows).Actions.IsEmpty);
    }

    [Fact]
    public void Comments_and_blank_lines_are_passed_over_and_every_bad_line_is_told()
    {
        const string Content = "\ufeff# edge\n\n   # more\nin_port(1),eth(),eth_type(0x0800),ipv4(src=10.0.0) 2\n in_port(1),eth() 2\nin_port(1),eth() 2,fwd(3)\n";
        Assert.False(FlowFile.TryParse("edge.flows", Content, out IReadOnlyList<FlowLine> flows, out IReadOnlyList<FlowFileError> errors));
        Assert.Equal(5, Assert.Single(flows).Line);
        Assert.Equal(
            [
                "edge.flows:4:44: expected an IPv4 address after \"src=\"",
                "edge.flows:6:20: expected an action such as 2, drop or set(ipv4(ttl=5))",
            ],
            errors.Select(error => error.ToString()));
    }

    [Theory]
    [InlineData("in_port(1),eth()|", "actions behind the key, or drop")]
    [InlineData("in_port(1),eth()|2", "\",\" or a space behind a key attribute")]
    [InlineData("in_port(1),eth(),|ipv5() 2", "a key attribute such as eth_type(0x0800), or a pair such as packets:0 or actions:drop")]
    [InlineData("in_port(1),eth(), packets:|x, actions:2", "a number of up to 64 bits after \"packets:\"")]
    [InlineData("in_port(1),eth(), packets:1|", "\", actions:\" behind the statistics")]
    [InlineData("in_port(1),eth(), packets:1| bytes:2, actions:2", "\",\" behind the value of packets")]
    [InlineData("in_port(1),eth(), flags:|Q, actions:2", "TCP flags such as SFPR. after \"flags:\"")]
    [InlineData("|2", "a key attribute such as eth_type(0x0800)")]
    public void A_bad_line_is_pointed_at(string marked, string expected)
    {
        int offset = marked.IndexOf('|', StringComparison.Ordinal);
        Assert.False(FlowFile.TryParse("a", marked.Remove(offset, 1), out _, out IReadOnlyList<FlowFileError> errors));
        Assert.Equal(new FlowFileError("a", 1, offset + 1, "expected " + expected), Assert.Single(errors));
    }

    [Fact]
    public void A_refusal_of_actions_points_at_the_action()
    {
        Assert.True(FlowFile.TryParse("a", "in_port(1),eth() 2,clone(3,trunc(1)),4", out IReadOnlyList<FlowLine> flows, out _));
        FlowLine flow = flows[0];
        Assert.Equal("a:1:18: no", flow.ErrorInActions(Refusal.Invalid("no", 0)).ToString());
        Assert.Equal("a:1:20: no", flow.ErrorInActions(Refusal.Invalid("no", 8)).ToString());
        Assert.Equal("a:1:26: no", flow.ErrorInActions(Refusal.Invalid("no", 12)).ToString());
        Assert.Equal("a:1:28: no", flow.ErrorInActions(Refusal.Invalid("no", 23)).ToString());
        Assert.Equal("a:1:38: no", flow.ErrorInActions(Refusal.Invalid("no", 28)).ToString());
        Assert.Equal("a:1:18: no", flow.ErrorInActions(Refusal.Invalid("no")).ToString());
    }

    [Theory]
    [InlineData("00112233-4455-6677-8899-aabbccddeeff", "3322110077665544bbaa9988ffeeddcc")]
    [InlineData("00000001-0000-0000-0000-000000000002", "01000000000000000000000002000000")]
    public void A_UFID_is_four_numbers_of_the_host(string text, string bytes)
    {
        Assert.True(UfidText.TryParse(text, out Ufid ufid));
        byte[] memory = new byte[16];
        ufid.CopyTo(memory);
        Assert.Equal(bytes, Convert.ToHexStringLower(memory));
        StringBuilder printed = new();
        UfidText.Format(printed, ufid);
        Assert.Equal(text, printed.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("00112233-4455-6677-8899-aabbccddeef")]
    [InlineData("00112233-4455-6677-8899-aabbccddeefg")]
    [InlineData("00112233+4455-6677-8899-aabbccddeeff")]
    public void What_is_no_UFID_is_refused(string text) => Assert.False(UfidText.TryParse(text, out _));

    [Theory]
    [InlineData(0, 0, 0, 0, "packets:0, bytes:0, used:never")]
    [InlineData(3, 180, 999_988, 0x02, "packets:3, bytes:180, used:0.012s, flags:S")]
    [InlineData(1, 54, 998_347, 0xff, "packets:1, bytes:54, used:1.653s, flags:SFPRU.EC")]
    public void Statistics_print_as_Open_vSwitch_prints_them(ulong packets, ulong bytes, long usedAtMs, byte flags, string expected)
    {
        StringBuilder text = new();
        FlowStatsText.Format(text, new FlowStats { Packets = packets, Bytes = bytes, UsedAtMs = usedAtMs, TcpFlags = flags }, 1_000_000);
        Assert.Equal(expected, text.ToString());
    }

    [Theory]
    [InlineData(0, "none")]
    [InlineData(0x12, "S.")]
    [InlineData(0xfff, "SFPRU.ECN[200][400][800]")]
    public void TCP_flags_are_letters_both_ways(int flags, string letters)
    {
        StringBuilder text = new();
        FlowStatsText.FormatTcpFlags(text, flags);
        Assert.Equal(letters, text.ToString());
        Assert.True(FlowStatsText.TryParseTcpFlags(letters, out int read));
        Assert.Equal(flags, read);
    }
}
