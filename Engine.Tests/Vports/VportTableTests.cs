using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Vports;

public class VportTableTests
{
    [Fact]
    public void A_port_is_found_by_number_and_by_name_until_it_is_removed()
    {
        VportTable table = new();
        Vport vport = Make(300, "eth300");
        Assert.False(table.TryAdd(vport).IsRefused);

        Assert.Same(vport, table[300]);
        Assert.Same(vport, table.Find("eth300"));
        Assert.Null(table[299]);
        Assert.Null(table[uint.MaxValue]);

        Assert.True(table.Remove(vport));
        Assert.False(table.Remove(vport));
        Assert.Null(table[300]);
        Assert.Null(table.Find("eth300"));
        Assert.Equal(0, table.Count);
    }

    [Theory]
    [InlineData(1, "b", Errno.Busy)]
    [InlineData(2, "a", Errno.Exists)]
    [InlineData(2, "b", Errno.None)]
    public void A_number_and_a_name_belong_to_one_port(uint number, string name, Errno expected)
    {
        VportTable table = new();
        table.TryAdd(Make(1, "a"));

        Assert.Equal(expected, table.TryAdd(Make(number, name)).Errno);
        Assert.Equal(expected == Errno.None ? 2 : 1, table.Count);
    }

    [Fact]
    public void Ports_are_listed_by_number()
    {
        VportTable table = new();
        table.TryAdd(Make(5, "c"));
        table.TryAdd(Make(0, "a"));
        table.TryAdd(Make(65534, "b"));

        Assert.Equal([0u, 5u, 65534u], table.ToArray().Select(vport => vport.Number));
    }

    [Fact]
    public void A_number_above_the_kernel_s_range_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Make(65535, "a"));

    private static Vport Make(uint number, string name) => new(number, name, VportType.Null, new NullDriver());
}
