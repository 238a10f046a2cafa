using BenchmarkDotNet.Attributes;
using Engine.Flows;
using Engine.Packets;

namespace Bench;

/// <summary>Packets to keys, a batch of 32 at a time.</summary>
[MemoryDiagnoser]
public unsafe class ExtractBench
{
    private PacketPool _pool = null!;
    private FlowKey[] _keys = null!;
    private PacketBatch _batch;

    /// <summary>Which packets.</summary>
    [Params("udp4", "vlan-tcp6")]
    public string Packets { get; set; } = "udp4";

    /// <summary>Fills one batch.</summary>
    [GlobalSetup]
    public void Setup()
    {
        byte[][] frames = Packets == "udp4" ? Traffic.Udp4(PacketBatch.Capacity) : Traffic.TaggedTcp6(PacketBatch.Capacity);
        _pool = new PacketPool(64);
        _keys = GC.AllocateArray<FlowKey>(PacketBatch.Capacity, pinned: true);
        _batch = default;
        foreach (byte[] frame in frames)
        {
            Packet* packet = _pool.TryAllocate();
            packet->TrySetBytes(frame);
            _batch.Add(packet);
        }
    }

    /// <summary>Frees the packets' memory.</summary>
    [GlobalCleanup]
    public void Cleanup() => _pool.Dispose();

    /// <summary>Extracts the batch; times are for one packet.</summary>
    [Benchmark(OperationsPerInvoke = PacketBatch.Capacity)]
    public uint Extract() => FlowKeyExtractor.ReceiveBatch(ref _batch, _keys, 1);
}
