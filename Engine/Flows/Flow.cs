using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>A flow: masked key, mask, actions, identity, statistics.</summary>
/// <remarks>
/// <para>What packets need is in a <see cref="FlowRecord"/>, which is used again after the flow was removed; the rest is here.</para>
/// <para>Threads: key and mask never change. The control thread replaces the actions and marks the removal; workers read both at any
/// time. Each worker writes only its own statistics. A removed flow stays valid for whoever still holds it.</para>
/// </remarks>
public sealed unsafe class Flow
{
    private readonly FlowKeyCore _core;
    private readonly ulong[] _tail;
    private readonly CompactKey? _unmaskedKey;
    private readonly FlowRecords _records;
    private readonly int _workerCount;
    private FlowActions _actions;

    // In reach as long as the flow, which holds the records.
    private FlowRecord* _record;

    // Once there is no record: what was counted in it.
    private FlowStats _final;
    private FlowStats _cleared;
    private bool _isRemoved;

    internal Flow(in FlowKey key, FlowMask mask, FlowActions actions, Ufid ufid, FlowRecords records, int workerCount)
    {
        Mask = mask;
        Ufid = ufid;
        _actions = actions;
        FlowKey.MaskedCopy(in key, in mask.Bits, out FlowKey masked);
        _core = Unaligned.Reinterpret<FlowKey, FlowKeyCore>(ref masked);
        _tail = mask.IsCoreOnly ? [] : new ulong[mask.TailLength];
        mask.CopyTail(in key, _tail);
        _unmaskedKey = ufid.IsPresent ? null : new CompactKey(in key);
        _records = records;
        _workerCount = workerCount;
        Index = records.Add(this, in masked, _tail);
        _record = records[Index];
        Volatile.Write(ref _record->Output, actions.SingleOutputPort);

        // Last: now it is a flow.
        _record->Mask = mask.Record;
    }

    /// <summary>Index of its record.</summary>
    internal int Index { get; }

    /// <summary>Which bits of the key matter.</summary>
    public FlowMask Mask { get; }

    /// <summary>The id that user space chose, if any; else the unmasked key is the identity.</summary>
    public Ufid Ufid { get; }

    /// <summary>What to do with a packet.</summary>
    public FlowActions Actions => Volatile.Read(ref _actions);

    /// <summary>Whether the flow is no longer in its table.</summary>
    public bool IsRemoved => Volatile.Read(ref _isRemoved);

    /// <summary>Whether a packet with this key matches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Matches(in FlowKey key)
    {
        FlowMask mask = Mask;
        return FlowKey.MaskedEqualsCore(in key, in mask.Bits, in CoreAsKey) && (mask.IsCoreOnly || mask.TailEquals(in key, _tail));
    }

    /// <summary>Copies the masked key.</summary>
    public void CopyKey(out FlowKey key)
    {
        key = default;
        Unaligned.Reinterpret<FlowKey, FlowKeyCore>(ref key) = _core;
        Mask.RestoreTail(_tail, ref key);
    }

    /// <summary>Copies the key as it was given, bits outside of the mask included; for a flow with a UFID, the masked key.</summary>
    public void CopyUnmaskedKey(out FlowKey key)
    {
        if (_unmaskedKey is { } compact)
        {
            compact.CopyTo(out key);
        }
        else
        {
            CopyKey(out key);
        }
    }

    /// <summary>What all workers have counted since the last clear.</summary>
    public FlowStats ReadStats()
    {
        FlowStats sum = ReadTotal();
        sum.Packets -= _cleared.Packets;
        sum.Bytes -= _cleared.Bytes;
        if (sum.UsedAtMs <= _cleared.UsedAtMs)
        {
            sum.UsedAtMs = 0;
        }

        return sum;
    }

    /// <summary>Starts counting anew (OVS_FLOW_ATTR_CLEAR). Control thread only.</summary>
    /// <remarks>What the workers count is left alone and subtracted from now on. TCP flags cannot be subtracted: they are
    /// cleared, and a flag that a worker adds at this very moment may be lost.</remarks>
    public void ClearStats()
    {
        _cleared = ReadTotal();
        for (int worker = 0; _record != null && worker < _workerCount; worker++)
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

    /// <summary>The record will be used again: keeps what was counted in it.</summary>
    internal void Detach()
    {
        _final = ReadTotal();
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

    private FlowStats ReadTotal()
    {
        FlowStats sum = _final;
        for (int worker = 0; _record != null && worker < _workerCount; worker++)
        {
            sum.Add(in StatsOf(worker));
        }

        return sum;
    }

    // In bounds: only the core of the result is read, which is what there is.
    private ref readonly FlowKey CoreAsKey
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref Unaligned.ReinterpretReadOnly<FlowKeyCore, FlowKey>(in _core);
    }

    /// <summary>The core segment of a key. 64 bytes.</summary>
    [InlineArray(FlowMask.CoreWords)]
    private struct FlowKeyCore
    {
        [SuppressMessage("Style", "IDE0044:Add readonly modifier", Justification = "The element of an inline array.")]
        private ulong _first;
    }

    /// <summary>A whole key without the zero words at its end.</summary>
    private sealed class CompactKey
    {
        private readonly ulong[] _words;
        private readonly FlowKeySegments _segments;

        public CompactKey(in FlowKey key)
        {
            _words = FlowMask.Words(in key).TrimEnd(0ul).ToArray();
            _segments = key.Segments;
        }

        public void CopyTo(out FlowKey key)
        {
            key = default;
            _words.CopyTo(MemoryMarshal.Cast<byte, ulong>(MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref key, 1))));
            key.Segments = _segments;
        }
    }
}
