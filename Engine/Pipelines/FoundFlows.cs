using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <summary>What was found for a batch: for each packet its flow, and for each action list the packets that it is for, a bit each. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct FoundFlows
{
    /// <summary>The most lists.</summary>
    public const int MaximumLists = 64;

    private PacketSets _lists;
    private FlowNumbers _flows;

    /// <summary>The packets of a list: bit i is packet i of the batch.</summary>
    /// <param name="list">The list, below <see cref="MaximumLists"/>.</param>
    public uint this[int list]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        readonly get => _lists[list];
        private set => _lists[list] = value;
    }

    /// <summary>Begins a batch.</summary>
    /// <param name="lists">How many lists there are. They have no packets afterwards.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clear(int lists) => ((Span<uint>)_lists)[..lists].Clear();

    /// <summary>Notes what was found for a packet, which was not noted yet.</summary>
    /// <param name="packet">Index of the packet in its batch.</param>
    /// <param name="flow">Its flow, or a number below 0.</param>
    /// <param name="list">The list that is executed.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int packet, int flow, int list)
    {
        // In bounds: generated code gives indices of its batch and numbers of its own lists.
        Invariant.Assert((uint)packet < PacketBatch.Capacity && (uint)list < MaximumLists);
        Unaligned.At(ref MemoryMarshal.GetReference((Span<int>)_flows), packet) = flow;
        Unaligned.At(ref MemoryMarshal.GetReference((Span<uint>)_lists), list) |= 1u << packet;
    }

    /// <summary>Takes a packet out of a list: a step has ended its way.</summary>
    /// <param name="list">The list, below <see cref="MaximumLists"/>.</param>
    /// <param name="packet">Index of the packet in its batch.</param>
    public void Remove(int list, int packet) => this[list] &= ~(1u << packet);

    /// <summary>What was found for a packet.</summary>
    /// <param name="packet">Index of the packet in its batch.</param>
    public readonly int FlowOf(int packet) => _flows[packet];

    /// <summary>The packets from one on, up to the first that is among <paramref name="others"/>.</summary>
    /// <returns>0 when the first is.</returns>
    public static uint Run(uint others, int first) => (uint)((1UL << (first + BitOperations.TrailingZeroCount((ulong)(others >> first) | (1UL << (PacketBatch.Capacity - first))))) - (1UL << first));

    [InlineArray(PacketBatch.Capacity)]
    private struct FlowNumbers
    {
        [SuppressMessage("Style", "IDE0044:Add readonly modifier", Justification = "The element of an inline array.")]
        private int _first;
    }

    [InlineArray(MaximumLists)]
    private struct PacketSets
    {
        [SuppressMessage("Style", "IDE0044:Add readonly modifier", Justification = "The element of an inline array.")]
        private uint _first;
    }
}
