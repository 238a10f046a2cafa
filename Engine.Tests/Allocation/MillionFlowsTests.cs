using System.Diagnostics;
using Engine.Actions;
using Engine.Flows;
using Engine.Primitives;
using Xunit.Abstractions;

namespace Engine.Tests.Allocation;

/// <summary>A million flows of one mask or a hundred: how much memory they hold. How long they take to install is printed.</summary>
[Collection(AloneCollection.Name)]
public sealed class MillionFlowsTests(ITestOutputHelper output)
{
    private const int FlowCount = 1_000_000;

    // Managed and native together.
    private const int MostBytesEach = 512;

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)] // As ovs-vswitchd gives them.
    [InlineData(false, 100)]
    public void A_million_flows_take_little_memory(bool withUfid, int masks)
    {
        FlowTable table = new();
        FlowKey mask = new()
        {
            InPort = uint.MaxValue,
            EtherType = ushort.MaxValue,
            Ipv4Source = uint.MaxValue,
            Ipv4Destination = uint.MaxValue,
            IpProtocol = byte.MaxValue,
            IpFragment = byte.MaxValue,
            TransportSource = ushort.MaxValue,
            TransportDestination = ushort.MaxValue,
        };
        byte[] attributes = [8, 0, 1, 0, 2, 0, 0, 0];

        long before = GC.GetTotalMemory(forceFullCollection: true);
        TimeSpan pausesBefore = GC.GetTotalPauseDuration(), processorBefore = Environment.CpuUsage.TotalTime;
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread(), started = Stopwatch.GetTimestamp();
        for (int i = 0; i < FlowCount; i++)
        {
            // Masks take turns. What tells a flow from all others, both ports, is in every mask.
            mask.Ipv4Source = uint.MaxValue << (i % masks % 10);
            mask.Ipv4Destination = uint.MaxValue << (i % masks / 10);
            FlowKey key = KeyOf(i);
            attributes[4] = (byte)(1 + (i & 7));
            Assert.False(ActionList.TryCreate(attributes, in key, ActionFeatures.All, out ActionList? actions).IsRefused);
            Ufid ufid = withUfid ? new Ufid((ulong)i * 0x9e3779b97f4a7c15, (ulong)i, Ufid.MaximumLength) : default;
            Assert.False(table.Put(in key, in mask, actions!, ufid, FlowPutMode.CreateOnly, out _).IsRefused);
        }

        // Processor time of everything, collections included: on a machine shared with others the clock measures the others.
        double seconds = (Environment.CpuUsage.TotalTime - processorBefore).TotalSeconds;
        double elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        TimeSpan pauses = GC.GetTotalPauseDuration() - pausesBefore;
        long allocated = (GC.GetAllocatedBytesForCurrentThread() - allocatedBefore) / FlowCount;

        // The record of a flow is in native memory.
        long bytes = ((GC.GetTotalMemory(forceFullCollection: true) - before) / FlowCount) + FlowRecord.ByteSize;
        output.WriteLine($"{FlowCount} flows of {masks} masks in {seconds:f2} s of processor time ({elapsed:f2} s elapsed, {pauses.TotalSeconds:f2} s of it collecting), {bytes} bytes each, {allocated} allocated for each");

        Assert.Equal(FlowCount, table.Count);
        Assert.Equal(masks, table.MaskCount);
        for (int i = 0; i < FlowCount; i += 997)
        {
            FlowKey key = KeyOf(i);
            Flow flow = Assert.IsType<Flow>(table.Lookup(in key, out _));
            Assert.Equal(1 + (i & 7), flow.Actions.Attributes[4]);
        }

        Assert.InRange(bytes, 1, MostBytesEach);
        GC.KeepAlive(table);
    }

    private static FlowKey KeyOf(int i) => new()
    {
        InPort = 1,
        MacProtocol = 1,
        EthernetSource = new EthernetAddress([2, 0, 0, 0, 0, 1]),
        EthernetDestination = new EthernetAddress([2, 0, 0, 0, 0, 2]),
        EtherType = 0x0800,
        Ipv4Source = 0x0a000000u + (uint)(i >> 8),
        Ipv4Destination = 0x0b000000u + (uint)(i & 0xff),
        IpProtocol = 17,
        IpTtl = 64,
        TransportSource = (ushort)i,
        TransportDestination = (ushort)(53 + (i >> 16)),
    };
}
