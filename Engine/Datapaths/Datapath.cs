using System.Numerics;
using System.Runtime.CompilerServices;
using Engine.Actions;
using Engine.Flows;
using Engine.Meters;
using Engine.Packets;
using Engine.Primitives;
using Engine.Upcalls;
using Engine.Vports;

namespace Engine.Datapaths;

/// <summary>Ports, flows and workers: what happens to a packet, from the port it came by to the port it leaves by.</summary>
/// <remarks>
/// Threads: each worker processes packets on its own thread; ports and flows are changed by one control thread, at any time.
/// </remarks>
public sealed unsafe class Datapath : IDisposable
{
    private readonly Worker[] _workers;

    /// <summary>Makes a datapath without ports and flows.</summary>
    public Datapath(DatapathOptions? options = null)
    {
        options ??= new DatapathOptions();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.WorkerCount);
        Flows = new FlowTable(options.WorkerCount);
        Vports = new VportTable();
        _workers = new Worker[options.WorkerCount];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new Worker(this, i, options);
        }
    }

    /// <summary>The flows.</summary>
    public FlowTable Flows { get; }

    /// <summary>The ports.</summary>
    public VportTable Vports { get; }

    /// <summary>The meters.</summary>
    public MeterTable Meters { get; } = new();

    /// <summary>The workers; there is at least one.</summary>
    public IReadOnlyList<Worker> Workers => _workers;

    /// <summary>Gets the packets that no flow matched; without one they are dropped as <see cref="DropReason.Miss"/>.</summary>
    public IUpcallHandler? UpcallHandler { get; set; }

    /// <summary>What packets go through before the flow table; null for nothing.</summary>
    internal PipelineStage? Pipeline { get; set; }

    /// <summary>Makes a port and adds it.</summary>
    /// <returns>EEXIST when the name is taken, EBUSY when the number is.</returns>
    public Refusal AddVport(uint number, string name, VportType type, IVportDriver driver, out Vport vport)
    {
        vport = new Vport(number, name, type, driver, _workers.Length);
        return Vports.TryAdd(vport);
    }

    /// <summary>Takes a batch of packets that came by one port and sees each of them out: by a port, up, or dropped with a reason.</summary>
    /// <param name="worker">The worker whose pool the packets are of; the caller runs on its thread.</param>
    /// <param name="inPort">Number of the port they came by.</param>
    /// <param name="batch">The packets, which are taken. What leaves by a port waits until <see cref="Worker.Flush"/>.</param>
    public void Process(Worker worker, uint inPort, ref PacketBatch batch) => Process(worker, inPort, ref batch, isTunneled: false);

    /// <summary>
    /// <see cref="Process(Worker, uint, ref PacketBatch)"/>, also of packets of a tunnel, whose outer headers are in the worker's keys. Those
    /// pass by the pipeline.
    /// </summary>
    internal void Process(Worker worker, uint inPort, ref PacketBatch batch, bool isTunneled)
    {
        ArgumentNullException.ThrowIfNull(worker);
        if (!isTunneled && Pipeline is { } pipeline)
        {
            pipeline.Process(worker, inPort, ref batch);
        }
        else
        {
            ProcessByTable(worker, inPort, ref batch, isTunneled);
        }
    }

    /// <summary>The same by the flow table alone.</summary>
    [SkipLocalsInit]
    internal void ProcessByTable(Worker worker, uint inPort, ref PacketBatch batch, bool isTunneled)
    {
        FlowKey* keys = worker.PinnedKeys;
        uint* hashes = stackalloc uint[2 * PacketBatch.Capacity];
        FlowRecord** found = stackalloc FlowRecord*[PacketBatch.Capacity];

        bool isOutermost = Flows.Readers.Enter(worker.Index);
        Extract(worker, inPort, ref batch, keys, isTunneled);
        uint missing = FindCached(worker, keys, hashes, found, batch.Count);
        if (missing != 0)
        {
            missing = FindInTable(worker, keys, hashes, found, missing);
        }

        worker.Stats.Hit += (uint)(batch.Count - BitOperations.PopCount(missing));

        Execute(worker, ref batch, keys, found);
        Flows.Readers.Leave(worker.Index, isOutermost);
        batch.Clear();
    }

    /// <summary>The counters of all workers.</summary>
    public DatapathStats ReadStats()
    {
        DatapathStats sum = default;
        foreach (Worker worker in _workers)
        {
            sum.Add(in worker.Stats);
        }

        return sum;
    }

    /// <summary>Packets of all workers that ended for this reason.</summary>
    public ulong DropsOf(DropReason reason)
    {
        ulong sum = 0;
        foreach (Worker worker in _workers)
        {
            sum += worker.DropsOf(reason);
        }

        return sum;
    }

    /// <summary>Closes the ports and frees the memory. All workers must have stopped.</summary>
    public void Dispose()
    {
        foreach (Vport vport in Vports.ToArray())
        {
            Vports.Remove(vport);
            vport.Driver.Dispose();
        }

        foreach (Worker worker in _workers)
        {
            worker.Dispose();
        }
    }

    /// <summary>Looks a packet up by the key it has now and executes what it finds: recirculation. Takes the packet.</summary>
    internal void ProcessAgain(Worker worker, Packet* packet, ref FlowKey key)
    {
        if (Pipeline is { } pipeline && pipeline.TryProcessAgain(worker, packet, ref key))
        {
            return;
        }

        bool isOutermost = Flows.Readers.Enter(worker.Index);
        FlowRecord* record = FindAgain(worker, ref key);
        if (record == null)
        {
            Miss(worker, packet, in key);
        }
        else
        {
            worker.Stats.Hit++;
            Count(worker, record, 1, (uint)packet->Length, key.TcpFlags.Raw);
            worker.Execute(packet, ref key, ActionsOf(record));
        }

        Flows.Readers.Leave(worker.Index, isOutermost);
    }

    // Fills keys[0..batch.Count); a packet without a key is dropped and leaves the batch.
    private static void Extract(Worker worker, uint inPort, ref PacketBatch batch, FlowKey* keys, bool isTunneled)
    {
        Span<FlowKey> all = worker.Keys;
        uint bad = isTunneled ? FlowKeyExtractor.ReceiveTunneledBatch(ref batch, all, inPort) : FlowKeyExtractor.ReceiveBatch(ref batch, all, inPort);
        if (bad != 0)
        {
            DropBad(worker, ref batch, keys, bad);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropBad(Worker worker, ref PacketBatch batch, FlowKey* keys, uint bad)
    {
        PacketBatch good = default;
        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);
            if ((bad >> i & 1) != 0)
            {
                worker.Drop(packet, FlowKeyExtractor.ReasonOfFailure(packet));
                continue;
            }

            if (good.Count != i)
            {
                keys[good.Count] = keys[i];
            }

            good.Add(packet);
        }

        batch = good;
    }

    // Fills found[0..count). Bit i of the result is set when packet i has none.
    private static uint FindCached(Worker worker, FlowKey* keys, uint* hashes, FlowRecord** found, int count)
    {
        uint all = (uint)((1UL << count) - 1);
        if (worker.Cache is not { } cache)
        {
            new Span<nint>(found, count).Clear();
            return all;
        }

        int known = cache.FindRun(keys, found, count);
        uint missing = 0;
        if (known != count)
        {
            cache.Hash(keys, hashes, known, count);
            missing = cache.Find(keys, hashes, found, known, count);
        }

        uint hits = (uint)BitOperations.PopCount(all & ~missing);
        worker.Stats.CacheHit += hits;
        worker.Stats.MaskHit += hits;
        return missing;
    }

    // One subtable after the other, for all packets that the cache did not know. Behind the hashes is room for as many again.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private uint FindInTable(Worker worker, FlowKey* keys, uint* hashes, FlowRecord** found, uint missing)
    {
        uint none = Flows.Lookup(keys, missing, found, hashes + PacketBatch.Capacity, out uint masksVisited);
        worker.Stats.MaskHit += masksVisited;
        if (worker.Cache is { } cache)
        {
            for (uint left = missing & ~none; left != 0; left &= left - 1)
            {
                int i = BitOperations.TrailingZeroCount(left);
                cache.Insert(hashes[i], found[i]->Index);
            }
        }

        return none;
    }

    private FlowRecord* FindAgain(Worker worker, ref FlowKey key)
    {
        uint hash = FlowCache.Hash(in key);
        ref DatapathStats stats = ref worker.Stats;
        FlowRecord* found = worker.Cache is { } cache ? cache.Find(in key, hash) : null;
        if (found != null)
        {
            stats.CacheHit++;
            stats.MaskHit++;
            return found;
        }

        // The key does not move meanwhile: it is on a stack, in pinned memory, or pinned here.
        fixed (FlowKey* pinned = &key)
        {
            uint scratch;
            Flows.Lookup(pinned, 1, &found, &scratch, out uint masksVisited);
            stats.MaskHit += masksVisited;
        }

        if (found != null)
        {
            worker.Cache?.Insert(hash, found->Index);
        }

        return found;
    }

    // Packets keep their order. Neighbours with one flow are counted together, neighbours with one port leave together, whatever their flows
    // are; nobody overtakes another.
    private void Execute(Worker worker, ref PacketBatch batch, FlowKey* keys, FlowRecord** found)
    {
        ActionHost host = new(worker);
        int count = batch.Count;
        OutputRun run = new(0, FlowRecord.NoOutput);
        for (int i = 0; i < count;)
        {
            FlowRecord* record = found[i];
            int port = record == null ? FlowRecord.NoOutput : Volatile.Read(ref record->Output);
            if (port != run.Port)
            {
                Output(ref host, ref batch, keys, ref run, i, port);
            }

            if (record == null)
            {
                Miss(worker, batch.Pointer(i), in keys[i]);
                i++;
                continue;
            }

            int start = i;
            ulong bytes = 0;
            uint tcpFlags = 0;
            do
            {
                Packet* packet = batch.Pointer(i);
                int length = packet->Length;
                bytes += (uint)length;
                run.LongestPacket = Math.Max(run.LongestPacket, length);
                run.HasBarePacket |= !packet->HasEthernet;
                tcpFlags |= keys[i].TcpFlags.Raw;
            }
            while (++i < count && found[i] == record);

            Count(worker, record, (uint)(i - start), bytes, tcpFlags);
            if (port >= 0)
            {
                run.Bytes += bytes;
                run.End = i;
            }
            else
            {
                Execute(worker, ref host, ref batch, keys, ActionsOf(record), start, i);
            }
        }

        Output(ref host, ref batch, keys, ref run, count, FlowRecord.NoOutput);
    }

    // Sends a run on, if it is one, and begins the next.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Output(ref ActionHost host, ref PacketBatch batch, FlowKey* keys, ref OutputRun run, int start, int port)
    {
        if (!run.IsEmpty)
        {
            host.Output(ref batch, new ReadOnlySpan<FlowKey>(keys, batch.Count), in run);
        }

        run = new OutputRun(start, port);
    }

    private static void Execute(Worker worker, ref ActionHost host, ref PacketBatch batch, FlowKey* keys, ActionList actions, int start, int end)
    {
        if (actions.SingleTunnel is { } tunnel)
        {
            host.OutputByTunnel(ref batch, new ReadOnlySpan<FlowKey>(keys, batch.Count), start, end, actions.SingleTunnelPort, tunnel);
            return;
        }

        for (int i = start; i < end; i++)
        {
            ActionExecutor.Execute(actions, batch.Pointer(i), ref keys[i], worker.ActionContext, ref host);
        }
    }

    // A record that was found in this batch belongs to its flow until the batch is done.
    private ActionList ActionsOf(FlowRecord* record) => (ActionList)Flows.Records.FlowOf(record->Index)!.Actions;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Count(Worker worker, FlowRecord* record, uint packets, ulong bytes, uint tcpFlagsOnWire)
    {
        FlowStats* stats = record->Stats + (worker.Index * FlowRecords.ChunkSize);
        stats->Packets += packets;
        stats->Bytes += bytes;
        stats->UsedAtMs = worker.Now;
        stats->TcpFlags |= (byte)Be16.FromRaw((ushort)tcpFlagsOnWire).Value;
    }

    private static void Miss(Worker worker, Packet* packet, in FlowKey key)
    {
        worker.Stats.Missed++;
        if (worker.TryAdmitUpcall(packet))
        {
            worker.Upcalls.Add(packet, in key, UpcallCommand.Miss);
        }
    }
}
