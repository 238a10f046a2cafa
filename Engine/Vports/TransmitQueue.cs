using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Flows;
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

    // Of a tunnel port only: the tunnel of each packet of the batch, and drops by reason.
    private readonly TunnelKey?[]? _tunnels;
    private readonly ulong[]? _drops;
    private Waiting _waiting;

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
        if (vport.Tunnel is not null)
        {
            _tunnels = new TunnelKey?[PacketBatch.Capacity];
            _drops = new ulong[Enum.GetValues<DropReason>().Length];
        }
    }

    /// <summary>Whether the worker has it on its list of queues to flush.</summary>
    internal bool IsWaiting
    {
        get => _waiting.IsListed;
        set => _waiting.IsListed = value;
    }

    /// <summary>Adds a packet; a full batch is sent first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(PacketPool pool, Packet* packet)
    {
        if (_waiting.Batch.IsFull)
        {
            Send(pool);
        }

        _waiting.Bytes += (uint)packet->Length;
        _waiting.Batch.Add(packet);
    }

    /// <summary>Adds packets, at most a batch of them; when they do not all find room, what waits is sent first.</summary>
    /// <param name="pool">Where the packets are of.</param>
    /// <param name="packets">The packets.</param>
    /// <param name="bytes">Their length together.</param>
    internal void AddRun(PacketPool pool, ReadOnlySpan<nint> packets, ulong bytes)
    {
        if (_waiting.Batch.Count + packets.Length > PacketBatch.Capacity)
        {
            Send(pool);
        }

        _waiting.Bytes += bytes;
        _waiting.Batch.AddRange(packets);
    }

    /// <summary>Adds packets of a batch, in their order, if all have an Ethernet header and none is longer than <paramref name="longest"/>; else none.</summary>
    /// <param name="pool">Where the packets are of.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="packets">Bit i is set for packet i.</param>
    /// <param name="longest">Bytes of the longest packet that the port takes as it is.</param>
    internal bool TryAdd(PacketPool pool, ref PacketBatch batch, uint packets, int longest)
    {
        if (_waiting.Batch.Count + BitOperations.PopCount(packets) > PacketBatch.Capacity)
        {
            Send(pool);
        }

        return _waiting.Batch.TryAdd(ref batch, packets, longest, ref _waiting.Bytes);
    }

    /// <summary><see cref="Add(PacketPool, Packet*)"/> for a tunnel port.</summary>
    internal void Add(PacketPool pool, Packet* packet, TunnelKey tunnel)
    {
        Add(pool, packet);

        // Mostly it is the same as last time in this place: then nothing is stored, and the collector need not be told (TunnelBench).
        ref TunnelKey? place = ref _tunnels![_waiting.Batch.Count - 1];
        if (place != tunnel)
        {
            place = tunnel;
        }
    }

    /// <summary>Sends what waits.</summary>
    /// <param name="pool">Where the packets are of.</param>
    /// <param name="drops">Counts, by <see cref="DropReason"/>, what the driver has refused since the last call.</param>
    internal void Flush(PacketPool pool, Span<ulong> drops)
    {
        if (_waiting.Batch.Count != 0)
        {
            Send(pool);
        }

        drops[(int)DropReason.TransmitQueueFull] += (uint)_waiting.Refused;
        _waiting.Refused = 0;
        if (_drops is not null)
        {
            for (int i = 0; i < _drops.Length; i++)
            {
                drops[i] += _drops[i];
            }

            Array.Clear(_drops);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Send(PacketPool pool)
    {
        int count = _waiting.Batch.Count;
        int sent;
        if (_vport.Tunnel is { } tunnel)
        {
            sent = tunnel.Transmit(pool, ref _waiting.Batch, _tunnels, _drops);
        }
        else
        {
            sent = SendPlain(pool);
            _waiting.Refused += count - sent;
        }

        _waiting.Batch.Clear();
        ref VportStats stats = ref _vport.StatsOf(_worker);
        stats.TxPackets += (uint)sent;
        stats.TxDropped += (uint)(count - sent);

        // Which packets a full ring refused is not known: their share of the bytes is taken off.
        stats.TxBytes += sent == count ? _waiting.Bytes : _waiting.Bytes * (uint)sent / (uint)count;
        _waiting.Bytes = 0;
    }

    private int SendPlain(PacketPool pool)
    {
        if (_gate is null)
        {
            return _channel.Transmit(pool, ref _waiting.Batch);
        }

        lock (_gate)
        {
            return _channel.Transmit(pool, ref _waiting.Batch);
        }
    }

    // What the worker writes, with two lines on either side: the queues of a port lie one behind the other, after what all workers read.
    [StructLayout(LayoutKind.Explicit, Size = 128 + 24 + ((PacketBatch.Capacity + 1) * sizeof(ulong)) + 128)]
    private struct Waiting
    {
        [FieldOffset(128)]
        public ulong Bytes;

        [FieldOffset(128 + 8)]
        public int Refused;

        [FieldOffset(128 + 12)]
        public bool IsListed;

        [FieldOffset(128 + 16)]
        public PacketBatch Batch;
    }
}
