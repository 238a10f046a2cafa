using System.ComponentModel;
using System.Runtime.CompilerServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <summary>The counters of a pipeline's flows during a batch. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly ref struct FlowCounters
{
    // Those of packets without a flow stand before it.
    private readonly ref FlowStats _first;
    private readonly long _nowMs;

    internal FlowCounters(ref FlowStats first, long nowMs)
    {
        _first = ref first;
        _nowMs = nowMs;
    }

    /// <summary>Counts a packet for its flow.</summary>
    /// <param name="flow">The number of the flow, which is not checked; -1 for none.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="tcpFlags">Its TCP flags.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Count(int flow, ref Packet packet, byte tcpFlags)
    {
        // In bounds: the generated code gives numbers of its own flows, and there is a counter for each.
        ref FlowStats stats = ref Unaligned.At(ref _first, flow);
        stats.Packets++;
        stats.Bytes += (uint)packet.Length;
        stats.TcpFlags |= tcpFlags;
        stats.UsedAtMs = _nowMs;
    }
}
