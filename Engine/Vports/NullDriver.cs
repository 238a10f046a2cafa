using Engine.Packets;

namespace Engine.Vports;

/// <summary>Discards what is sent to it and never receives. Costs a benchmark no more than giving the frames back.</summary>
/// <remarks>Threads: as <see cref="IVportDriver"/>.</remarks>
public sealed class NullDriver : IVportDriver
{
    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
    }

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        int count = batch.Count;
        pool.Free(ref batch);
        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
