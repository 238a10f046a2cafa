using System.ComponentModel;
using System.Numerics;
using System.Runtime.CompilerServices;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <summary>For each action list of a pipeline the packets of a batch that it is for: bit i is packet i. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[InlineArray(Capacity)]
public struct PacketSets
{
    /// <summary>The most lists.</summary>
    public const int Capacity = 64;

    private uint _first;

    /// <summary>Adds a packet to those of a list.</summary>
    /// <param name="list">The list, below <see cref="Capacity"/>.</param>
    /// <param name="packet">Index of the packet in its batch.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int list, int packet)
    {
        // In bounds: generated code gives numbers of its own lists.
        Invariant.Assert((uint)list < Capacity && (uint)packet < PacketBatch.Capacity);
        Unaligned.At(ref _first, list) |= 1u << packet;
    }

    /// <summary>Takes a packet out: a step has ended its list.</summary>
    /// <param name="list">The list, below <see cref="Capacity"/>.</param>
    /// <param name="packet">Index of the packet in its batch.</param>
    public void Remove(int list, int packet) => this[list] &= ~(1u << packet);

    /// <summary>The packets from one on, up to the first that is among <paramref name="others"/>.</summary>
    /// <returns>0 when the first is.</returns>
    public static uint Run(uint others, int first) => (uint)((1UL << (first + BitOperations.TrailingZeroCount((ulong)(others >> first) | (1UL << (PacketBatch.Capacity - first))))) - (1UL << first));
}
