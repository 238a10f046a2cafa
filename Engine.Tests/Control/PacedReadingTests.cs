using System.Diagnostics;
using System.Runtime.CompilerServices;
using Engine.Actions;
using Engine.Control;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Tests.Conformance;

namespace Engine.Tests.Control;

/// <summary>Counters that are asked for as fast as it goes are read seldom, and others always.</summary>
public sealed class PacedReadingTests
{
    [Fact]
    public void A_flow_that_is_told_to_count_anew_does_so_at_once_in_the_middle_of_a_flood()
    {
        const int Asked = 200;
        using ControlServer server = new(new MemoryNetwork(), new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 32, CacheEntries = 0, UpcallCapacity = 8 } });
        MemoryClient client = new(100);
        server.TryAdd(client);
        server.Handle(client, new RequestBuilder().NewDatapath("dp0").Bytes);
        ControlledDatapath datapath = server.CurrentDatapaths[0];
        byte[] id = Enumerable.Repeat((byte)7, Ufid.MaximumLength).ToArray();
        ActionList.TryCreate([], default, ActionFeatures.All, out ActionList? actions);
        datapath.Datapath.Flows.Put(default, default, actions!, Ufid.FromBytes(id), FlowPutMode.CreateOnly, out Flow? flow);
        flow!.StatsOf(0).Packets = 5;
        RequestBuilder requests = new();
        for (int i = 0; i < Asked; i++)
        {
            requests.Add(RequestBuilder.Flow, 3, 0, datapath.Ifindex, (ref writer) => writer.PutOvsFlowUfid(id));
        }

        requests.Add(RequestBuilder.Flow, 4, NetlinkFlags.Ack, datapath.Ifindex, (ref writer) =>
        {
            writer.PutOvsFlowUfid(id);
            writer.Put((int)OvsFlowAttribute.Clear, []);
        });
        requests.Add(RequestBuilder.Flow, 3, 0, datapath.Ifindex, (ref writer) => writer.PutOvsFlowUfid(id));
        client.TakeMessages();
        server.Handle(client, requests.Bytes);
        List<byte[]> told = client.TakeMessages().FindAll(static message => BitConverter.ToUInt16(message, 4) == RequestBuilder.Flow);
        Assert.Equal([.. Enumerable.Repeat(true, Asked), false], told.Select(HasStats));
    }

    private static bool HasStats(byte[] message)
    {
        ExtendedAck ack = default;
        Assert.Equal(Errno.None, OvsFlowAttributes.TryParse(message.AsSpan(24), 0, ref ack, out OvsFlowAttributes attributes));
        return attributes.HasStats;
    }

    [Fact]
    public void A_flood_reads_a_few_times_a_millisecond_and_who_asks_now_and_then_hears_the_present()
    {
        StrongBox<int> reads = new();
        PacedReading<int> paced = default;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 100_000; i++)
        {
            int read = paced.Read(reads, static reads => ++reads.Value);
            Assert.Equal(reads.Value, read);
        }

        // A window begins with the first reading after the last one has ended.
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Assert.InRange(reads.Value, 1, (int)((milliseconds + 1) * PacedReading<int>.MostInMillisecond));

        for (int i = 0; i < 5; i++)
        {
            Thread.Sleep(2);
            int before = reads.Value;
            Assert.Equal(before + 1, paced.Read(reads, static reads => ++reads.Value));
        }
    }
}
