using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>Flows found by one masked hash: an open-addressed hash table of record indices.</summary>
/// <remarks>
/// <para>The <see cref="Signature"/> is the part of the flows' masks that is hashed; each flow is compared under its own mask. So
/// one subtable can hold the flows of many masks (<see cref="FlowTable"/> says which).</para>
/// <para>Threads: one writer, any number of readers without locks. A slot is one word, so it is read and written whole; a reader checks
/// the flow itself, so it can miss a flow that comes or goes at that moment but never take a wrong one. Growth builds new slots and
/// publishes them at once.</para>
/// </remarks>
internal sealed unsafe class Subtable(FlowMask signature, FlowRecords records)
{
    // Slot: [hash 32][index of the record 32]. The two lowest hashes mark slots without a flow.
    private const ulong EmptySlot = 0;
    private const ulong RemovedSlot = 1UL << 32;
    private const int MinimumSlots = 8;

    private ulong[] _slots = new ulong[MinimumSlots];
    private int _occupied;

    /// <summary>The bits that are hashed; every flow's mask has them all.</summary>
    public FlowMask Signature => signature;

    /// <summary>Flows in the table.</summary>
    public int Count { get; private set; }

    /// <summary>Finds the flow that a packet with this key matches. Any thread.</summary>
    public Flow? Find(in FlowKey key) => Find(in key, SlotHash(signature.Hash(in key)));

    /// <summary>The same by the hash that <see cref="PrefetchSlot"/> gave.</summary>
    public Flow? Find(in FlowKey key, uint hash)
    {
        ulong[] slots = Volatile.Read(ref _slots);
        for (uint place = hash & (uint)(slots.Length - 1); ; place = (place + 1) & (uint)(slots.Length - 1))
        {
            ulong slot = Volatile.Read(ref slots[place]);
            if (slot == EmptySlot)
            {
                return null;
            }

            // Anyone may ask, so the record may be used again while it is compared; then its flow is no longer this one.
            if (slot >> 32 == hash && records.FlowOf((int)slot) is { } flow && flow.Matches(in key) && records.FlowOf((int)slot) == flow)
            {
                return flow;
            }
        }
    }

    /// <summary>Asks for the slot where a search for this key begins.</summary>
    /// <returns>The hash of the key here.</returns>
    public uint PrefetchSlot(in FlowKey key)
    {
        ulong[] slots = _slots;
        uint hash = SlotHash(signature.Hash(in key));
        Prefetch.Line(Unsafe.AsPointer(ref slots[hash & (uint)(slots.Length - 1)]));
        return hash;
    }

    /// <summary>Finds the records of those packets of a batch that have none yet: all slots first, then all records, so that waiting for memory overlaps.</summary>
    /// <param name="keys">The keys of the batch.</param>
    /// <param name="wanted">Bit i is set when packet i has no flow yet.</param>
    /// <param name="found">Gets the records of the packets that match here.</param>
    /// <param name="hashes">Room for one number for each packet. Not on this method's own stack: the runtime compiles such a method once, without what it learns by running it.</param>
    /// <returns>Bit i is set when packet i still has none.</returns>
    /// <remarks>Workers only, between <see cref="QuiescentState.Enter"/> and <see cref="QuiescentState.Leave"/>.</remarks>
    public uint Find(FlowKey* keys, uint wanted, FlowRecord** found, uint* hashes)
    {
        ulong[] slots = Volatile.Read(ref _slots);
        uint last = (uint)(slots.Length - 1);
        ref ulong first = ref MemoryMarshal.GetArrayDataReference(slots);
        for (uint left = wanted; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            uint hash = SlotHash(signature.Hash(in keys[i]));
            hashes[i] = hash;

            // In bounds: the number of slots is a power of two.
            Prefetch.Line(Unsafe.AsPointer(ref Unsafe.Add(ref first, hash & last)));
        }

        uint candidates = 0;
        for (uint left = wanted; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            uint hash = hashes[i];
            uint place = hash & last;
            ulong slot = Volatile.Read(ref Unsafe.Add(ref first, place));
            while (slot != EmptySlot && slot >> 32 != hash)
            {
                place = (place + 1) & last;
                slot = Volatile.Read(ref Unsafe.Add(ref first, place));
            }

            if (slot != EmptySlot)
            {
                FlowRecord* record = records[(int)slot];
                Prefetch.Line(record);
                Prefetch.Line((byte*)record + 64);
                found[i] = record;
                candidates |= 1u << i;
            }
        }

        for (uint left = candidates; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            FlowRecord* record = found[i];
            MaskRecord* mask = record->Mask;
            if ((mask != null && record->Matches(in keys[i], mask)) || TryFindAmongAll(slots, in keys[i], out found[i]))
            {
                wanted &= ~(1u << i);
            }
        }

        return wanted;
    }

    /// <summary>Finds the flow whose identity is this unmasked key. Writer only.</summary>
    public Flow? FindExact(in FlowKey key)
    {
        ulong[] slots = _slots;
        uint hash = SlotHash(signature.Hash(in key));
        for (uint place = hash & (uint)(slots.Length - 1); slots[place] != EmptySlot; place = (place + 1) & (uint)(slots.Length - 1))
        {
            if (slots[place] >> 32 == hash && records.FlowOf((int)slots[place]) is { } flow && !flow.Ufid.IsPresent && flow.Matches(in key) && flow.UnmaskedKeyEquals(in key))
            {
                return flow;
            }
        }

        return null;
    }

    /// <summary>Adds a flow that is not in the table. Writer only.</summary>
    /// <returns>How many flows with the same hash a search for this one passes.</returns>
    public int Insert(Flow flow, in FlowKey key)
    {
        // At most half of the slots are ever taken, so that a search for what is not there ends soon.
        if ((_occupied + 1) * 2 > _slots.Length)
        {
            Rebuild((int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(MinimumSlots, (Count + 1) * 3)));
        }

        uint hash = SlotHash(signature.Hash(in key));
        if (Place(_slots, ((ulong)hash << 32) | (uint)flow.Index, out int passed))
        {
            _occupied++;
        }

        Count++;
        return passed;
    }

    /// <summary>Removes a flow that is in the table. Writer only.</summary>
    public void Remove(Flow flow, in FlowKey key)
    {
        ulong[] slots = _slots;
        uint hash = SlotHash(signature.Hash(in key));
        ulong slot = ((ulong)hash << 32) | (uint)flow.Index;
        uint place = hash & (uint)(slots.Length - 1);
        while (slots[place] != slot)
        {
            place = (place + 1) & (uint)(slots.Length - 1);
        }

        Volatile.Write(ref slots[place], RemovedSlot);
        Count--;
    }

    /// <summary>Adds every flow to <paramref name="flows"/>. Writer only.</summary>
    public void CopyTo(List<Flow> flows)
    {
        foreach (ulong slot in _slots)
        {
            if (slot is not (EmptySlot or RemovedSlot))
            {
                flows.Add(records.FlowOf((int)slot)!);
            }
        }
    }

    private static uint SlotHash(uint hash) => hash | 2;

    private static bool Place(ulong[] slots, ulong slot, out int passed)
    {
        passed = 0;
        uint place = (uint)(slot >> 32) & (uint)(slots.Length - 1);
        while (slots[place] is not (EmptySlot or RemovedSlot))
        {
            passed += slots[place] >> 32 == slot >> 32 ? 1 : 0;
            place = (place + 1) & (uint)(slots.Length - 1);
        }

        bool wasEmpty = slots[place] == EmptySlot;
        Volatile.Write(ref slots[place], slot);
        return wasEmpty;
    }

    // When the first flow of its hash is another packet's.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryFindAmongAll(ulong[] slots, in FlowKey key, out FlowRecord* found)
    {
        uint hash = SlotHash(signature.Hash(in key));
        for (uint place = hash & (uint)(slots.Length - 1); ; place = (place + 1) & (uint)(slots.Length - 1))
        {
            ulong slot = Volatile.Read(ref slots[place]);
            if (slot == EmptySlot)
            {
                found = null;
                return false;
            }

            if (slot >> 32 == hash)
            {
                found = records[(int)slot];
                MaskRecord* mask = found->Mask;
                if (mask != null && found->Matches(in key, mask))
                {
                    return true;
                }
            }
        }
    }

    private void Rebuild(int size)
    {
        ulong[] slots = new ulong[size];
        foreach (ulong slot in _slots)
        {
            if (slot is not (EmptySlot or RemovedSlot))
            {
                Place(slots, slot, out _);
            }
        }

        _occupied = Count;
        Volatile.Write(ref _slots, slots);
    }
}
