using System.Numerics;
using Engine.Flows;
using Engine.Packets;

namespace Engine.Upcalls;

/// <summary>The upcalls of one worker that no handler has seen yet: a bounded ring of preallocated slots.</summary>
/// <remarks>Threads: the worker that fills it also empties it, between batches.</remarks>
public sealed unsafe class UpcallQueue
{
    private readonly Upcall[] _slots;
    private uint _head;
    private uint _tail;

    /// <summary>Makes an empty queue.</summary>
    /// <param name="capacity">Upcalls that can wait, rounded up to a power of two.</param>
    public UpcallQueue(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _slots = new Upcall[(int)BitOperations.RoundUpToPowerOf2((uint)capacity)];
    }

    /// <summary>Upcalls that wait.</summary>
    public int Count => (int)(_tail - _head);

    /// <summary>Whether no upcall can be added.</summary>
    public bool IsFull => Count == _slots.Length;

    /// <summary>Adds an upcall and takes the packet. The queue must not be full.</summary>
    /// <returns>The slot, for the arguments of an action; those of a miss are set.</returns>
    internal ref Upcall Add(Packet* packet, in FlowKey key, UpcallCommand command)
    {
        ref Upcall slot = ref _slots[_tail++ & (uint)(_slots.Length - 1)];
        slot.Initialize(packet, in key, command);
        return ref slot;
    }

    /// <summary>Takes the oldest upcall, which stays valid until as many more as the capacity have been added. The queue must not be empty.</summary>
    internal ref Upcall Take() => ref _slots[_head++ & (uint)(_slots.Length - 1)];
}
