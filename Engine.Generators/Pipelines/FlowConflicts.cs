using Engine.Generators.Infrastructure;

namespace Engine.Generators.Pipelines;

/// <summary>Which flows of a pipeline take packets from each other.</summary>
/// <remarks>
/// Flows overlap when their keys agree in all bits that both masks have. Flows of one mask never do, so masks are compared with masks:
/// for each pair the flows of the larger side are found by a hash of the common bits.
/// </remarks>
internal sealed class FlowConflicts
{
    private readonly List<(int Flow, int Earlier, Kind Kind)> _found = [];

    /// <summary>What is wrong with a flow because of an earlier one.</summary>
    public enum Kind
    {
        /// <summary>Both match exactly the same.</summary>
        Duplicate,

        /// <summary>The earlier one matches all that this one does.</summary>
        Unreachable,

        /// <summary>Some packets match both, and the actions differ.</summary>
        Overlap,
    }

    /// <summary>In the order of the flows; of each flow the first conflict only.</summary>
    public IReadOnlyList<(int Flow, int Earlier, Kind Kind)> Found => _found;

    /// <summary>Whether two flows are the same.</summary>
    public bool HasDuplicates { get; private set; }

    /// <summary>Whether any packet can match two flows, of whatever actions.</summary>
    public bool HasOverlaps { get; private set; }

    /// <summary>Compares all flows.</summary>
    public static FlowConflicts Find(IReadOnlyList<FlowSpec> flows, CancellationToken cancellation)
    {
        FlowConflicts conflicts = new();
        SortedDictionary<int, (int Earlier, Kind Kind)> first = [];
        List<MaskGroup> groups = MaskGroup.Of(flows);
        void Note(int one, int other, Kind kind)
        {
            (int earlier, int later) = one < other ? (one, other) : (other, one);
            if (!first.TryGetValue(later, out (int, Kind Kind) known) || kind < known.Kind)
            {
                first[later] = (earlier, kind);
            }
        }

        foreach (MaskGroup group in groups)
        {
            Dictionary<EquatableArray<uint>, int> seen = [];
            foreach (int flow in group.Flows)
            {
                if (!seen.TryAdd(MaskGroup.Key(flows[flow], group.Words), flow))
                {
                    conflicts.HasDuplicates = true;
                    Note(seen[MaskGroup.Key(flows[flow], group.Words)], flow, Kind.Duplicate);
                }
            }
        }

        for (int i = 0; i < groups.Count; i++)
        {
            for (int j = i + 1; j < groups.Count; j++)
            {
                cancellation.ThrowIfCancellationRequested();
                foreach ((int one, int other) in Overlaps(flows, groups[i], groups[j]))
                {
                    conflicts.HasOverlaps = true;
                    (FlowSpec earlier, FlowSpec later) = one < other ? (flows[one], flows[other]) : (flows[other], flows[one]);
                    if (Covers(earlier, later))
                    {
                        Note(one, other, Kind.Unreachable);
                    }
                    else if (earlier.List != later.List)
                    {
                        Note(one, other, Kind.Overlap);
                    }
                }
            }
        }

        conflicts._found.AddRange(first.Select(static entry => (entry.Key, entry.Value.Earlier, entry.Value.Kind)));
        return conflicts;
    }

    private static IEnumerable<(int One, int Other)> Overlaps(IReadOnlyList<FlowSpec> flows, MaskGroup one, MaskGroup other)
    {
        if (one.Flows.Count == 1 && other.Flows.Count == 1)
        {
            if (Agree(flows[one.Flows[0]], flows[other.Flows[0]]))
            {
                yield return (one.Flows[0], other.Flows[0]);
            }

            yield break;
        }

        MaskedWord[] common = MaskGroup.Common(one.Words, other.Words);
        Dictionary<EquatableArray<uint>, List<int>> index = [];
        foreach (int flow in one.Flows)
        {
            EquatableArray<uint> key = MaskGroup.Key(flows[flow], common);
            if (!index.TryGetValue(key, out List<int>? same))
            {
                index.Add(key, same = []);
            }

            same.Add(flow);
        }

        foreach (int flow in other.Flows)
        {
            if (index.TryGetValue(MaskGroup.Key(flows[flow], common), out List<int>? same))
            {
                // Two are enough to tell the first and that there are more.
                foreach (int found in same.Take(2))
                {
                    yield return (found, flow);
                }
            }
        }
    }

    // In all bits that both masks have.
    private static bool Agree(FlowSpec one, FlowSpec other)
    {
        int at = 0;
        for (int i = 0; i < one.Match.Count; i++)
        {
            MaskedWord word = one.Match[i];
            while (at < other.Match.Count && other.Match[at].Index < word.Index)
            {
                at++;
            }

            if (at < other.Match.Count && other.Match[at].Index == word.Index && ((word.Value ^ other.Match[at].Value) & word.Mask & other.Match[at].Mask) != 0)
            {
                return false;
            }
        }

        return true;
    }

    private static bool Covers(FlowSpec wide, FlowSpec narrow)
    {
        int at = 0;
        foreach (MaskedWord word in wide.Match)
        {
            while (at < narrow.Match.Count && narrow.Match[at].Index < word.Index)
            {
                at++;
            }

            if (at == narrow.Match.Count || narrow.Match[at].Index != word.Index || (word.Mask & ~narrow.Match[at].Mask) != 0)
            {
                return false;
            }
        }

        return true;
    }
}
