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

    /// <summary>Room for what is found for the batch; holds what was found for the last one.</summary>
    ref FoundFlows Found { get; }

    /// <summary>The counters of the flows, for this batch.</summary>
    FlowCounters Counters { get; }

    /// <summary>Room for the key of packet <paramref name="index"/> of the batch; holds anything.</summary>
    ref FlowKey KeyOf(int index);

    /// <summary>Counts packets that some flow has matched, besides the <see cref="Counters"/> of the flow.</summary>
    /// <param name="packets">How many.</param>
    void CountHits(int packets);

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
