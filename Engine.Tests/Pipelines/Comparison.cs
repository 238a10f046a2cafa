using Engine.Datapaths;
using Engine.Flows;
using Engine.Packets;
using Engine.Pipelines;
using Engine.Tests.Golden;
using Engine.Tests.Oracles;
using Engine.Text;
using Engine.Vports;

namespace Engine.Tests.Pipelines;

/// <summary>Two datapaths that get the same packets: one with flows in its table, one with the same flows compiled.</summary>
internal sealed unsafe class Comparison : IDisposable
{
    private const uint Ports = 10;

    private readonly Side _dynamic = new();
    private readonly Side _compiled = new();
    private readonly List<Flow> _flows = [];
    private readonly DatapathPipeline _pipeline;

    public Comparison(Type pipeline, string flows)
    {
        Assert.True(FlowFile.TryParse("table", flows, out IReadOnlyList<FlowLine> lines, out _));
        foreach (FlowLine line in lines)
        {
            Assert.Null(line.Install(_dynamic.Datapath.Flows, out Flow? flow));
            _flows.Add(flow!);
        }

        _pipeline = PipelineRun.Use(_compiled.Datapath, pipeline);
        Assert.Equal(_flows.Count, _pipeline.Table.Flows.Count);
    }

    /// <summary>Sends random packets, a third of them mutated, in batches of any size, by two ports.</summary>
    public void Play(PacketMix mix, int packets)
    {
        for (int sent = 0; sent < packets;)
        {
            PacketBatch one = default, other = default;
            uint port = mix.Random.Next(8) == 0 ? 2u : 1u;
            for (int count = mix.Random.Next(1, PacketBatch.Capacity + 1); count > 0; count--, sent++)
            {
                ReadOnlySpan<byte> frame = mix.Random.Next(6) switch
                {
                    0 => mix.NextMutated(),
                    1 => mix.Next(),
                    _ => mix.NextPlain(),
                };
                byte offload = (byte)(mix.Random.Next(16) == 0 ? 1 : 0);
                _dynamic.Add(ref one, frame, offload);
                _compiled.Add(ref other, frame, offload);
            }

            _dynamic.Process(port, ref one);
            _compiled.Process(port, ref other);
        }
    }

    /// <summary>Sends one packet.</summary>
    public void Send(uint port, ReadOnlySpan<byte> frame)
    {
        PacketBatch one = default, other = default;
        _dynamic.Add(ref one, frame, 0);
        _compiled.Add(ref other, frame, 0);
        _dynamic.Process(port, ref one);
        _compiled.Process(port, ref other);
    }

    /// <summary>Asserts that both sent, counted and dropped alike, and forgets what they sent.</summary>
    /// <returns>How many packets what became of, for the log.</returns>
    public string AssertSame(string name)
    {
        int sent = 0;
        for (uint port = 1; port <= Ports; port++)
        {
            List<byte[]> expected = _dynamic.Drivers[port].Sent, actual = _compiled.Drivers[port].Sent;
            for (int i = 0; i < Math.Min(expected.Count, actual.Count); i++)
            {
                Assert.True(
                    expected[i].AsSpan().SequenceEqual(actual[i]),
                    $"{name} port {port} packet {i}:\n  table    {Convert.ToHexStringLower(expected[i])}\n  compiled {Convert.ToHexStringLower(actual[i])}");
            }

            Assert.True(expected.Count == actual.Count, $"{name} port {port}: the table sent {expected.Count} packets, compiled {actual.Count}");
            sent += expected.Count;
            expected.Clear();
            actual.Clear();
        }

        for (int i = 0; i < _flows.Count; i++)
        {
            FlowStats expected = _flows[i].ReadStats(), actual = _pipeline.ReadStats(i);
            Assert.Equal(
                (name, i, expected.Packets, expected.Bytes, expected.TcpFlags),
                (name, i, actual.Packets, actual.Bytes, actual.TcpFlags));
        }

        foreach (DropReason reason in Enum.GetValues<DropReason>())
        {
            Assert.Equal((name, reason, _dynamic.Datapath.DropsOf(reason)), (name, reason, _compiled.Datapath.DropsOf(reason)));
        }

        DatapathStats one = _dynamic.Datapath.ReadStats(), other = _compiled.Datapath.ReadStats();
        Assert.Equal((one.Hit, one.Missed, one.Lost), (other.Hit, other.Missed, other.Lost));
        Assert.Equal((0, 0), (_dynamic.Worker.Pool.UsedCount, _compiled.Worker.Pool.UsedCount));
        return $"{sent} sent, {one.Hit} matched, {one.Missed} missed";
    }

    public void Dispose()
    {
        _dynamic.Datapath.Dispose();
        _compiled.Datapath.Dispose();
    }

    private sealed class Side
    {
        public Side()
        {
            for (uint port = 1; port <= Ports; port++)
            {
                Assert.False(Datapath.AddVport(port, $"port{port}", VportType.Loopback, Drivers[port] = new RecordingDriver(), out _).IsRefused);
            }
        }

        public Datapath Datapath { get; } = new();

        public Worker Worker => Datapath.Workers[0];

        public Dictionary<uint, RecordingDriver> Drivers { get; } = [];

        public void Add(ref PacketBatch batch, ReadOnlySpan<byte> frame, byte offload)
        {
            Packet* packet = Worker.Pool.TryAllocate(frame.Length);
            Assert.True(packet->TrySetBytes(frame));
            packet->Offload.Flags = offload;
            batch.Add(packet);
        }

        public void Process(uint port, ref PacketBatch batch)
        {
            Datapath.Process(Worker, port, ref batch);
            Worker.Flush();
        }
    }
}
