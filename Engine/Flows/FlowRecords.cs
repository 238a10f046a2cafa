using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>The <see cref="FlowRecord"/>s of a table, known by index, and the flow of each.</summary>
/// <remarks>
/// <para>In chunks that never move, so that a pointer stays good. A record given back is used again once no worker can hold it.</para>
/// <para>Threads: one writer; workers read between <see cref="QuiescentState.Enter"/> and <see cref="QuiescentState.Leave"/>.</para>
/// </remarks>
internal sealed unsafe class FlowRecords
{
    /// <summary>Records of a chunk.</summary>
    public const int ChunkSize = 1 << ChunkBits;

    private const int ChunkBits = 15;
    private const int MostChunks = 1 << 11;

    // Removed records wait until there are so many: a snapshot interrupts every core.
    private const int FewestToReclaim = 256;

    private readonly QuiescentState _readers;
    private readonly List<HugeMemory> _memory = [];
    private readonly TailPool _tails = new();
    private readonly LineAlignedArray<nint> _chunks = new(MostChunks);
    private readonly nint* _chunkTable;
    private readonly Stack<int> _free = new();
    private readonly ulong[] _snapshot;
    private List<int> _removed = [];
    private List<int> _waiting = [];
    private Flow?[][] _flows = [];
    private int _used;

    /// <summary>Makes an empty set.</summary>
    /// <param name="readers">The workers.</param>
    public FlowRecords(QuiescentState readers)
    {
        _readers = readers;
        _snapshot = new ulong[readers.ReaderCount];
        _chunkTable = (nint*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(_chunks.Span));
    }

    /// <summary>How many workers count.</summary>
    public int WorkerCount => _readers.ReaderCount;

    /// <summary>The record at an index that was given out.</summary>
    public FlowRecord* this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            // In bounds: indices come from Add alone, and chunks stay.
            Invariant.Assert((uint)index < (uint)Volatile.Read(ref _used));
            return (FlowRecord*)(_chunkTable[index >> ChunkBits] + ((index & (ChunkSize - 1)) * (nint)FlowRecord.ByteSize));
        }
    }

    /// <summary>The flow of a record that was found; null when it was removed and is used again.</summary>
    public Flow? FlowOf(int index) => Volatile.Read(ref _flows[index >> ChunkBits][index & (ChunkSize - 1)]);

    /// <summary>The first flow from an index on; null when there is none. Writer only.</summary>
    /// <param name="index">Afterwards the index behind it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public Flow? Next(ref int index)
    {
        while (index < _used)
        {
            int current = index++;
            if (this[current]->Mask != null)
            {
                return FlowOf(current);
            }
        }

        return null;
    }

    /// <summary>Fills a record, except for its mask. Writer only.</summary>
    /// <returns>Its index.</returns>
    public int Add(Flow flow, in FlowKey key, ReadOnlySpan<ulong> tail)
    {
        int index = Take();
        FlowRecord* record = this[index];
        record->Mask = null;
        record->SetCore(in key, in flow.Mask.Bits);
        record->Tail = null;
        if (!tail.IsEmpty)
        {
            record->Tail = _tails.Take(tail.Length);
            tail.CopyTo(new Span<ulong>(record->Tail, tail.Length));
        }

        record->Index = index;
        record->Output = FlowRecord.NoOutput;
        record->OwnStats = default;
        record->Stats = _readers.ReaderCount == 1 ? &record->OwnStats : StatsOf(index);
        for (int worker = 0; worker < _readers.ReaderCount; worker++)
        {
            record->Stats[worker * ChunkSize] = default;
        }

        Volatile.Write(ref _flows[index >> ChunkBits][index & (ChunkSize - 1)], flow);
        return index;
    }

    /// <summary>Takes the mask off a record, so that it is no flow any more, and gives it back. Writer only.</summary>
    public void Remove(int index)
    {
        this[index]->Mask = null;
        _removed.Add(index);
        if (_removed.Count >= FewestToReclaim)
        {
            Reclaim();
        }
    }

    // Records removed before the last snapshot are free once it has passed; those removed since then get one of their own.
    private void Reclaim()
    {
        if (!_readers.HasPassed(_snapshot))
        {
            return;
        }

        foreach (int index in _waiting)
        {
            FlowRecord* record = this[index];
            ref Flow? flow = ref _flows[index >> ChunkBits][index & (ChunkSize - 1)];
            if (record->Tail != null)
            {
                _tails.Give(record->Tail, flow!.Mask.TailLength);
            }

            flow!.Detach();
            flow = null;
            _free.Push(index);
        }

        _waiting.Clear();
        (_waiting, _removed) = (_removed, _waiting);
        _readers.Snapshot(_snapshot);
    }

    private int Take()
    {
        if (_free.TryPop(out int index))
        {
            return index;
        }

        if (_used == _memory.Count * ChunkSize)
        {
            Grow();
        }

        return _used++;
    }

    private void Grow()
    {
        int chunk = _memory.Count;
        if (chunk == MostChunks)
        {
            throw new InvalidOperationException($"A flow table holds at most {MostChunks * ChunkSize} flows.");
        }

        long statsSize = _readers.ReaderCount == 1 ? 0 : (long)_readers.ReaderCount * ChunkSize * sizeof(FlowStats);
        HugeMemory memory = new(((long)ChunkSize * FlowRecord.ByteSize) + statsSize);
        _memory.Add(memory);
        Volatile.Write(ref _flows, [.. _flows, new Flow?[ChunkSize]]);
        Volatile.Write(ref _chunkTable[chunk], (nint)memory.Start);
    }

    // Behind the records of the chunk: for each worker an array of its own.
    private FlowStats* StatsOf(int index) =>
        (FlowStats*)(_chunkTable[index >> ChunkBits] + ((nint)ChunkSize * FlowRecord.ByteSize)) + (index & (ChunkSize - 1));
}
