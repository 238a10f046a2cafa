using System.Runtime.CompilerServices;
using Engine.Packets;

namespace Engine.Vports;

/// <summary>Packets of one worker that wait to leave by one port.</summary>
/// <remarks>Threads: one worker.</remarks>
public sealed unsafe class TransmitQueue
{
    private readonly Vport _vport;
    private readonly IVportDriver _channel;
    private readonly Lock? _gate;
    private readonly int _worker;
    private PacketBatch _batch;
    private ulong _bytes;
    private int _refused;

    /// <summary>Makes an empty queue.</summary>
    /// <param name="vport">Where the packets are counted.</param>
    /// <param name="channel">The worker's way out.</param>
    /// <param name="gate">Held for each batch when workers share the way out; else null.</param>
    /// <param name="worker">The worker.</param>
    internal TransmitQueue(Vport vport, IVportDriver channel, Lock? gate, int worker)
    {
        _vport = vport;
        _channel = channel;
        _gate = gate;
        _worker = worker;
    }

    /// <summary>Whether the worker has it on its list of queues to flush.</summary>
    internal bool IsWaiting { get; set; }

    /// <summary>Adds a packet; a full batch is sent first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(PacketPool pool, Packet* packet)
    {
        if (_batch.IsFull)
        {
            Send(pool);
        }

        _bytes += (uint)packet->Length;
        _batch.Add(packet);
    }

    /// <summary>Sends what waits.</summary>
    /// <returns>How many packets the driver has refused since the last call.</returns>
    public int Flush(PacketPool pool)
    {
        if (_batch.Count != 0)
        {
            Send(pool);
        }

        int refused = _refused;
        _refused = 0;
        return refused;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Send(PacketPool pool)
    {
        int count = _batch.Count;
        int sent;
        if (_gate is null)
        {
            sent = _channel.Transmit(pool, ref _batch);
        }
        else
        {
            lock (_gate)
            {
                sent = _channel.Transmit(pool, ref _batch);
            }
        }

        _batch.Clear();
        _refused += count - sent;
        ref VportStats stats = ref _vport.StatsOf(_worker);
        stats.TxPackets += (uint)sent;
        stats.TxDropped += (uint)(count - sent);

        // Which packets a full ring refused is not known: their share of the bytes is taken off.
        stats.TxBytes += sent == count ? _bytes : _bytes * (uint)sent / (uint)count;
        _bytes = 0;
    }
}
