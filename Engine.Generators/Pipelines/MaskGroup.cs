using Engine.Generators.Infrastructure;

namespace Engine.Generators.Pipelines;

/// <summary>The flows of one mask.</summary>
/// <param name="Words">The mask; values are 0.</param>
/// <param name="Flows">Indices of the flows, ascending.</param>
internal sealed record MaskGroup(MaskedWord[] Words, List<int> Flows)
{
    /// <summary>The groups, in the order in which their masks first come.</summary>
    public static List<MaskGroup> Of(IReadOnlyList<FlowSpec> flows)
    {
        Dictionary<EquatableArray<MaskedWord>, MaskGroup> groups = [];
        List<MaskGroup> order = [];
        for (int i = 0; i < flows.Count; i++)
        {
            EquatableArray<MaskedWord> mask = flows[i].Match.Select(static word => word with { Value = 0 }).ToEquatableArray();
            if (!groups.TryGetValue(mask, out MaskGroup? group))
            {
                group = new MaskGroup([.. mask], []);
                groups.Add(mask, group);
                order.Add(group);
            }

            group.Flows.Add(i);
        }

        return order;
    }

    /// <summary>The bits that both masks have.</summary>
    public static MaskedWord[] Common(MaskedWord[] one, MaskedWord[] other)
    {
        List<MaskedWord> common = [];
        int at = 0;
        foreach (MaskedWord word in one)
        {
            while (at < other.Length && other[at].Index < word.Index)
            {
                at++;
            }

            if (at < other.Length && other[at].Index == word.Index && (word.Mask & other[at].Mask) != 0)
            {
                common.Add(word with { Mask = word.Mask & other[at].Mask });
            }
        }

        return [.. common];
    }

    /// <summary>What a flow has in some of the bits of its mask.</summary>
    public static EquatableArray<uint> Key(FlowSpec flow, MaskedWord[] bits)
    {
        uint[] key = new uint[bits.Length];
        int at = 0;
        for (int i = 0; i < bits.Length; i++)
        {
            while (flow.Match[at].Index != bits[i].Index)
            {
                at++;
            }

            key[i] = flow.Match[at].Value & bits[i].Mask;
        }

        return new(key);
    }
}
