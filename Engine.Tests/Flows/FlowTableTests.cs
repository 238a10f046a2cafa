using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Primitives;

namespace Engine.Tests.Flows;

public class FlowTableTests
{
    private static readonly Ufid _id1 = Ufid.FromBytes([1, 2, 3]);
    private static readonly Ufid _id2 = Ufid.FromBytes([9, 9, 9, 9]);

    [Fact]
    public void A_packet_matches_where_the_mask_is_set_and_only_there()
    {
        FlowTable table = new();
        Flow flow = Put(table, Key(1, 0x0a000001), Mask(inPort: true, sourceBits: 24));

        Assert.Same(flow, table.Lookup(Key(1, 0x0a0000ff), out int visited));
        Assert.Equal(1, visited);
        Assert.Null(table.Lookup(Key(1, 0x0a000101), out _));
        Assert.Null(table.Lookup(Key(2, 0x0a000001), out _));
    }

    [Fact]
    public void Masks_go_with_their_last_flow()
    {
        FlowTable table = new();
        Flow wide = Put(table, Key(1, 0x0a000001), Mask(inPort: true, sourceBits: 8));
        Flow narrow = Put(table, Key(1, 0x0b000001), Mask(inPort: true, sourceBits: 32));
        Assert.Equal((2, 2), (table.MaskCount, table.SubtableCount));
        Assert.Same(narrow, table.Lookup(Key(1, 0x0b000001), out int visited));
        Assert.Equal(2, visited);

        table.Remove(wide);
        Assert.Equal((1, 1), (table.MaskCount, table.SubtableCount));
        Assert.True(wide.IsRemoved);
        Assert.Null(table.Lookup(Key(1, 0x0a000001), out _));
        Assert.Same(narrow, table.Lookup(Key(1, 0x0b000001), out visited));
        Assert.Equal(1, visited);
    }

    [Fact]
    public void Masks_that_agree_in_whole_bytes_share_a_subtable()
    {
        FlowTable table = new();
        Flow[] flows = [.. Enumerable.Range(24, 8).Select(bits => Put(table, Key((uint)bits, 0x0a0000ff), Mask(inPort: true, bits)))];

        Assert.Equal((8, 1), (table.MaskCount, table.SubtableCount));
        foreach (Flow flow in flows)
        {
            flow.CopyUnmaskedKey(out FlowKey key);
            Assert.Same(flow, table.Lookup(in key, out _));
        }

        Assert.Null(table.Lookup(Key(31, 0x0a0000fd), out _));
        Assert.Same(flows[6], table.Lookup(Key(30, 0x0a0000fd), out _));
    }

    [Fact]
    public void A_mask_whose_flows_pile_up_gets_a_subtable_of_its_own()
    {
        FlowTable table = new();
        Flow other = Put(table, Key(2, 0x0a000001), Mask(inPort: true, sourceBits: 25));
        Flow[] flows = [.. Enumerable.Range(0, 64).Select(i => Put(table, Key(1, 0x0a000000 + ((uint)i << 2)), Mask(inPort: true, sourceBits: 30)))];

        Assert.Equal((2, 2), (table.MaskCount, table.SubtableCount));
        for (int i = 0; i < flows.Length; i++)
        {
            Assert.Same(flows[i], table.Lookup(Key(1, 0x0a000003 + ((uint)i << 2)), out _));
            Assert.Same(flows[i], table.FindExact(Key(1, 0x0a000000 + ((uint)i << 2))));
        }

        Assert.Same(other, table.Lookup(Key(2, 0x0a000001), out _));
        foreach (Flow flow in flows)
        {
            table.Remove(flow);
        }

        table.Remove(other);
        Assert.Equal((0, 0, 0), (table.Count, table.MaskCount, table.SubtableCount));
    }

    [Fact]
    public void Bits_outside_of_the_core_take_part()
    {
        FlowTable table = new();
        FlowKey key = Key(1, 0);
        FlowKey mask = Mask(inPort: true, sourceBits: 0);
        key.TunnelId = 77;
        key.Ipv6Destination = new Ipv6Address([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        mask.TunnelId = ulong.MaxValue;
        mask.Ipv6Destination = new Ipv6Address([255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
        Flow flow = Put(table, key, mask);

        Assert.Same(flow, table.Lookup(in key, out _));
        FlowKey other = key;
        other.TunnelId = 78;
        Assert.Null(table.Lookup(in other, out _));
        other = key;
        other.Ipv6Destination = default;
        Assert.Null(table.Lookup(in other, out _));
        other = key;
        other.Ipv6Label = 5;
        Assert.Same(flow, table.Lookup(in other, out _));

        flow.CopyKey(out FlowKey stored);
        Assert.Equal(77ul, stored.TunnelId.Value);
        Assert.Equal(key.Ipv6Destination, stored.Ipv6Destination);
        Assert.Equal(FlowKeySegments.Ipv6 | FlowKeySegments.Tunnel, stored.Segments);
    }

    [Fact]
    public void A_flow_keeps_the_key_it_was_given_beside_the_masked_one()
    {
        FlowTable table = new();
        FlowKey given = Key(1, 0x0a0b0c0d);
        Flow flow = Put(table, given, Mask(inPort: true, sourceBits: 16));

        flow.CopyUnmaskedKey(out FlowKey unmasked);
        flow.CopyKey(out FlowKey masked);
        Assert.Equal(0x0a0b0c0du, unmasked.Ipv4Source.Value);
        Assert.Equal(0x0a0b0000u, masked.Ipv4Source.Value);
    }

    // OVS_FLOW_CMD_NEW on a flow that is there: which flags, key and id give what.
    [Theory]
    [InlineData(FlowPutMode.CreateOnly, 0x0a000001, 32, Errno.Exists)] // the same flow
    [InlineData(FlowPutMode.CreateOrReplace, 0x0a000001, 32, Errno.None)] // the same flow
    [InlineData(FlowPutMode.CreateOrReplace, 0x0a000002, 32, Errno.None)] // another flow
    [InlineData(FlowPutMode.CreateOrReplace, 0x0a000001, 8, Errno.None)] // masked, it matches nothing that is there
    public void Putting_a_flow_without_an_id_gives_the_kernel_s_errno(FlowPutMode mode, uint source, int bits, Errno expected)
    {
        FlowTable table = new();
        Put(table, Key(1, 0x0a000001), Mask(inPort: true, sourceBits: 32));

        Refusal refusal = table.Put(Key(1, source), Mask(inPort: true, bits), new Actions(2), default, mode, out Flow? flow);

        Assert.Equal(expected, refusal.Errno);
        Assert.Equal(expected == Errno.None, flow is not null);
        Assert.Equal(refusal.IsRefused, refusal.Reason is { Length: > 0 });
    }

    [Fact]
    public void A_flow_that_another_one_covers_is_refused()
    {
        FlowTable table = new();
        Put(table, Key(1, 0x0a000000), Mask(inPort: true, sourceBits: 8));

        Refusal refusal = table.Put(Key(1, 0x0a000001), Mask(inPort: true, 32), new Actions(2), default, FlowPutMode.CreateOrReplace, out _);

        Assert.Equal(Errno.NoEntry, refusal.Errno);
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void Replacing_by_id_compares_the_request_s_key_with_the_masked_one()
    {
        FlowTable table = new();
        FlowKey mask = Mask(inPort: true, sourceBits: 24);
        Assert.False(table.Put(Key(1, 0x0a000001), in mask, new Actions(1), _id1, FlowPutMode.CreateOnly, out Flow? flow).IsRefused);

        Assert.Equal(Errno.NoEntry, table.Put(Key(1, 0x0a000001), in mask, new Actions(2), _id1, FlowPutMode.CreateOrReplace, out _).Errno);
        Assert.Equal(Errno.None, table.Put(Key(1, 0x0a000000), in mask, new Actions(2), _id1, FlowPutMode.CreateOrReplace, out _).Errno);
        Assert.Equal(2, ((Actions)flow!.Actions).Number);
        Assert.Same(flow, table.Find(_id1));
        Assert.Null(table.Find(_id2));
        Assert.Null(table.FindExact(Key(1, 0x0a000001)));
    }

    [Fact]
    public void An_exact_look_up_wants_every_bit_of_the_key_that_was_given()
    {
        FlowTable table = new();
        Flow flow = Put(table, Key(1, 0x0a000001), Mask(inPort: true, sourceBits: 24));

        Assert.Same(flow, table.FindExact(Key(1, 0x0a000001)));
        Assert.Null(table.FindExact(Key(1, 0x0a000002)));
    }

    [Fact]
    public void A_flush_leaves_nothing()
    {
        FlowTable table = new();
        Flow flow = Put(table, Key(1, 1), Mask(inPort: true, sourceBits: 32));
        table.Put(Key(1, 2), Mask(inPort: true, 32), new Actions(1), _id1, FlowPutMode.CreateOnly, out _);

        table.Flush();

        Assert.Equal(0, table.Count);
        Assert.Equal(0, table.MaskCount);
        Assert.True(flow.IsRemoved);
        Assert.Null(table.Find(_id1));
        Assert.Null(table.Lookup(Key(1, 1), out _));
        Assert.Empty(table.ToList());
    }

    [Fact]
    public void Statistics_are_summed_over_workers_and_start_anew_when_cleared()
    {
        FlowTable table = new(workerCount: 2);
        Flow flow = Put(table, Key(1, 1), Mask(inPort: true, sourceBits: 32));
        flow.StatsOf(0) = new FlowStats { Packets = 1, Bytes = 60, UsedAtMs = 5, TcpFlags = 2 };
        flow.StatsOf(1) = new FlowStats { Packets = 2, Bytes = 120, UsedAtMs = 9, TcpFlags = 16 };

        FlowStats stats = flow.ReadStats();
        Assert.Equal((3ul, 180ul, 9L, 18), (stats.Packets, stats.Bytes, stats.UsedAtMs, stats.TcpFlags));

        flow.ClearStats();
        stats = flow.ReadStats();
        Assert.Equal((0ul, 0ul, 0L, 0), (stats.Packets, stats.Bytes, stats.UsedAtMs, stats.TcpFlags));

        flow.StatsOf(1).Packets++;
        flow.StatsOf(1).UsedAtMs = 12;
        stats = flow.ReadStats();
        Assert.Equal((1ul, 12L), (stats.Packets, stats.UsedAtMs));
    }

    // A dictionary of masked keys does the same, slowly. Growth, removal and reuse of slots all happen.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Many_flows_come_and_go_as_in_a_dictionary(int seed)
    {
        Random random = new(seed);
        FlowTable table = new();
        int[] prefixes = [8, 12, 16, 17, 18, 24, 29, 32];
        Dictionary<(int Bits, uint Source), Flow> model = [];
        for (int step = 0; step < 20_000; step++)
        {
            int bits = prefixes[random.Next(prefixes.Length)];
            uint source = ((uint)bits << 24) | ((uint)random.Next(300) << 8) | (uint)random.Next(4);
            uint masked = source & (uint)(0xffff_ffffL << (32 - bits));
            if (model.TryGetValue((bits, masked), out Flow? flow))
            {
                Assert.Same(flow, table.Lookup(Key(1, source), out _));
                if (random.Next(2) == 0)
                {
                    table.Remove(flow);
                    model.Remove((bits, masked));
                    Assert.Null(table.Lookup(Key(1, source), out _));
                }
            }
            else
            {
                Assert.Null(table.Lookup(Key(1, source), out _));
                model.Add((bits, masked), Put(table, Key(1, source), Mask(inPort: true, bits)));
            }

            Assert.Equal(model.Count, table.Count);
        }

        Assert.Equal(model.Values.ToHashSet(), table.ToList().ToHashSet());
    }

    private static Flow Put(FlowTable table, FlowKey key, FlowKey mask)
    {
        Refusal refusal = table.Put(in key, in mask, new Actions(1), default, FlowPutMode.CreateOnly, out Flow? flow);
        Assert.False(refusal.IsRefused, refusal.ToString());
        return flow!;
    }

    private static FlowKey Key(uint inPort, uint source) => new() { InPort = inPort, Ipv4Source = source };

    private static FlowKey Mask(bool inPort, int sourceBits) => new()
    {
        InPort = inPort ? uint.MaxValue : 0,
        Ipv4Source = sourceBits == 0 ? 0 : (uint)(0xffff_ffffL << (32 - sourceBits)),
    };

    private sealed class Actions(int number) : FlowActions
    {
        public int Number => number;

        public override ReadOnlySpan<byte> Attributes => MemoryMarshal.AsBytes(new ReadOnlySpan<int>([number]));
    }
}
