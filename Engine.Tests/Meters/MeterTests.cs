using Engine.Meters;
using Engine.Primitives;

namespace Engine.Tests.Meters;

/// <summary>Token buckets by the clock of the test, and the table's slots.</summary>
public sealed class MeterTests
{
    [Fact]
    public void A_full_bucket_lets_its_burst_pass_and_then_its_rate()
    {
        Meter meter = Make(countsBits: false, rate: 10, burst: 3);
        Assert.Equal([false, false, false, true, true], Enumerable.Range(0, 5).Select(_ => meter.IsOver(100, 0)));

        // 10 packets a second: one every 100 ms.
        Assert.True(meter.IsOver(100, 99));
        Assert.False(meter.IsOver(100, 100));
        Assert.True(meter.IsOver(100, 100));
        Assert.Equal(new MeterStats(8, 800), meter.Stats);
        Assert.Equal(new MeterStats(4, 400), meter.Bands[0].Stats);
    }

    [Fact]
    public void Kilobits_are_counted_by_length()
    {
        // A burst of 8 kilobits is 1,000 bytes; a kilobit a second is a bit a millisecond.
        Meter meter = Make(countsBits: true, rate: 1, burst: 8);
        Assert.False(meter.IsOver(1000, 0));
        Assert.True(meter.IsOver(1, 7));
        Assert.False(meter.IsOver(1, 8));
    }

    [Fact]
    public void A_long_pause_fills_the_bucket_and_no_more()
    {
        Meter meter = Make(countsBits: false, rate: uint.MaxValue, burst: 2);
        Assert.Equal([false, false], Enumerable.Range(0, 2).Select(_ => meter.IsOver(1, 0)));
        Assert.Equal([false, false, true], Enumerable.Range(0, 3).Select(_ => meter.IsOver(1, long.MaxValue)));
    }

    [Fact]
    public void A_clock_that_goes_back_fills_nothing()
    {
        Meter meter = Make(countsBits: false, rate: 1, burst: 1);
        Assert.False(meter.IsOver(1, 5000));
        Assert.True(meter.IsOver(1, 0));
    }

    [Fact]
    public void A_band_of_another_type_counts_but_does_not_drop()
    {
        Meter meter = new(1, false, true, default, [new MeterBand(2, 1, 1)], 0);
        Assert.Equal([false, false, false], Enumerable.Range(0, 3).Select(_ => meter.IsOver(10, 0)));
        Assert.Equal(2ul, meter.Bands[0].Stats.Packets);
    }

    [Fact]
    public void A_meter_that_is_not_there_lets_all_pass() => Assert.False(new MeterTable().IsOver(7, 100));

    [Fact]
    public void Meters_with_the_same_remainder_exclude_each_other()
    {
        MeterTable table = new();
        Assert.Equal(Errno.None, table.Put(Make(id: 1), out _));
        Assert.Equal(Errno.Busy, table.Put(Make(id: 1025), out _));
        Assert.Null(table.Find(1025));
        Assert.Equal(Errno.None, table.Put(Make(id: 1), out Meter? replaced));
        Assert.Equal(1u, replaced!.Id);
        Assert.Same(table.Find(1), table.Remove(1));
        Assert.Null(table.Remove(1));
        Assert.Equal(Errno.None, table.Put(Make(id: 1025), out _));
    }

    [Fact]
    public void The_table_grows_with_its_meters_and_keeps_them()
    {
        MeterTable table = new();
        for (uint id = 0; id < 5000; id++)
        {
            Assert.Equal(Errno.None, table.Put(Make(id: id), out _));
        }

        Assert.All(Enumerable.Range(0, 5000), id => Assert.Equal((uint)id, table.Find((uint)id)?.Id));
        for (uint id = 4999; id > 0; id--)
        {
            Assert.NotNull(table.Remove(id));
        }

        Assert.NotNull(table.Find(0));
        Assert.Equal(Errno.Busy, table.Put(Make(id: 1024), out _));
    }

    private static Meter Make(bool countsBits = false, uint rate = 1, uint burst = 1, uint id = 1) =>
        new(id, countsBits, keepsStats: true, default, [new MeterBand(MeterBand.Drop, rate, burst)], 0);
}
