using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <summary>The counters of a pipeline's flows in one thread.</summary>
/// <remarks>Threads: one writes, any reads.</remarks>
internal sealed class PipelineCounters(int flowCount)
{
    // What stands for a packet: [8-bit TCP flags][16-bit flow].
    private const int TcpFlagsShift = 16;
    private const int FlowBits = (1 << TcpFlagsShift) - 1;

    private readonly FlowStats[] _stats = new FlowStats[Math.Max(flowCount, 1)];

    /// <summary>The counters of a flow.</summary>
    public ref readonly FlowStats this[int flow] => ref _stats[flow];

    /// <summary>Counts a packet. The number of the flow is not checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Count(int flow, int length, byte tcpFlags, long nowMs)
    {
        // In bounds: the generated code and the table give numbers of their own flows, and there is a counter for each.
        Invariant.Assert((uint)flow < (uint)_stats.Length);
        ref FlowStats stats = ref Unaligned.At(ref MemoryMarshal.GetArrayDataReference(_stats), flow);
        stats.Packets++;
        stats.Bytes += (uint)length;
        stats.TcpFlags |= tcpFlags;
        stats.UsedAtMs = nowMs;
    }

    /// <summary>Counts the packets of a batch for flows as <see cref="IPipelineHost.Count(ref PacketBatch, ReadOnlySpan{int})"/> has them.</summary>
    /// <returns>How many were counted.</returns>
    public int Count(ref PacketBatch batch, ReadOnlySpan<int> flows, long nowMs)
    {
        int counted = 0;
        for (int i = 0; i < flows.Length; i++)
        {
            if (flows[i] >= 0)
            {
                Count(flows[i] & FlowBits, batch[i].Length, (byte)(flows[i] >> TcpFlagsShift), nowMs);
                counted++;
            }
        }

        return counted;
    }
}
