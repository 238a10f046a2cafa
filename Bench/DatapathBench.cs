using BenchmarkDotNet.Attributes;
using Engine.Datapaths;
using Engine.Packets;
using Engine.Vports;

namespace Bench;

/// <summary>The whole way of a batch: from memory by a port, through the table, out by a port that discards.</summary>
[MemoryDiagnoser]
public class DatapathBench
{
    private const int Rounds = 32;

    private Datapath _datapath = null!;
    private Vport _input = null!;

    /// <summary>Different five-tuples, each with a flow of its own.</summary>
    [Params(1, 1_000, 20_000)]
    public int FiveTuples { get; set; }

    /// <summary>Entries of the flow cache; 0 for none.</summary>
    [Params(0, 1 << 15)]
    public int CacheEntries { get; set; }

    /// <summary>Makes ports, flows and packets.</summary>
    [GlobalSetup]
    public void Setup()
    {
        byte[][] frames = Traffic.Udp4(FiveTuples);
        PacketStore store = new();
        foreach (byte[] frame in frames)
        {
            store.Add(frame);
        }

        _datapath = new Datapath(new DatapathOptions { CacheEntries = CacheEntries });
        _datapath.AddVport(1, "in", VportType.Pcap, new PcapLoopDriver(store), out _input);
        _datapath.AddVport(2, "out", VportType.Null, new NullDriver(), out _);
        foreach (byte[] frame in frames)
        {
            Flows.AddExact(_datapath, frame, inPort: 1, "2");
        }
    }

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup() => _datapath.Dispose();

    /// <summary>Processes 32 batches; times are for one packet.</summary>
    [Benchmark(OperationsPerInvoke = Rounds * PacketBatch.Capacity)]
    public int Process()
    {
        int packets = 0;
        Worker worker = _datapath.Workers[0];
        for (int i = 0; i < Rounds; i++)
        {
            packets += worker.Poll(_input);
        }

        return packets;
    }
}
