using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>The flows of a datapath: a few <see cref="Subtable"/>s, searched one after the other.</summary>
/// <remarks>
/// <para>A look-up must not become slower with every mask, or whoever can make masks can stop the datapath (the tuple space
/// explosion, CVE-2019-25076). So masks that agree in their whole bytes share a subtable, which hashes these bytes alone: 100
/// masks of all prefix lengths need a handful. Once there are more than a few subtables, a mask that fits none shares one that hashes
/// what all masks have in common. A mask whose flows pile up there, because they differ only in bits that are not hashed, gets a
/// subtable of its own. The README of this folder says what that costs and what else was tried.</para>
/// <para>Threads: one writer at a time (the control thread); any number of workers look up without locks. A worker may keep using
/// a flow for the rest of its batch after it was removed.</para>
/// <para>Flows are expected to be disjoint, as Open vSwitch makes them; where they overlap, the first match wins.</para>
/// </remarks>
public sealed unsafe class FlowTable
{
    // A search passes at most this many flows of one hash before their masks are told apart.
    private const int MostOfOneHash = 8;

    // So many subtables are searched one after the other before masks share what they have in common.
    private const int FewSubtables = 8;

    private readonly Dictionary<Ufid, Flow> _byUfid = [];
    private readonly Dictionary<FlowMask, MaskUse> _masks = new(FlowMaskComparer.Instance);
    private readonly Dictionary<FlowMask, Subtable> _bySignature = [];
    private readonly Dictionary<FlowKeySegments, FlowKey> _common = [];
    private readonly FlowRecords _records;

    // Flows of one mask often come in a row: the last one is compared before a mask is prepared.
    private MaskUse? _lastUse;
    private Subtable[] _subtables = [];

    /// <summary>Makes an empty table for flows that are counted by this many workers.</summary>
    public FlowTable(int workerCount = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workerCount);
        Readers = new QuiescentState(workerCount);
        _records = new FlowRecords(Readers);
    }

    /// <summary>Flows in the table.</summary>
    public int Count { get; private set; }

    /// <summary>Different masks in the table.</summary>
    public int MaskCount => _masks.Count;

    /// <summary>Subtables that a look-up goes through, at most <see cref="MaskCount"/>.</summary>
    public int SubtableCount => Volatile.Read(ref _subtables).Length;

    /// <summary>Where workers say when they hold records.</summary>
    internal QuiescentState Readers { get; }

    internal FlowRecords Records => _records;

    /// <summary>Finds the flow that a packet with this key matches. Any thread.</summary>
    /// <param name="key">The key of the packet.</param>
    /// <param name="masksVisited">How many subtables were searched (OVS_DP_MEGAFLOW_STATS mask_hit).</param>
    public Flow? Lookup(in FlowKey key, out int masksVisited)
    {
        Subtable[] subtables;
        do
        {
            subtables = Volatile.Read(ref _subtables);
            for (int i = 0; i < subtables.Length; i++)
            {
                if (subtables[i].Find(in key) is { } flow)
                {
                    masksVisited = i + 1;
                    return flow;
                }
            }

            // A flow may have moved to a subtable that was not there when the search began.
        }
        while (subtables != Volatile.Read(ref _subtables));

        masksVisited = subtables.Length;
        return null;
    }

    /// <summary>Finds the records of those packets of a batch that have none yet.</summary>
    /// <param name="keys">The keys of the batch.</param>
    /// <param name="wanted">Bit i is set when packet i has no flow yet.</param>
    /// <param name="found">Gets the records of the packets that match a flow.</param>
    /// <param name="scratch">Room for one number for each packet.</param>
    /// <param name="masksVisited">How many subtables were searched for all of them together.</param>
    /// <returns>Bit i is set when packet i matches none.</returns>
    /// <remarks>Workers only, between <see cref="QuiescentState.Enter"/> and <see cref="QuiescentState.Leave"/>.</remarks>
    internal uint Lookup(FlowKey* keys, uint wanted, FlowRecord** found, uint* scratch, out uint masksVisited)
    {
        masksVisited = 0;
        Subtable[] subtables;
        do
        {
            subtables = Volatile.Read(ref _subtables);
            for (int i = 0; i < subtables.Length && wanted != 0; i++)
            {
                masksVisited += (uint)BitOperations.PopCount(wanted);
                wanted = subtables[i].Find(keys, wanted, found, scratch);
            }

            // A flow may have moved to a subtable that was not there when the search began.
        }
        while (wanted != 0 && subtables != Volatile.Read(ref _subtables));

        return wanted;
    }

    /// <summary>Finds a flow by the id that user space gave it. Writer only.</summary>
    public Flow? Find(Ufid ufid) => _byUfid.GetValueOrDefault(ufid);

    /// <summary>Finds the flow whose identity is this unmasked key. Writer only.</summary>
    /// <remarks>The kernel's <c>ovs_flow_tbl_lookup_exact</c>: every mask is tried, because the key alone does not tell it.</remarks>
    public Flow? FindExact(in FlowKey key)
    {
        foreach (Subtable subtable in _subtables)
        {
            if (subtable.FindExact(in key) is { } flow)
            {
                return flow;
            }
        }

        return null;
    }

    /// <summary>Adds a flow, or replaces the actions of the one that is there (OVS_FLOW_CMD_NEW). Writer only.</summary>
    /// <param name="key">The key, not necessarily masked.</param>
    /// <param name="mask">Which bits matter.</param>
    /// <param name="actions">What to do.</param>
    /// <param name="ufid">The id, or default if the key is the identity.</param>
    /// <param name="mode">Whether an existing flow may be replaced.</param>
    /// <param name="flow">The flow that was added or changed; null when refused.</param>
    /// <returns>EEXIST for a flow that is there when it may not be replaced; ENOENT when another flow stands in its place.</returns>
    public Refusal Put(in FlowKey key, in FlowKey mask, FlowActions actions, Ufid ufid, FlowPutMode mode, out Flow? flow)
    {
        ArgumentNullException.ThrowIfNull(actions);
        flow = null;
        // The kernel looks for the key as it was given, bits outside of the mask included.
        Flow? existing = (ufid.IsPresent ? Find(ufid) : null) ?? LookupCold(in key);
        if (existing is null)
        {
            flow = Add(in key, in mask, actions, ufid);
            return Refusal.None;
        }

        if (mode == FlowPutMode.CreateOnly)
        {
            return new Refusal(Errno.Exists, "A flow with this identity or key exists");
        }

        // The identity has to be the same; a flow that merely overlaps is not it.
        if (existing.Ufid.IsPresent ? !existing.KeyEquals(in key) : !existing.UnmaskedKeyEquals(in key))
        {
            existing = existing.Ufid.IsPresent ? null : FindExact(in key);
            if (existing is null)
            {
                return new Refusal(Errno.NoEntry, "Another flow covers this key");
            }
        }

        existing.ReplaceActions(actions);
        flow = existing;
        return Refusal.None;
    }

    /// <summary>Replaces the actions of a flow (OVS_FLOW_CMD_SET). Writer only.</summary>
    [SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "A change of the table, made through it.")]
    public void SetActions(Flow flow, FlowActions actions)
    {
        ArgumentNullException.ThrowIfNull(flow);
        ArgumentNullException.ThrowIfNull(actions);
        flow.ReplaceActions(actions);
    }

    /// <summary>Removes a flow that is in the table. Writer only.</summary>
    public void Remove(Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        flow.CopyKey(out FlowKey key);
        MaskUse use = _masks[flow.Mask];
        use.Subtable.Remove(flow, in key);
        flow.MarkRemoved();
        if (flow.Ufid.IsPresent)
        {
            _byUfid.Remove(flow.Ufid);
        }

        if (--use.FlowCount == 0)
        {
            _masks.Remove(flow.Mask);
            _lastUse = null;
        }

        RemoveIfEmpty(use.Subtable);

        Count--;
    }

    /// <summary>Removes all flows. Writer only.</summary>
    public void Flush()
    {
        List<Flow> flows = ToList();
        Volatile.Write(ref _subtables, []);
        _masks.Clear();
        _lastUse = null;
        _bySignature.Clear();
        _common.Clear();
        _byUfid.Clear();
        Count = 0;
        foreach (Flow flow in flows)
        {
            flow.MarkRemoved();
        }
    }

    /// <summary>All flows, in no particular order. Writer only.</summary>
    public List<Flow> ToList()
    {
        List<Flow> flows = new(Count);
        foreach (Subtable subtable in _subtables)
        {
            subtable.CopyTo(flows);
        }

        return flows;
    }

    /// <summary>Goes through all flows, in the order of their records; flows may come and go in between. Writer only.</summary>
    /// <param name="position">Where to go on: 0 at first, then as the last call has left it.</param>
    /// <returns>Null at the end.</returns>
    internal Flow? Next(ref int position) => _records.Next(ref position);

    // The writer's look-ups are mostly of keys that are not there, in tables that are not in the cache: it waits once for many subtables.
    private Flow? LookupCold(in FlowKey key)
    {
        const int Ahead = 16;
        Span<uint> hashes = stackalloc uint[Ahead];
        for (int start = 0; start < _subtables.Length; start += Ahead)
        {
            ReadOnlySpan<Subtable> group = _subtables.AsSpan(start, Math.Min(Ahead, _subtables.Length - start));
            for (int i = 0; i < group.Length; i++)
            {
                hashes[i] = group[i].PrefetchSlot(in key);
            }

            for (int i = 0; i < group.Length; i++)
            {
                if (group[i].Find(in key, hashes[i]) is { } flow)
                {
                    return flow;
                }
            }
        }

        return null;
    }

    private Flow Add(in FlowKey key, in FlowKey mask, FlowActions actions, Ufid ufid)
    {
        MaskUse use = _lastUse is { } last && last.Mask.HasBits(in mask) ? last : UseOf(in mask);
        _lastUse = use;
        Flow flow = new(in key, use.Mask, actions, ufid, _records);
        use.FlowCount++;
        int passed = use.Subtable.Insert(flow, in key);
        if (passed > MostOfOneHash && !use.Subtable.Signature.Equals(use.Mask))
        {
            MoveToOwnSubtable(use);
        }

        if (ufid.IsPresent)
        {
            _byUfid.Add(ufid, flow);
        }

        Count++;
        return flow;
    }

    private MaskUse UseOf(in FlowKey mask)
    {
        // Flows of many masks often take turns, and to prepare a mask costs more than all else.
        if (!_masks.GetAlternateLookup<ReadOnlySpan<ulong>>().TryGetValue(FlowMask.Words(in mask), out MaskUse? use))
        {
            FlowMask added = new(in mask);
            use = new MaskUse(added, SubtableOf(SignatureOf(added)));
            _masks.Add(added, use);
        }

        return use;
    }

    // What is hashed for a new mask: its whole bytes, or of them those that all masks have which reach the same segments.
    private FlowMask SignatureOf(FlowMask mask)
    {
        FlowMask whole = mask.WholeBytes();
        FlowKeySegments segments = whole.Bits.Segments;
        FlowKey common = whole.Bits;
        if (_common.TryGetValue(segments, out FlowKey before))
        {
            FlowKey.MaskedCopy(in before, in whole.Bits, out common);
        }

        _common[segments] = common;
        return _subtables.Length < FewSubtables || _bySignature.ContainsKey(whole) ? whole : new FlowMask(in common);
    }

    private Subtable SubtableOf(FlowMask signature)
    {
        if (!_bySignature.TryGetValue(signature, out Subtable? subtable))
        {
            subtable = new Subtable(signature, _records);
            _bySignature.Add(signature, subtable);
            Volatile.Write(ref _subtables, [.. _subtables, subtable]);
        }

        return subtable;
    }

    // A flow is in the new subtable before it leaves the old one: a reader finds it in one of them.
    private void MoveToOwnSubtable(MaskUse use)
    {
        Subtable shared = use.Subtable;
        use.Subtable = SubtableOf(use.Mask);
        List<Flow> flows = new(shared.Count);
        shared.CopyTo(flows);
        foreach (Flow flow in flows)
        {
            if (flow.Mask == use.Mask)
            {
                flow.CopyKey(out FlowKey key);
                use.Subtable.Insert(flow, in key);
                shared.Remove(flow, in key);
            }
        }

        RemoveIfEmpty(shared);
    }

    private void RemoveIfEmpty(Subtable subtable)
    {
        if (subtable.Count == 0)
        {
            _bySignature.Remove(subtable.Signature);
            if (_bySignature.Count == 0)
            {
                _common.Clear();
            }

            Volatile.Write(ref _subtables, Array.FindAll(_subtables, other => other != subtable));
        }
    }

    /// <summary>A mask, where its flows are, and how many there are: its reference count.</summary>
    private sealed class MaskUse(FlowMask mask, Subtable subtable)
    {
        public FlowMask Mask => mask;

        public Subtable Subtable { get; set; } = subtable;

        public int FlowCount { get; set; }
    }
}
