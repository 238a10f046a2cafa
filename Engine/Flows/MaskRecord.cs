using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>What a packet needs of a mask: the bits of the core, then which words outside of it matter.</summary>
/// <remarks>Never changes. Lives in pinned memory of the <see cref="FlowMask"/>'s use in a table, which every flow of it holds.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MaskRecord
{
    private FlowRecord.KeyCore _core;

    /// <summary>Words outside of the core that matter.</summary>
    public int TailLength;

    private readonly int _padding;

    // TailLength of these follow.
    private TailWord _firstTailWord;

    /// <summary>Bits of the core, as a key of which no more than the core is there.</summary>
    [UnscopedRef]
    public ref FlowKey CoreAsKey
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref Unsafe.As<FlowRecord.KeyCore, FlowKey>(ref _core);
    }

    /// <summary>Makes the record of a mask. The memory is pinned and lives as long as the array.</summary>
    public static LineAlignedArray<byte> Create(FlowMask mask, out MaskRecord* record)
    {
        LineAlignedArray<byte> memory = new(sizeof(MaskRecord) + (mask.TailLength * sizeof(TailWord)));
        record = (MaskRecord*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(memory.Span));
        record->_core = Unsafe.As<FlowKey, FlowRecord.KeyCore>(ref Unsafe.AsRef(in mask.Bits));
        record->TailLength = mask.TailLength;
        TailWord* tail = &record->_firstTailWord;
        foreach ((int word, ulong bits) in mask.TailWords())
        {
            *tail++ = new TailWord { Word = word, Bits = bits };
        }

        return memory;
    }

    /// <summary>Whether the words outside of the core equal <paramref name="expected"/> where they matter.</summary>
    public bool TailEquals(in FlowKey key, ulong* expected)
    {
        ReadOnlySpan<ulong> words = FlowMask.Words(in key);
        TailWord* tail = (TailWord*)Unsafe.AsPointer(ref _firstTailWord);
        ulong difference = 0;
        for (int i = 0; i < TailLength; i++)
        {
            difference |= (words[(int)tail[i].Word] & tail[i].Bits) ^ expected[i];
        }

        return difference == 0;
    }

    private struct TailWord
    {
        public long Word;
        public ulong Bits;
    }
}
