using Engine.Packets;

namespace Engine.Pipelines;

/// <summary>A compiled pipeline, as a type argument. Implemented by the generator.</summary>
public interface IPipeline
{
    /// <summary>The flows as data.</summary>
    static abstract PipelineTable Table { get; }

    /// <summary>Takes a batch of packets that came by one port: executes those that a flow matches, gives the others to the host.</summary>
    /// <param name="batch">The packets, which are taken; empty afterwards.</param>
    /// <param name="host">Where they came from and what becomes of them.</param>
    static abstract void Process<THost>(ref PacketBatch batch, ref THost host)
        where THost : struct, IPipelineHost;
}
