using Engine.Datapaths;
using Engine.Packets;
using Engine.Tests.Oracles;
using Engine.Text;

namespace Bench.Peers;

/// <summary>A few packets of a case, sent through the measured datapath and through the tests' slow twin of it.</summary>
internal static unsafe class OracleSample
{
    private const int Samples = 256;

    /// <summary>Compares what comes out, byte for byte and in order.</summary>
    /// <exception cref="InvalidOperationException">It differs.</exception>
    public static void Compare(Datapath datapath, DiscardingDriver output, CaseTraffic traffic, List<FlowLine> lines)
    {
        ByteDatapath twin = new();
        List<byte[]> sent = output.Sample = [];
        Worker worker = datapath.Workers[0];
        for (int sample = 0; sample < Samples; sample++)
        {
            int i = (int)((long)sample * lines.Count / Samples);
            byte[] frame = traffic.Frame(i);
            twin.Add($"flow {i}", lines[i].Key, lines[i].Mask, lines[i].Actions.Span);
            twin.Receive(CaseTraffic.InPort, frame);
            Packet* packet = worker.Pool.TryAllocate(frame.Length);
            packet->TrySetBytes(frame);
            PacketBatch batch = default;
            batch.Add(packet);
            datapath.Process(worker, CaseTraffic.InPort, ref batch);
            worker.Flush();
        }

        output.Sample = null;
        List<byte[]> expected = twin.Sent.TryGetValue(CaseTraffic.OutPort, out List<byte[]>? frames) ? frames : [];
        for (int i = 0; i < Samples; i++)
        {
            if (i >= sent.Count || i >= expected.Count || !sent[i].AsSpan().SequenceEqual(expected[i]))
            {
                throw new InvalidOperationException($"sample {i} of {Samples} differs from the oracle: {sent.Count} sent, {expected.Count} expected");
            }
        }
    }
}
