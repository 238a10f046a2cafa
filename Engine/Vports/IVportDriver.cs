using Engine.Packets;

namespace Engine.Vports;

/// <summary>The seam between a vport and the outside: rings, sockets, captures, memory.</summary>
/// <remarks>
/// Threads: one worker receives. Another may transmit meanwhile, one at a time, unless the driver is given out as the ring and the channel of
/// one worker (<see cref="VportDevice.Channels"/>). No call blocks.
/// </remarks>
public interface IVportDriver : IDisposable
{
    /// <summary>Adds the packets that are ready, in order, until the batch is full.</summary>
    /// <param name="pool">Where frames are taken from.</param>
    /// <param name="batch">Gets the packets; they belong to the caller afterwards.</param>
    void Receive(PacketPool pool, ref PacketBatch batch);

    /// <summary>Sends every packet of the batch in order and takes them: a packet is freed to <paramref name="pool"/> when it is out. The batch is empty afterwards.</summary>
    /// <returns>How many were sent; the others were dropped because the outside did not take them.</returns>
    int Transmit(PacketPool pool, ref PacketBatch batch);

    /// <summary>Whether something is left that only the next <see cref="Receive"/> goes on with: a worker looks again soon, without waiting for a packet.</summary>
    bool IsBehind => false;

    /// <summary>Adds what only the driver counts: frames lost before a packet was made of them, bad frames.</summary>
    /// <remarks>Threads: the control thread, while a worker runs the driver.</remarks>
    void AddStats(ref VportStats stats)
    {
    }
}
