using Engine.Flows;
using Engine.Packets;

namespace Engine.Datapaths;

/// <summary>What packets of a datapath go through before the flow table. One for all workers; asked once for each batch.</summary>
internal abstract unsafe class PipelineStage
{
    /// <summary>Takes a batch, and gives what it does not match to <see cref="Datapath.ProcessByTable"/>, in the order of the packets.</summary>
    public abstract void Process(Worker worker, uint inPort, ref PacketBatch batch);

    /// <summary>Takes a packet that goes round again, if it matches its key.</summary>
    /// <returns>False, with nothing done, when it does not.</returns>
    public abstract bool TryProcessAgain(Worker worker, Packet* packet, ref FlowKey key);
}
