using System.Buffers.Binary;
using System.Globalization;
using BenchmarkDotNet.Attributes;
using Engine.Datapaths;
using Engine.Packets;
using Engine.Pipelines;
using Engine.Text;
using Engine.Vports;

namespace Bench;

/// <summary>The same flows in the table, without and with a warm cache, and compiled: 60-byte frames from memory to ports that discard.</summary>
[MemoryDiagnoser]
public class PipelineBench
{
    private const int Rounds = 128;
    private const int FrameCount = 1024;

    private Datapath _datapath = null!;
    private Vport _input = null!;

    /// <summary>Where the flows are.</summary>
    [Params("table", "cache", "compiled")]
    public string Way { get; set; } = "compiled";

    /// <summary>16 of 8 masks with mixed actions, or 1,000 exact ones.</summary>
    [Params(16, 1_000)]
    public int FlowCount { get; set; }

    /// <summary>Makes ports, flows and packets.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _datapath = new Datapath(new DatapathOptions { CacheEntries = Way == "cache" ? 1 << 15 : 0 });
        _datapath.AddVport(1, "in", VportType.Pcap, new PcapLoopDriver(Frames(FlowCount)), out _input);
        _datapath.AddVport(2, "out", VportType.Null, new NullDriver(), out _);
        _datapath.AddVport(3, "other", VportType.Null, new NullDriver(), out _);
        if (Way == "compiled")
        {
            _ = FlowCount == 16 ? _datapath.UsePipeline<SixteenFlows>() : _datapath.UsePipeline<ThousandFlows>();
            return;
        }

        PipelineTable table = FlowCount == 16 ? SixteenFlows.Table : ThousandFlows.Table;
        FlowFile.TryParse("bench", string.Join('\n', table.Flows.Select(static flow => flow.Text)), out IReadOnlyList<FlowLine> lines, out _);
        foreach (FlowLine line in lines)
        {
            if (line.Install(_datapath.Flows, out _) is { } error)
            {
                throw new InvalidOperationException(error.ToString());
            }
        }
    }

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        if (_datapath.ReadStats().Missed != 0)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{_datapath.ReadStats().Missed} packets missed"));
        }

        _datapath.Dispose();
    }

    /// <summary>Processes 128 batches; times are for one packet.</summary>
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

    /// <summary>1,024 or 1,000 five-tuples, in random order.</summary>
    internal static PacketStore Frames(int flows)
    {
        PacketStore store = new();
        byte[][] frames = flows == 16 ? FramesOfSixteen() : Traffic.Udp4(flows);
        Random random = new(1);
        random.Shuffle(frames);
        foreach (byte[] frame in frames)
        {
            store.Add(frame);
        }

        return store;
    }

    // Each of the 16 flows gets as many packets as the others, of different sources where it takes several.
    private static byte[][] FramesOfSixteen()
    {
        byte[][] frames = Traffic.Udp4(FrameCount);
        for (int i = 0; i < frames.Length; i++)
        {
            (uint source, uint destination, int from, int to, int tos) = (i % 16) switch
            {
                0 => (0x0a00_0000u, 0x0a01_0000u, 5000, 53, 0),
                1 => (0x0a00_0000u, 0x0a02_0000u, 5000, 123, 0),
                2 => (0x0a00_0000u, 0x0a03_0000u, 5000, 80, 0),
                3 => (0x0a00_0000u, 0x0a04_0000u, 5000, 80, 0),
                4 => (0xac10_0000u, 0x0a05_0001u, 5000, 80, 0),
                5 => (0xac10_0000u, 0x0a05_0002u, 5000, 80, 0),
                6 => (0x0a00_0000u, 0x0a06_0001u, 1000, 4789, 0),
                7 => (0x0a00_0000u, 0x0a06_0002u, 1000, 4789, 0),
                8 => (0x0a00_0000u, 0x0a07_0000u, 5000, 80, 0x20),
                9 => (0x0a00_0000u, 0x0a07_0000u, 5000, 80, 0x40),
                10 => (0x0a00_0000u, 0x0a08_0000u, 0x400, 80, 0),
                11 => (0x0a00_0000u, 0x0a09_0000u, 0x800, 80, 0),
                12 => (0x0a00_0000u, 0x0a0a_0001u, 5000, 80, 0),
                13 => (0x0a00_0000u, 0x0a0a_0002u, 5000, 80, 0),
                14 => (0x0a0b_0000u, 0xc020_0000u, 5000, 0x9000, 0),
                _ => (0x0a0c_0000u, 0xc020_0000u, 5000, 0x9000, 0),
            };
            Span<byte> ip = frames[i].AsSpan(14);
            ip[1] = (byte)tos;
            BinaryPrimitives.WriteUInt32BigEndian(ip[12..], source + (uint)(i / 16));
            BinaryPrimitives.WriteUInt32BigEndian(ip[16..], destination);
            BinaryPrimitives.WriteUInt16BigEndian(ip[20..], (ushort)from);
            BinaryPrimitives.WriteUInt16BigEndian(ip[22..], (ushort)to);
        }

        return frames;
    }
}
