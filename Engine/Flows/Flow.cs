using System.Runtime.CompilerServices;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>A flow: masked key, mask, actions, identity, statistics.</summary>
/// <remarks>
/// <para>What packets need is in a <see cref="FlowRecord"/>, the core of the key and the counters among it. The record is used again after
/// the flow was removed; what the flow still has to tell is copied out before.</para>
/// <para>Threads: key and mask never change. The control thread replaces the actions and marks the removal; workers read both at any
/// time. Each worker writes only its own statistics. A removed flow stays valid for whoever still holds it.</para>
/// </remarks>
public sealed unsafe class Flow
{
    private readonly ulong[] _tail;

    // The whole key without the zero words at its end; null for a flow with a UFID.
    private readonly ulong[]? _unmaskedKey;
    private readonly FlowRecords _records;
    private FlowActions _actions;

    // In reach as long as the flow, which holds the records.
    private FlowRecord* _record;

    // Once there is no record: what was in it.
    private Remains? _remains;

    // What had been counted when the counters were cleared last.
    private StrongBox<FlowStats>? _cleared;
    private bool _isRemoved;

    internal Flow(in FlowKey key, FlowMask mask, FlowActions actions, Ufid ufid, FlowRecords records)
    {
        Mask = mask;
        Ufid = ufid;
        _actions = actions;
        _tail = mask.IsCoreOnly ? [] : new ulong[mask.TailLength];
        mask.CopyTail(in key, _tail);
        ReadOnlySpan<ulong> words = FlowMask.Words(in key);
        _unmaskedKey = ufid.IsPresent ? null : words[..(words.LastIndexOfAnyExcept(0ul) + 1)].ToArray();
        _records = records;
        Index = records.Add(this, in key, _tail);
        _record = records[Index];
        Volatile.Write(ref _record->Output, actions.SingleOutputPort);

        // Last: now it is a flow.
        _record->Mask = mask.Record;
    }

    /// <summary>Index of its record.</summary>
    internal int Index { get; }

    /// <summary>Its record, while it is in its table.</summary>
    internal FlowRecord* Record => _record;

    /// <summary>Which bits of the key matter.</summary>
    public FlowMask Mask { get; }

    /// <summary>The id that user space chose, if any; else the unmasked key is the identity.</summary>
    public Ufid Ufid { get; }

    /// <summary>What to do with a packet.</summary>
    public FlowActions Actions => Volatile.Read(ref _actions);

    /// <summary>Whether the flow is no longer in its table.</summary>
    public bool IsRemoved => Volatile.Read(ref _isRemoved);

    /// <summary>Whether a packet with this key matches.</summary>
    public bool Matches(in FlowKey key)
    {
        FlowRecord* record = _record;
        return record != null
            ? Matches(in key, in record->CoreAsKey)
            : Matches(in key, in _remains!.CoreAsKey);
    }

    /// <summary>Copies the masked key.</summary>
    public void CopyKey(out FlowKey key)
    {
        key = default;
        Unaligned.Reinterpret<FlowKey, FlowRecord.KeyCore>(ref key) = _record != null ? _record->Core : _remains!.Core;
        Mask.RestoreTail(_tail, ref key);
    }

    /// <summary>Copies the key as it was given, bits outside of the mask included; for a flow with a UFID, the masked key.</summary>
    public void CopyUnmaskedKey(out FlowKey key)
    {
        if (_unmaskedKey is not { } words)
        {
            CopyKey(out key);
            return;
        }

        key = default;
        words.CopyTo(FlowMask.MutableWords(ref key));
        key.Segments = key.FindSegments();
    }

    /// <summary>What all workers have counted since the last clear.</summary>
    /// <remarks>Compiled in full at once: see <see cref="FlowTemplate"/>.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public FlowStats ReadStats()
    {
        FlowStats sum = ReadTotal();
        if (_cleared is { Value: { } cleared })
        {
            sum.Packets -= cleared.Packets;
            sum.Bytes -= cleared.Bytes;
            sum.UsedAtMs = sum.UsedAtMs <= cleared.UsedAtMs ? 0 : sum.UsedAtMs;
        }

        return sum;
    }

    /// <summary>Starts counting anew (OVS_FLOW_ATTR_CLEAR). Control thread only.</summary>
    /// <remarks>What the workers count is left alone and subtracted from now on. TCP flags cannot be subtracted: they are
    /// cleared, and a flag that a worker adds at this very moment may be lost.</remarks>
    public void ClearStats()
    {
        _cleared = new StrongBox<FlowStats>(ReadTotal());
        for (int worker = 0; _record != null && worker < _records.WorkerCount; worker++)
        {
            StatsOf(worker).TcpFlags = 0;
        }
    }

    /// <summary>The counters of one worker, while the flow is in its table.</summary>
    internal ref FlowStats StatsOf(int worker) => ref _record->Stats[worker * FlowRecords.ChunkSize];

    internal void ReplaceActions(FlowActions actions)
    {
        Volatile.Write(ref _actions, actions);
        if (!_isRemoved)
        {
            Volatile.Write(ref _record->Output, actions.SingleOutputPort);
        }
    }

    /// <summary>The flow is out of its table: packets no longer match it.</summary>
    internal void MarkRemoved()
    {
        Volatile.Write(ref _isRemoved, true);
        _records.Remove(Index);
    }

    /// <summary>The record will be used again: keeps what is in it.</summary>
    internal void Detach()
    {
        _remains = new Remains(in _record->Core, ReadTotal());

        // Who finds no record finds the remains.
        Interlocked.MemoryBarrier();
        _record = null;
    }

    /// <summary>Whether the unmasked key equals <paramref name="key"/> in every bit.</summary>
    internal bool UnmaskedKeyEquals(in FlowKey key)
    {
        CopyUnmaskedKey(out FlowKey own);
        return FlowMask.Words(in own).SequenceEqual(FlowMask.Words(in key));
    }

    /// <summary>Whether the masked key equals <paramref name="key"/> in every bit, also those outside of the mask.</summary>
    internal bool KeyEquals(in FlowKey key)
    {
        CopyKey(out FlowKey own);
        return FlowMask.Words(in own).SequenceEqual(FlowMask.Words(in key));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Matches(in FlowKey key, in FlowKey core) =>
        FlowKey.MaskedEqualsCore(in key, in Mask.Bits, in core) && (Mask.IsCoreOnly || Mask.TailEquals(in key, _tail));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private FlowStats ReadTotal()
    {
        if (_record == null)
        {
            return _remains!.Stats;
        }

        FlowStats sum = default;
        for (int worker = 0; worker < _records.WorkerCount; worker++)
        {
            sum.Add(in StatsOf(worker));
        }

        return sum;
    }

    /// <summary>What a flow that has lost its record can still be asked for.</summary>
    private sealed class Remains(in FlowRecord.KeyCore core, FlowStats stats)
    {
        /// <summary>The masked core of the key.</summary>
        public readonly FlowRecord.KeyCore Core = core;

        /// <summary>What all workers have counted.</summary>
        public readonly FlowStats Stats = stats;

        // In bounds: only the core of the result is read, which is what there is.
        public ref readonly FlowKey CoreAsKey => ref Unaligned.ReinterpretReadOnly<FlowRecord.KeyCore, FlowKey>(in Core);
    }
}
