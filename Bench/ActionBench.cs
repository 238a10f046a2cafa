using BenchmarkDotNet.Attributes;
using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Packets;
using Engine.Vports;

namespace Bench;

/// <summary>Action lists on a UDP packet. The first list, a bare output, is what all the others share: take a frame, fill it, send it.</summary>
[MemoryDiagnoser]
public unsafe class ActionBench
{
    private readonly byte[] _frame = Traffic.Udp4(1)[0];
    private Datapath _datapath = null!;
    private ActionList _actions = null!;
    private FlowKey _key;

    /// <summary>The list, as ovs-dpctl writes it.</summary>
    [Params(
        "2",
        "2,2",
        "push_vlan(vid=5,pcp=0),2",
        "push_vlan(vid=5,pcp=0),pop_vlan,2",
        "push_mpls(label=5,tc=0,ttl=64,bos=1,eth_type=0x8847),2",
        "set(eth(dst=02:00:00:00:00:09)),2",
        "set(ipv4(src=192.0.2.1,dst=192.0.2.2)),2",
        "set(ipv4(src=192.0.2.1,dst=192.0.2.2)),set(udp(src=7,dst=8)),dec_ttl(le_1()),2",
        "dec_ttl(le_1()),2",
        "trunc(50),2",
        "clone(2),2",
        "sample(sample=50.0%,actions(2)),2",
        "check_pkt_len(size=100,gt(2),le(2))",
        "hash(l4(0)),recirc(0x1)",
        "meter(1),2")]
    public string Actions { get; set; } = "2";

    /// <summary>Makes the list, and a flow for packets that come round again.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _datapath = new Datapath();
        _datapath.AddVport(1, "in", VportType.Null, new NullDriver(), out _);
        _datapath.AddVport(2, "out", VportType.Null, new NullDriver(), out _);
        _key = Flows.KeyOf(_datapath, _frame, inPort: 1);
        _actions = Flows.Parse(Actions, in _key);
        FlowKey again = new() { RecirculationId = 1 };
        FlowKey mask = new() { RecirculationId = uint.MaxValue };
        _datapath.Flows.Put(in again, in mask, Flows.Parse("2", in _key), default, FlowPutMode.CreateOnly, out _);
    }

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup() => _datapath.Dispose();

    /// <summary>Executes the list on 32 packets; times are for one.</summary>
    [Benchmark(OperationsPerInvoke = PacketBatch.Capacity)]
    public void Execute()
    {
        Worker worker = _datapath.Workers[0];
        for (int i = 0; i < PacketBatch.Capacity; i++)
        {
            Packet* packet = worker.Pool.TryAllocate();
            packet->TrySetBytes(_frame);
            packet->NetworkOffset = 14;
            packet->TransportOffset = 34;
            packet->HasTransport = true;
            FlowKey key = _key;
            worker.Execute(packet, ref key, _actions);
        }

        worker.Flush();
    }
}
