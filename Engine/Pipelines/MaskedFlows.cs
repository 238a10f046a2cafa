using Engine.Flows;

namespace Engine.Pipelines;

/// <summary>The flows of a pipeline that have one mask, by the hash of their keys.</summary>
internal sealed class MaskedFlows
{
    private readonly FlowMask _mask;
    private readonly PipelineFlow[] _flows;
    private readonly int[] _slots;

    private MaskedFlows(FlowMask mask, PipelineFlow[] flows, List<int> numbers)
    {
        _mask = mask;
        _flows = flows;
        First = numbers[0];

        // Half full at most, and a free slot ends a search.
        _slots = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(2 * numbers.Count) + 1)];
        Array.Fill(_slots, -1);
        foreach (int flow in numbers)
        {
            int slot = SlotOf(in flows[flow].Key);
            while (_slots[slot] >= 0)
            {
                slot = (slot + 1) & (_slots.Length - 1);
            }

            _slots[slot] = flow;
        }
    }

    /// <summary>The lowest number of its flows.</summary>
    public int First { get; }

    /// <summary>The groups, by their first flows.</summary>
    public static MaskedFlows[] Group(PipelineFlow[] flows)
    {
        Dictionary<FlowMask, List<int>> numbers = [];
        List<FlowMask> order = [];
        for (int i = 0; i < flows.Length; i++)
        {
            if (!numbers.TryGetValue(flows[i].Mask, out List<int>? same))
            {
                numbers.Add(flows[i].Mask, same = []);
                order.Add(flows[i].Mask);
            }

            same.Add(i);
        }

        return [.. order.Select(mask => new MaskedFlows(mask, flows, numbers[mask]))];
    }

    /// <summary>The flow that matches a key.</summary>
    /// <returns>Its number, or -1.</returns>
    public int Find(in FlowKey key)
    {
        FlowKey.MaskedCopy(in key, in _mask.Bits, out FlowKey masked);
        ReadOnlySpan<ulong> words = FlowMask.Words(in masked);
        for (int slot = SlotOf(in key); _slots[slot] >= 0; slot = (slot + 1) & (_slots.Length - 1))
        {
            if (FlowMask.Words(in _flows[_slots[slot]].Key).SequenceEqual(words))
            {
                return _slots[slot];
            }
        }

        return -1;
    }

    private int SlotOf(in FlowKey key) => (int)_mask.Hash(in key) & (_slots.Length - 1);
}
