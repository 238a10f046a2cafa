using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Actions;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Upcalls;
using Engine.Vports;

namespace Engine.Datapaths;

/// <summary>One thread's share of a datapath: packet memory, flow cache, scratch space, counters, and the rounds it makes.</summary>
/// <remarks>Threads: everything here is for one thread at a time; only the counters are read by others.</remarks>
public sealed unsafe class Worker : IUpcallReply, IDisposable
{
    private readonly LineAlignedArray<FlowKey> _keys = new(PacketBatch.Capacity);
    private readonly List<TransmitQueue> _waiting = new(16);
    private readonly ulong[] _drops = new ulong[Enum.GetValues<DropReason>().Length];
    private DatapathStats _stats;
    private uint _random = 0x9e37_79b9;

    internal Worker(Datapath datapath, int index, DatapathOptions options)
    {
        Datapath = datapath;
        Index = index;
        Pool = new PacketPool(options.FrameCount, options.FrameSize);
        Cache = options.CacheEntries > 0 ? new FlowCache(datapath.Flows.Records, options.CacheEntries) : null;
        Upcalls = new UpcallQueue(options.UpcallCapacity);
        ActionContext = new ActionContext();

        // The array is pinned and lives as long as the worker.
        PinnedKeys = (FlowKey*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(_keys.Span));
        Now = Environment.TickCount64;
    }

    /// <summary>The datapath this worker is part of.</summary>
    public Datapath Datapath { get; }

    /// <summary>0 for the first worker.</summary>
    public int Index { get; }

    /// <summary>Where the worker's packets live.</summary>
    public PacketPool Pool { get; }

    /// <summary>Upcalls that wait for the handler.</summary>
    public UpcallQueue Upcalls { get; }

    internal FlowCache? Cache { get; }

    internal ActionContext ActionContext { get; }

    /// <summary>The tunnel keys of this round's packets.</summary>
    internal TunnelKeys Tunnels { get; } = new();

    /// <summary>One key for each packet of a batch; between batches they hold the old ones.</summary>
    internal Span<FlowKey> Keys => _keys.Span;

    /// <summary><see cref="Keys"/> as a pointer, for the packet path.</summary>
    internal FlowKey* PinnedKeys { get; }

    /// <summary>Milliseconds of the monotonic clock at the start of the round.</summary>
    internal long Now { get; private set; }

    internal ref DatapathStats Stats => ref _stats;

    /// <summary>Upcalls handed to the handler.</summary>
    public ulong UpcallCount { get; private set; }

    /// <summary>One round for one port: receives a batch, processes it, sends what came out of it, delivers upcalls.</summary>
    /// <returns>Packets received.</returns>
    public int Poll(Vport vport)
    {
        ArgumentNullException.ThrowIfNull(vport);
        return Poll(vport, vport.Driver);
    }

    /// <summary>One round for one of the ways into a port.</summary>
    /// <returns>Packets received.</returns>
    public int Poll(Vport vport, IVportDriver ring)
    {
        ArgumentNullException.ThrowIfNull(vport);
        ArgumentNullException.ThrowIfNull(ring);
        PacketBatch batch = default;
        if (vport.Tunnel is not null && ring is ITunnelReceiver tunnel)
        {
            tunnel.Receive(Pool, ref batch, Keys, _drops);
        }
        else
        {
            ring.Receive(Pool, ref batch);
        }

        int count = batch.Count;
        if (count != 0)
        {
            TakeTime();
            CountReceived(vport, ref batch);
            Datapath.Process(this, vport.Number, ref batch, isTunneled: vport.Tunnel is not null);
        }

        Flush();
        return count;
    }

    /// <summary>Sends what waits in the transmit queues, and hands what waits in the upcall queue to the handler, until nothing does.</summary>
    public void Flush()
    {
        Transmit();
        if (Upcalls.Count != 0)
        {
            DeliverUpcalls();
        }

        Tunnels.Clear();
    }

    /// <inheritdoc/>
    public Errno Execute(ref Upcall upcall, FlowActions actions)
    {
        ArgumentNullException.ThrowIfNull(actions);
        Packet* packet = upcall.Packet;
        if (packet == null)
        {
            return Errno.InvalidArgument;
        }

        packet->Trim(upcall.KeptLength);
        upcall.Packet = null;
        return Execute(packet, ref upcall.Key, (ActionList)actions);
    }

    /// <summary>Flows that are hit from now on were used now.</summary>
    internal void TakeTime() => Now = Environment.TickCount64;

    /// <inheritdoc/>
    public void CountLost() => _stats.Lost++;

    /// <summary>Runs actions on a packet of this worker's pool and takes it (OVS_PACKET_CMD_EXECUTE once the key is there).</summary>
    /// <returns>What the first failing action gives, or <see cref="Errno.None"/>.</returns>
    public Errno Execute(Packet* packet, ref FlowKey key, ActionList actions)
    {
        ActionHost host = new(this);
        return ActionExecutor.Execute(actions, packet, ref key, ActionContext, ref host);
    }

    /// <summary>Packets that ended for this reason.</summary>
    public ulong DropsOf(DropReason reason) => Volatile.Read(ref _drops[(int)reason]);

    /// <summary>Frees the packet memory. The worker's thread must have stopped.</summary>
    public void Dispose() => Pool.Dispose();

    /// <summary>Counts a packet's end and frees it.</summary>
    internal void Drop(Packet* packet, DropReason reason)
    {
        _drops[(int)reason]++;
        Pool.Free(packet);
    }

    /// <summary>Counts a packet that ended before it had a frame.</summary>
    internal void CountDrop(DropReason reason) => _drops[(int)reason]++;

    /// <summary>Makes sure that an upcall can be added; else the packet is dropped and the upcall counted as lost.</summary>
    internal bool TryAdmitUpcall(Packet* packet)
    {
        if (Datapath.UpcallHandler is not null && !Upcalls.IsFull)
        {
            return true;
        }

        _stats.Lost++;
        Drop(packet, Datapath.UpcallHandler is null ? DropReason.Miss : DropReason.UpcallQueueFull);
        return false;
    }

    /// <summary>Where packets wait for a port until the next <see cref="Flush"/>, or until there is a batch of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal TransmitQueue QueueOf(Vport vport)
    {
        TransmitQueue queue = vport.QueueOf(Index);
        if (!queue.IsWaiting)
        {
            queue.IsWaiting = true;
            _waiting.Add(queue);
        }

        return queue;
    }

    /// <summary>xorshift32, for the sample action.</summary>
    internal uint NextRandom()
    {
        _random ^= _random << 13;
        _random ^= _random >> 17;
        _random ^= _random << 5;
        return _random;
    }

    private void CountReceived(Vport vport, ref PacketBatch batch)
    {
        ulong bytes = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            bytes += (uint)batch[i].Length;
        }

        ref VportStats stats = ref vport.StatsOf(Index);
        stats.RxPackets += (uint)batch.Count;
        stats.RxBytes += bytes;
    }

    private void Transmit()
    {
        foreach (TransmitQueue queue in _waiting)
        {
            queue.IsWaiting = false;
            queue.Flush(Pool, _drops);
        }

        _waiting.Clear();
    }

    private void DeliverUpcalls()
    {
        while (Upcalls.Count != 0)
        {
            ref Upcall upcall = ref Upcalls.Take();
            UpcallCount++;
            Datapath.UpcallHandler?.Handle(ref upcall, this);
            if (upcall.Packet != null)
            {
                Pool.Free(upcall.Packet);
                upcall.Packet = null;
            }

            // A handler that sends packets on may cause more upcalls: send in between, so that frames come back.
            Transmit();
        }
    }
}
