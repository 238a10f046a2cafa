using System.Numerics;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>Native memory for the masked words outside of the core, in sizes of powers of two that are used again.</summary>
/// <remarks>Threads: the writer of a table. All of it is freed with the pool.</remarks>
internal sealed unsafe class TailPool
{
    private readonly List<HugeMemory> _memory = [];
    private readonly Stack<nint>[] _free = [.. Enumerable.Range(0, 1 + BitOperations.Log2(BitOperations.RoundUpToPowerOf2(FlowKey.ByteSize))).Select(static _ => new Stack<nint>())];
    private int _used = HugeMemory.PageSize;

    /// <summary>Takes room for so many words.</summary>
    public ulong* Take(int words)
    {
        int size = SizeOf(words);
        return _free[BitOperations.Log2((uint)size)].TryPop(out nint memory) ? (ulong*)memory : (ulong*)Cut(size);
    }

    /// <summary>Gives it back.</summary>
    public void Give(ulong* memory, int words) => _free[BitOperations.Log2((uint)SizeOf(words))].Push((nint)memory);

    private static int SizeOf(int words) => (int)BitOperations.RoundUpToPowerOf2((uint)words * sizeof(ulong));

    // Sizes are powers of two, so none but the last piece of a page is lost.
    private byte* Cut(int size)
    {
        if (_used + size > HugeMemory.PageSize)
        {
            _memory.Add(new HugeMemory(HugeMemory.PageSize));
            _used = 0;
        }

        byte* start = _memory[^1].Start + _used;
        _used += size;
        return start;
    }
}
