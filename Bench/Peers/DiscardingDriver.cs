using Engine.Packets;
using Engine.Vports;

namespace Bench.Peers;

/// <summary>Discards what is sent to it, as <see cref="NullDriver"/>; for a sample, keeps a copy.</summary>
internal sealed class DiscardingDriver : IVportDriver
{
    /// <summary>Gets copies of the packets while it is set.</summary>
    public List<byte[]>? Sample { get; set; }

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
    }

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch)
    {
        int count = batch.Count;
        for (int i = 0; Sample is not null && i < count; i++)
        {
            Sample.Add(batch[i].Bytes.ToArray());
        }

        pool.Free(ref batch);
        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
