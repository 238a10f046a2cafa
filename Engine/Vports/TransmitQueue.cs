using Engine.Packets;

namespace Engine.Vports;

/// <summary>Packets of one worker that wait to leave by one port.</summary>
/// <remarks>Threads: one worker.</remarks>
public sealed unsafe class TransmitQueue
{
    private readonly Vport _vport;
    private readonly int _worker;
    private PacketBatch _batch;
    private ulong _bytes;

    internal TransmitQueue(Vport vport, int worker)
    {
        _vport = vport;
        _worker = worker;
    }

    /// <summary>Whether nothing waits.</summary>
    public bool IsEmpty => _batch.Count == 0;

    /// <summary>Adds a packet; a full batch is sent first.</summary>
    public void Add(PacketPool pool, Packet* packet)
    {
        if (_batch.IsFull)
        {
            Flush(pool);
        }

        _bytes += (uint)packet->Length;
        _batch.Add(packet);
    }

    /// <summary>Sends what waits.</summary>
    /// <returns>How many packets the driver did not take.</returns>
    public int Flush(PacketPool pool)
    {
        int count = _batch.Count;
        ulong bytes = _bytes;
        _bytes = 0;
        int sent = _vport.Driver.Transmit(pool, ref _batch);
        _batch.Clear();
        ref VportStats stats = ref _vport.StatsOf(_worker);
        stats.TxPackets += (uint)sent;
        stats.TxDropped += (uint)(count - sent);

        // Which packets a full ring refused is not known: their share of the bytes is taken off.
        stats.TxBytes += sent == count ? bytes : bytes * (uint)sent / (uint)count;
        return count - sent;
    }
}
