using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Tests.Golden;
using Engine.Tests.Oracles;
using Xunit.Abstractions;
using static Engine.Tests.Actions.ActionBytes;

namespace Engine.Tests.Actions;

/// <summary>Which lists are refused, with which errno, and what an accepted one says of itself.</summary>
public sealed class ActionListTests(ITestOutputHelper output)
{
    private static readonly byte[] Ethernet = new byte[12];

    private static readonly FlowKey Tcp4 = new()
    {
        MacProtocol = 1,
        EtherType = 0x0800,
        IpProtocol = 6,
        IpTtl = 64,
    };

    /// <summary>Why the row is there, the key, the actions, the errno.</summary>
    public static TheoryData<string, string, byte[], int> Refusals => new()
    {
        { "unspecified", "tcp", Attribute(0), 22 },
        { "unknown", "tcp", Attribute(25, 0, 0, 0, 0), 22 },
        { "output of a wrong length", "tcp", Action(OvsActionAttribute.Output, 1, 0), 22 },
        { "port out of range", "tcp", Output(0xffff), 22 },
        { "bytes after the last action", "tcp", [.. Output(1), 8, 0, 1, 0], 22 },
        { "trunc shorter than an Ethernet header", "tcp", Truncate(13), 22 },
        { "hash algorithm", "tcp", Hash(2, 0), 22 },
        { "drop before another action", "tcp", [.. Drop(0), .. Output(1)], 22 },
        { "userspace without a port id", "tcp", Action(OvsActionAttribute.Userspace), 22 },
        { "userspace to port id 0", "tcp", Userspace(0), 22 },
        { "userspace with a short port id", "tcp", Action(OvsActionAttribute.Userspace, Attribute(1, 1, 0)), 34 },
        { "push_vlan with another TPID", "tcp", PushVlan(0x9100, 0x1005), 22 },
        { "push_vlan without CFI", "tcp", PushVlan(0x8100, 0x0005), 22 },
        { "push_vlan on a bare packet", "bare", PushVlan(0x8100, 0x1005), 22 },
        { "pop_vlan on a bare packet", "bare", PopVlan(), 22 },
        { "push_mpls of another type", "tcp", PushMpls(0, 0x0800), 22 },
        { "push_mpls behind a tag", "tcp", [.. PushVlan(0x8100, 0x1005), .. PushMpls(0, 0x8847)], 22 },
        { "pop_mpls without a label", "tcp", Action(OvsActionAttribute.PopMpls, 8, 0), 22 },
        { "pop_mpls of the last label, then another", "mpls", [.. Action(OvsActionAttribute.PopMpls, 0x88, 0x47), .. Action(OvsActionAttribute.PopMpls, 8, 0)], 22 },
        { "pop_mpls to Ethernet behind Ethernet", "mpls", Action(OvsActionAttribute.PopMpls, 0x65, 0x58), 22 },
        { "push_eth on Ethernet", "tcp", Action(OvsActionAttribute.PushEthernet, Ethernet), 22 },
        { "pop_eth twice", "tcp", [.. Action(OvsActionAttribute.PopEthernet), .. Action(OvsActionAttribute.PopEthernet)], 22 },
        { "pop_eth with a tag", "tcp", [.. PushVlan(0x8100, 0x1005), .. Action(OvsActionAttribute.PopEthernet)], 22 },
        { "pop_nsh without NSH", "tcp", Action(OvsActionAttribute.PopNsh), 22 },
        { "push_nsh with nothing in it", "tcp", Action(OvsActionAttribute.PushNsh), 22 },
        { "set of nothing", "tcp", Action(OvsActionAttribute.Set), 22 },
        { "set of two keys", "tcp", Action(OvsActionAttribute.Set, [.. Attribute(2, 0, 0, 0, 0), .. Attribute(15, 0, 0, 0, 0)]), 22 },
        { "set of what cannot be set", "tcp", Set(OvsKeyAttribute.InPort, 1, 0, 0, 0), 22 },
        { "set of NSH", "tcp", Set(OvsKeyAttribute.Nsh, Attribute(1, 0, 1, 1, 3, 0, 0, 0, 0)), 22 },
        { "set of a wrong length", "tcp", Set(OvsKeyAttribute.Tcp, 0, 1), 22 },
        { "set of UDP ports on TCP", "tcp", Set(OvsKeyAttribute.Udp, 0, 1, 0, 2), 22 },
        { "set of another protocol", "tcp", Set(OvsKeyAttribute.Ipv4, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 64, 0), 22 },
        { "set of another fragment type", "tcp", Set(OvsKeyAttribute.Ipv4, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 64, 1), 22 },
        { "masked set of the protocol", "tcp", SetMasked(OvsKeyAttribute.Ipv4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0), 22 },
        { "a value outside of its mask", "tcp", SetMasked(OvsKeyAttribute.SkbMark, 1, 0, 0, 0, 0, 0, 0, 0), 22 },
        { "masked set of a tunnel", "tcp", SetMasked(OvsKeyAttribute.Tunnel, Attribute(4, 64)), 22 },
        { "a tunnel without TTL", "tcp", Set(OvsKeyAttribute.Tunnel, Attribute(2, 1, 2, 3, 4)), 22 },
        { "set behind a popped label", "mpls", [.. Action(OvsActionAttribute.PopMpls, 8, 0), .. Set(OvsKeyAttribute.Ipv4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0)], 22 },
        { "sample without a probability", "tcp", Action(OvsActionAttribute.Sample, Attribute(2)), 22 },
        { "sample without actions", "tcp", Action(OvsActionAttribute.Sample, Attribute(1, 1, 0, 0, 0)), 22 },
        { "sample with a probability twice", "tcp", Action(OvsActionAttribute.Sample, [.. Attribute(1, 1, 0, 0, 0), .. Attribute(1, 1, 0, 0, 0), .. Attribute(2)]), 22 },
        { "check_pkt_len of 0", "tcp", CheckLength(0, [], []), 22 },
        { "check_pkt_len with a short length", "tcp", Action(OvsActionAttribute.CheckPacketLength, [.. Attribute(1, 1), .. Attribute(2), .. Attribute(3)]), 34 },
        { "check_pkt_len with one list", "tcp", Action(OvsActionAttribute.CheckPacketLength, [.. Attribute(1, 1, 0), .. Attribute(2)]), 22 },
        { "dec_ttl without actions", "tcp", Action(OvsActionAttribute.DecrementTtl), 22 },
        { "something wrong inside a list", "tcp", Clone(Output(0xffff)), 22 },
        { "ct without IP", "mpls", Track(), 22 },
        { "ct mark without commit", "tcp", Track(Attribute(3, 1, 0, 0, 0, 1, 0, 0, 0)), 22 },
        { "ct mark without mask", "tcp", Track([.. Attribute(1), .. Attribute(3, 0, 0, 0, 0, 0, 0, 0, 0)]), 22 },
        { "ct helper that does not exist", "tcp", Track(Attribute(5, (byte)'x', 0)), 22 },
        { "ct nat without commit", "tcp", Track(Attribute(6, Attribute(1))), 22 },
        { "ct nat of both types", "tcp", Track([.. Attribute(1), .. Attribute(6, [.. Attribute(1), .. Attribute(2)])]), 34 },
        { "17 lists inside each other", "tcp", Nest(17), 75 },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Refused(string why, string key, byte[] actions, int errno)
    {
        Refusal refusal = ActionList.TryCreate(actions, Key(key), Features, out ActionList? list);
        Assert.Equal(errno, (int)refusal.Errno);
        Assert.Null(list);
        Assert.False(string.IsNullOrEmpty(refusal.Reason) || refusal.Reason.EndsWith('.'), $"{why}: {refusal.Reason}");
    }

    [Fact]
    public void Sixteen_lists_inside_each_other_are_accepted() =>
        Assert.Equal(Errno.None, ActionList.TryCreate(Nest(16), Tcp4, Features, out _).Errno);

    [Fact]
    public void What_a_kernel_does_not_know_is_refused_where_it_is_not_a_feature()
    {
        Assert.Equal(Errno.InvalidArgument, ActionList.TryCreate(Drop(0), Tcp4, ActionFeatures.Linux61, out _).Errno);
        Assert.Equal(Errno.InvalidArgument, ActionList.TryCreate(Hash(1, 0), Tcp4, ActionFeatures.Linux61, out _).Errno);
        Assert.Equal(Errno.NotSupported, ActionList.TryCreate(Track(), Tcp4, Features with { Conntrack = false }, out _).Errno);
    }

    [Fact]
    public void A_list_says_what_a_datapath_asks_of_it()
    {
        ActionList output = List(Output(7), Tcp4);
        Assert.Equal(7, output.SingleOutputPort);
        Assert.False(output.IsEmpty);
        Assert.Equal(-1, List([.. Output(7), .. Output(8)], Tcp4).SingleOutputPort);
        Assert.Equal(-1, List(Clone(Output(7)), Tcp4).SingleOutputPort);
        Assert.True(List([], Tcp4).IsEmpty);
        Assert.Same(ActionList.Empty, List([], Tcp4));
    }

    [Fact]
    public void Lists_that_are_one_output_are_shared_and_all_others_are_not()
    {
        byte[] flagged = Output(7);
        flagged[3] |= 0x80;
        ActionList output = List(Output(7), Tcp4);
        Assert.Same(output, List(flagged, Tcp4));
        Assert.Equal(Output(7), output.Attributes.ToArray());
        Assert.NotSame(output, List(Output(8), Tcp4));
        Assert.Equal(8, List(Output(8), Tcp4).SingleOutputPort);
        Assert.NotSame(List([.. Output(7), .. Output(7)], Tcp4), List([.. Output(7), .. Output(7)], Tcp4));
    }

    [Fact]
    public void A_list_is_shown_in_the_order_and_form_of_the_kernel()
    {
        // Flags of the attribute numbers and bytes in the padding are gone; a clone of it is as the first.
        byte[] actions = [5, 0, 2, 0x40, 9, 7, 7, 7];
        Assert.True(ActionList.TryCreate(actions, Tcp4, Features, out _).IsRefused);
        byte[] set = Set(OvsKeyAttribute.Tcp, 0, 1, 0, 2);
        set[3] = 0x80;
        byte[] list = [.. set, .. CheckLength(9, Output(1), Output(2)), .. DecrementTtl(Output(3))];
        byte[] shown =
        [
            .. Set(OvsKeyAttribute.Tcp, 0, 1, 0, 2),
            .. Action(OvsActionAttribute.CheckPacketLength, [.. Attribute(1, 9, 0), .. Attribute(3, Output(2)), .. Attribute(2, Output(1))]),
            .. Attribute((int)OvsActionAttribute.DecrementTtl | 0x8000, Attribute(1 | 0x8000, Output(3))),
        ];
        ActionList first = List(list, Tcp4);
        Assert.Equal(shown, first.Attributes.ToArray());
        Assert.Equal(shown, List(first.Attributes, Tcp4).Attributes.ToArray());
    }

    [Fact]
    public void Every_action_has_a_name()
    {
        Assert.Equal(Enum.GetValues<OvsActionAttribute>().Skip(1), ActionSchema.Actions.Select(action => action.Attribute));
        Assert.All(ActionSchema.Actions, action => Assert.NotEmpty(action.Name));
    }

    [Fact]
    public void Cut_and_changed_actions_never_throw()
    {
        Random random = TestSeed.NewRandom(output);
        byte[][] lists = [.. GoldenFiles.Actions.Where(vector => !vector.IsSequence && vector.Actions!.Length < 400).Select(vector => vector.Actions!)];
        int accepted = 0;
        foreach (byte[] list in lists)
        {
            for (int length = 0; length <= list.Length; length++)
            {
                accepted += ActionList.TryCreate(list.AsSpan(0, length), Tcp4, Features, out _).IsRefused ? 0 : 1;
            }

            for (int i = 0; i < 60; i++)
            {
                byte[] changed = [.. list];
                for (int changes = random.Next(1, 4); changes > 0 && changed.Length > 0; changes--)
                {
                    changed[random.Next(changed.Length)] = (byte)(random.Next(2) == 0 ? random.Next(48) : random.Next(256));
                }

                accepted += ActionList.TryCreate(changed, Key((i % 3) switch { 0 => "tcp", 1 => "mpls", _ => "bare" }), Features, out _).IsRefused ? 0 : 1;
            }
        }

        Assert.True(accepted > 1000, $"{accepted} accepted");
    }

    private static byte[] Nest(int depth) => depth == 0 ? Output(1) : Clone(Nest(depth - 1));

    private static FlowKey Key(string name) => name switch
    {
        "mpls" => new FlowKey { MacProtocol = 1, EtherType = 0x8847, MplsLabelsMask = 1, Segments = FlowKeySegments.Mpls },
        "bare" => Tcp4 with { MacProtocol = 0 },
        _ => Tcp4,
    };
}
