using System.Diagnostics.CodeAnalysis;
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

    /// <summary><see cref="Process(Worker, uint, ref PacketBatch)"/>, also of packets of a tunnel, whose outer headers are in the worker's keys.</summary>
    [SkipLocalsInit]
    internal void Process(Worker worker, uint inPort, ref PacketBatch batch, bool isTunneled)
    {
        ArgumentNullException.ThrowIfNull(worker);
        Span<FlowKey> keys = worker.Keys;
        Span<uint> hashes = stackalloc uint[PacketBatch.Capacity];

        Extract(worker, inPort, ref batch, keys, isTunneled);
        Hash(batch.Count, keys, hashes);

        FlowArray found = default;
        Span<Flow?> flows = found;
        FindCached(worker, keys[..batch.Count], hashes, flows);

        // Packets keep their order: neighbours with one flow are executed together, a group never overtakes another.
        int count = batch.Count;
        for (int start = 0; start < count;)
        {
            Flow? flow = flows[start] ?? Find(worker, in keys[start], hashes[start]);
            int end = start + 1;
            if (flow is null)
            {
                Miss(worker, batch.Pointer(start), in keys[start]);
            }
            else
            {
                while (end < count && flows[end] == flow)
                {
                    end++;
                }

                Execute(worker, flow, ref batch, keys, start, end);
            }

            start = end;
        }

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
        Flow? flow = Find(worker, in key, FlowCache.Hash(in key));
        if (flow is null)
        {
            Miss(worker, packet, in key);
            return;
        }

        Count(worker, flow, 1, (uint)packet->Length, key.TcpFlags.Value);
        worker.Execute(packet, ref key, (ActionList)flow.Actions);
    }

    // Fills keys[0..batch.Count); a packet without a key is dropped and leaves the batch.
    private static void Extract(Worker worker, uint inPort, ref PacketBatch batch, Span<FlowKey> keys, bool isTunneled)
    {
        uint bad = isTunneled ? FlowKeyExtractor.ReceiveTunneledBatch(ref batch, keys, inPort) : FlowKeyExtractor.ReceiveBatch(ref batch, keys, inPort);
        if (bad != 0)
        {
            DropBad(worker, ref batch, keys, bad);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropBad(Worker worker, ref PacketBatch batch, Span<FlowKey> keys, uint bad)
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

    private static void Hash(int count, Span<FlowKey> keys, Span<uint> hashes)
    {
        keys = keys[..count];
        for (int i = 0; i < keys.Length; i++)
        {
            hashes[i] = FlowCache.Hash(in keys[i]);
        }
    }

    private static void FindCached(Worker worker, ReadOnlySpan<FlowKey> keys, ReadOnlySpan<uint> hashes, Span<Flow?> flows)
    {
        if (worker.Cache is { } cache)
        {
            uint count = (uint)cache.Find(keys, hashes, flows);
            worker.Stats.CacheHit += count;
            worker.Stats.MaskHit += count;
        }
    }

    // The cache first, then one subtable after the other.
    private Flow? Find(Worker worker, in FlowKey key, uint hash)
    {
        FlowCache? cache = worker.Cache;
        ref DatapathStats stats = ref worker.Stats;
        if (cache?.Find(in key, hash) is { } cached)
        {
            stats.CacheHit++;
            stats.MaskHit++;
            return cached;
        }

        Flow? flow = Flows.Lookup(in key, out int masksVisited);
        stats.MaskHit += (uint)masksVisited;
        if (flow is not null)
        {
            cache?.Insert(hash, flow);
        }

        return flow;
    }

    // Executes packets start..end of the batch, which all matched the flow.
    private static void Execute(Worker worker, Flow flow, ref PacketBatch batch, Span<FlowKey> keys, int start, int end)
    {
        ulong bytes = 0;
        uint tcpFlags = 0;
        for (int i = start; i < end; i++)
        {
            bytes += (uint)batch.Pointer(i)->Length;
            tcpFlags |= keys[i].TcpFlags.Value;
        }

        Count(worker, flow, end - start, bytes, tcpFlags);
        ActionList actions = (ActionList)flow.Actions;
        ActionHost host = new(worker);
        if (actions.SingleOutputPort >= 0)
        {
            host.OutputRun(ref batch, keys, start, end, (uint)actions.SingleOutputPort);
            return;
        }

        for (int i = start; i < end; i++)
        {
            ActionExecutor.Execute(actions, batch.Pointer(i), ref keys[i], worker.ActionContext, ref host);
        }
    }

    private static void Count(Worker worker, Flow flow, int packets, ulong bytes, uint tcpFlags)
    {
        worker.Stats.Hit += (uint)packets;
        ref FlowStats stats = ref flow.StatsOf(worker.Index);
        stats.Packets += (uint)packets;
        stats.Bytes += bytes;
        stats.UsedAtMs = worker.Now;
        stats.TcpFlags |= (byte)tcpFlags;
    }

    private static void Miss(Worker worker, Packet* packet, in FlowKey key)
    {
        worker.Stats.Missed++;
        if (worker.TryAdmitUpcall(packet))
        {
            worker.Upcalls.Add(packet, in key, UpcallCommand.Miss);
        }
    }

    [InlineArray(PacketBatch.Capacity)]
    private struct FlowArray
    {
        [SuppressMessage("Style", "IDE0044:Add readonly modifier", Justification = "The element of an inline array.")]
        private Flow? _first;
    }
}
