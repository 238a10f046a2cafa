using System.Numerics;
using System.Runtime.CompilerServices;

namespace Engine.Flows;

/// <summary>Flows found by one masked hash: an open-addressed hash table.</summary>
/// <remarks>
/// <para>The <see cref="Signature"/> is the part of the flows' masks that is hashed; each flow is compared under its own mask. So
/// one subtable can hold the flows of many masks (<see cref="FlowTable"/> says which).</para>
/// <para>Threads: one writer, any number of readers without locks. A slot's flow is written before its hash, and removed after it;
/// a reader that sees a hash checks the flow itself, so it can miss a flow that comes or goes at that moment but never take a
/// wrong one. Growth builds new slots and publishes them at once.</para>
/// </remarks>
internal sealed class Subtable(FlowMask signature)
{
    private const uint EmptyHash = 0;
    private const uint RemovedHash = 1;
    private const int MinimumSlots = 8;

    private Slot[] _slots = new Slot[MinimumSlots];
    private int _occupied;

    /// <summary>The bits that are hashed; every flow's mask has them all.</summary>
    public FlowMask Signature => signature;

    /// <summary>Flows in the table.</summary>
    public int Count { get; private set; }

    /// <summary>Finds the flow that a packet with this key matches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Flow? Find(in FlowKey key) => Find(in key, SlotHash(signature.Hash(in key)));

    /// <summary>Finds the flow whose identity is this unmasked key. Writer only.</summary>
    public Flow? FindExact(in FlowKey key)
    {
        Slot[] slots = _slots;
        uint hash = SlotHash(signature.Hash(in key));
        for (uint index = hash & (uint)(slots.Length - 1); slots[index].Hash != EmptyHash; index = (index + 1) & (uint)(slots.Length - 1))
        {
            if (slots[index].Hash == hash && slots[index].Flow is { } flow && !flow.Ufid.IsPresent && flow.Matches(in key) && flow.UnmaskedKeyEquals(in key))
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
        if (Place(_slots, flow, hash, out int passed))
        {
            _occupied++;
        }

        Count++;
        return passed;
    }

    /// <summary>Removes a flow that is in the table. Writer only.</summary>
    public void Remove(Flow flow, in FlowKey key)
    {
        Slot[] slots = _slots;
        uint index = SlotHash(signature.Hash(in key)) & (uint)(slots.Length - 1);
        while (slots[index].Flow != flow)
        {
            index = (index + 1) & (uint)(slots.Length - 1);
        }

        Volatile.Write(ref slots[index].Hash, RemovedHash);
        Volatile.Write(ref slots[index].Flow, null);
        Count--;
    }

    /// <summary>Adds every flow to <paramref name="flows"/>. Writer only.</summary>
    public void CopyTo(List<Flow> flows)
    {
        foreach (Slot slot in _slots)
        {
            if (slot.Flow is { } flow)
            {
                flows.Add(flow);
            }
        }
    }

    // The two lowest values mark slots without a flow.
    private static uint SlotHash(uint hash) => hash | 2;

    private static bool Place(Slot[] slots, Flow flow, uint hash, out int passed)
    {
        passed = 0;
        uint index = hash & (uint)(slots.Length - 1);
        while (slots[index].Hash is not (EmptyHash or RemovedHash))
        {
            passed += slots[index].Hash == hash ? 1 : 0;
            index = (index + 1) & (uint)(slots.Length - 1);
        }

        bool wasEmpty = slots[index].Hash == EmptyHash;
        Volatile.Write(ref slots[index].Flow, flow);
        Volatile.Write(ref slots[index].Hash, hash);
        return wasEmpty;
    }

    private Flow? Find(in FlowKey key, uint hash)
    {
        Slot[] slots = Volatile.Read(ref _slots);
        uint index = hash & (uint)(slots.Length - 1);
        while (true)
        {
            ref Slot slot = ref slots[index];
            uint slotHash = Volatile.Read(ref slot.Hash);
            if (slotHash == hash && Volatile.Read(ref slot.Flow) is { } flow && flow.Matches(in key))
            {
                return flow;
            }

            if (slotHash == EmptyHash)
            {
                return null;
            }

            index = (index + 1) & (uint)(slots.Length - 1);
        }
    }

    private void Rebuild(int size)
    {
        Slot[] slots = new Slot[size];
        foreach (Slot slot in _slots)
        {
            if (slot.Flow is { } flow)
            {
                Place(slots, flow, slot.Hash, out _);
            }
        }

        _occupied = Count;
        Volatile.Write(ref _slots, slots);
    }

    private struct Slot
    {
        public Flow? Flow;
        public uint Hash;
    }
}
