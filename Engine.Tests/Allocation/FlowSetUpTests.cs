using Engine.Control;
using Engine.Datapaths;
using Engine.Netlink;
using Engine.Tests.Conformance;
using Engine.Tests.Control;
using Xunit.Abstractions;

namespace Engine.Tests.Allocation;

/// <summary>What a flow that a control program adds leaves for the garbage collector, whose pauses stop the workers.</summary>
[Collection(AloneCollection.Name)]
public sealed class FlowSetUpTests(ITestOutputHelper output)
{
    private const int FirstDatapath = 2, FlowsAtOnce = 10, Buffers = 400;

    // The flow itself, its share of the table and what is needed to echo it; nothing of the request.
    private const long BytesOfOneFlow = 600;

    [Fact]
    public void A_new_flow_costs_little_more_than_itself()
    {
        using ControlServer server = new(new MemoryNetwork(), new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 32, CacheEntries = 0, UpcallCapacity = 8 } });
        MemoryClient client = new(100);
        server.TryAdd(client);
        server.Handle(client, new RequestBuilder().NewDatapath("dp0").Bytes);
        byte[][] buffers = [.. Enumerable.Range(0, 2 * Buffers).Select(Make)];
        foreach (byte[] buffer in buffers[..Buffers])
        {
            server.Handle(client, buffer);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (byte[] buffer in buffers[Buffers..])
        {
            server.Handle(client, buffer);
        }

        long bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (Buffers * FlowsAtOnce);
        Assert.Equal(2 * Buffers * FlowsAtOnce, server.CurrentDatapaths.Single().Datapath.Flows.Count);
        output.WriteLine($"{bytes} bytes a flow");
        Assert.InRange(bytes, 0, BytesOfOneFlow);
    }

    // A client that asks as fast as it can must not make the collector stop the workers.
    [Fact]
    public void Asking_for_a_port_costs_nothing()
    {
        using ControlServer server = new(new MemoryNetwork(), new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 32, CacheEntries = 0, UpcallCapacity = 8 } });
        NullClient client = new();
        server.TryAdd(client);
        server.Handle(client, new RequestBuilder().NewDatapath("dp0").Bytes);
        byte[] request = new RequestBuilder()
            .Add(RequestBuilder.Vport, 3, NetlinkFlags.Ack, FirstDatapath, static (ref writer) => writer.PutOvsVportName("dp0"))
            .Add(RequestBuilder.Datapath, 3, NetlinkFlags.Ack, FirstDatapath, static (ref writer) => writer.PutOvsDatapathName("dp0"))
            .Add(RequestBuilder.Vport, 3, NetlinkFlags.Ack, FirstDatapath, static (ref writer) => writer.PutOvsVportName("none")).Bytes;
        int asked = 0;
        Ask();
        Assert.Equal(0, Allocated.ByThisThread(Ask));
        Assert.Equal(1 + (asked * 5), client.Taken);

        void Ask()
        {
            for (int i = 0; i < 100; i++, asked++)
            {
                server.Handle(client, request);
            }
        }
    }

    private sealed class NullClient() : ControlClient(101)
    {
        public int Taken { get; private set; }

        protected override bool TrySend(ReadOnlySpan<byte> datagram)
        {
            Taken++;
            return true;
        }
    }

    private static byte[] Make(int number)
    {
        RequestBuilder builder = new();
        for (int i = 0; i < FlowsAtOnce; i++)
        {
            int value = (number * FlowsAtOnce) + i;
            builder.Add(RequestBuilder.Flow, 1, 0, FirstDatapath, (ref writer) =>
            {
                byte[] ufid = new byte[16];
                BitConverter.TryWriteBytes(ufid, value + 1);
                writer.PutOvsFlowUfid(ufid);
                int key = writer.BeginOvsFlowKey();
                writer.Put((int)OvsKeyAttribute.InPort, 0u);
                byte[] ethernet = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
                BitConverter.TryWriteBytes(ethernet.AsSpan(8), value);
                writer.Put((int)OvsKeyAttribute.Ethernet, ethernet);
                writer.Put((int)OvsKeyAttribute.EtherType, (ushort)0xb588);
                writer.EndNested(key);
                int actions = writer.BeginNested((int)OvsFlowAttribute.Actions);
                writer.Put((int)OvsActionAttribute.Output, 0u);
                writer.EndNested(actions);
            });
        }

        return builder.Bytes;
    }
}
