using Engine.Actions;
using Engine.Flows;
using Engine.Packets;

namespace Engine.Pipelines;

/// <summary>What a compiled pipeline asks of its surroundings: what actions ask, and where the packets came from, counters, misses.</summary>
/// <remarks>Threads: one thread calls a host at a time.</remarks>
public unsafe interface IPipelineHost : IActionHost
{
    /// <summary>The port by which the batch came.</summary>
    uint InPort { get; }

    /// <summary>What executing lists of the general kind needs.</summary>
    ActionContext Context { get; }

    /// <summary>Room for the key of packet <paramref name="index"/> of the batch; holds anything.</summary>
    ref FlowKey KeyOf(int index);

    /// <summary>Counts a packet for a flow.</summary>
    /// <param name="flow">Number of the flow, from 0.</param>
    /// <param name="length">Bytes of the packet.</param>
    /// <param name="tcpFlags">Its TCP flags.</param>
    void Count(int flow, int length, byte tcpFlags);

    /// <summary>Counts packets for their flows, before their actions.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="flows">For each of its packets the flow, with its TCP flags from bit 16 on; a packet with a number below 0 is not counted.</param>
    void Count(ref PacketBatch batch, ReadOnlySpan<int> flows);

    /// <summary>Sends packets of a batch to a port, in their order, and takes them.</summary>
    /// <param name="batch">The batch; the packets stay in it.</param>
    /// <param name="packets">Bit i is set for packet i; 0 for none.</param>
    /// <param name="port">The port.</param>
    void Output(ref PacketBatch batch, uint packets, uint port);

    /// <summary>Sends the packet to a port and takes it, as <see cref="IActionHost.Output"/>; its key is not known.</summary>
    void Output(Packet* packet, uint port);

    /// <summary>Takes packets that no flow matched.</summary>
    /// <param name="batch">The batch; the packets stay in it.</param>
    /// <param name="start">The first of them.</param>
    /// <param name="end">Behind the last.</param>
    void Miss(ref PacketBatch batch, int start, int end);
}
