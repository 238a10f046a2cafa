using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Tests.Actions;
using Engine.Upcalls;
using Engine.Vports;
using Xunit.Abstractions;

namespace Engine.Tests.Concurrency;

/// <summary>The control thread changes flows while a worker forwards: each packet goes where its own flow says, or up when that is gone.</summary>
public sealed class DatapathRaceTests(ITestOutputHelper output)
{
    private const int Ports = 4, Networks = 64;

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 10)]
    public async Task Packets_never_take_the_way_of_another_flow(int cacheEntries)
    {
        using Datapath datapath = new(new DatapathOptions { FrameCount = 256, CacheEntries = cacheEntries });
        CheckingDriver[] drivers = [.. Enumerable.Range(0, Ports).Select(port => new CheckingDriver(port))];
        for (uint port = 0; port < Ports; port++)
        {
            Assert.False(datapath.AddVport(port, $"port{port}", VportType.Loopback, drivers[port], out _).IsRefused);
        }

        CheckingHandler handler = new();
        datapath.UpcallHandler = handler;
        for (int n = 0; n < Networks; n += 2)
        {
            Put(datapath, n);
        }

        using CancellationTokenSource stop = new();
        // A thread of its own: those of the pool may all be taken by other tests.
        CancellationToken token = stop.Token;
        Task<long> worker = Task.Factory.StartNew(() => Forward(datapath, token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        long changes = 0;
        Random random = new(1);
        Flow?[] flows = new Flow?[Networks];
        Race.Run(stop, Change, HaveMinima, worker);

        long packets = await worker;
        long sent = drivers.Sum(driver => driver.Sent);
        output.WriteLine($"{changes} changes, {packets} packets, {sent} sent, {handler.Upcalls} upcalls");
        Assert.Equal(0, drivers.Sum(driver => driver.Wrong));
        Assert.Equal(0, handler.OfFlowsThatStay);
        Assert.Equal(packets, sent + handler.Upcalls);
        Assert.True(HaveMinima(), $"{changes} changes, {sent} sent, {handler.Upcalls} upcalls");

        bool HaveMinima() => changes > 100 && drivers.Sum(static driver => driver.Sent) > 100 && handler.Upcalls > 0;

        void Change()
        {
            // Some flows come and go, those that stay get the same actions anew.
            int n = random.Next(Networks);
            if (n % 2 == 0)
            {
                Put(datapath, n);
            }
            else if (flows[n] is { } flow)
            {
                datapath.Flows.Remove(flow);
                flows[n] = null;
            }
            else
            {
                flows[n] = Put(datapath, n);
            }

            changes++;
        }
    }

    private static unsafe long Forward(Datapath datapath, CancellationToken stop)
    {
        Worker worker = datapath.Workers[0];
        Random random = new(2);
        byte[] frame = new byte[60];
        frame[12] = 0x08;
        frame[14] = 0x45;
        frame[23] = 17;
        long packets = 0;
        while (!stop.IsCancellationRequested)
        {
            PacketBatch batch = default;
            for (int i = 0; i < PacketBatch.Capacity; i++, packets++)
            {
                frame[27] = (byte)random.Next(Networks);
                frame[29] = (byte)random.Next(256);
                Packet* packet = worker.Pool.TryAllocate();
                packet->TrySetBytes(frame);
                batch.Add(packet);
            }

            datapath.Process(worker, 0, ref batch);
            worker.Flush();
        }

        return packets;
    }

    private static Flow Put(Datapath datapath, int n)
    {
        FlowKey key = new() { EtherType = 0x0800, MacProtocol = 1, Ipv4Source = (uint)n << 16 };
        FlowKey mask = new() { InPort = uint.MaxValue, EtherType = 0xffff, Ipv4Source = (uint)(0xffff_ffffL << (32 - (24 - (n % 8)))) };
        byte[] actions = ActionBytes.Output((uint)(n % Ports));
        Assert.False(ActionList.TryCreate(actions, in key, ActionFeatures.All, out ActionList? list).IsRefused);
        Refusal refusal = datapath.Flows.Put(in key, in mask, list!, default, FlowPutMode.CreateOrReplace, out Flow? flow);
        Assert.False(refusal.IsRefused, refusal.ToString());
        return flow!;
    }

    private sealed unsafe class CheckingDriver(int port) : IVportDriver
    {
        public long Sent { get; private set; }

        public long Wrong { get; private set; }

        public void Receive(PacketPool pool, ref PacketBatch batch)
        {
        }

        public int Transmit(PacketPool pool, ref PacketBatch batch)
        {
            int count = batch.Count;
            for (int i = 0; i < count; i++)
            {
                Wrong += batch[i].Bytes[27] % Ports == port ? 0 : 1;
                pool.Free(batch.Pointer(i));
            }

            Sent += count;
            batch.Clear();
            return count;
        }

        public void Dispose()
        {
        }
    }

    private sealed class CheckingHandler : IUpcallHandler
    {
        public long Upcalls { get; private set; }

        public long OfFlowsThatStay { get; private set; }

        public void Handle(ref Upcall upcall, IUpcallReply port)
        {
            Upcalls++;
            OfFlowsThatStay += upcall.Bytes[27] % 2 == 0 ? 1 : 0;
        }
    }
}
