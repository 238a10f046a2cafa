namespace Engine.Generators.Pipelines;

/// <summary>A flow as one shape of frames asks for it.</summary>
/// <param name="Number">Number of the flow.</param>
/// <param name="Words">What is left to ask, in the order of the key.</param>
internal sealed record Candidate(int Number, MaskedWord[] Words)
{
    /// <summary>The bits asked for in a word.</summary>
    public MaskedWord WordAt(int index) => Words.FirstOrDefault(word => word.Index == index, new MaskedWord(index, 0, 0));
}

/// <summary>How the flows of one shape are told apart: perfect hashes for the many of one mask, vectors for the others.</summary>
/// <param name="Hashed">Groups of flows of one mask.</param>
/// <param name="Lanes">The others, in their order.</param>
/// <remarks>
/// This is where code becomes data: <see cref="LeastHashed"/> flows of one mask become a table, and a shape with more than
/// <see cref="MaximumLanes"/> flows of other masks, even with tables for the largest of them, is left to the run-time table.
/// </remarks>
internal sealed record MatchPlan(List<List<Candidate>> Hashed, List<Candidate> Lanes)
{
    /// <summary>Flows of one mask from which on they are hashed.</summary>
    public const int LeastHashed = 16;

    /// <summary>Flows that are told apart by vectors of constants in code.</summary>
    public const int MaximumLanes = 256;

    /// <summary>Hashed groups of one shape.</summary>
    public const int MaximumHashed = 64;

    /// <summary>Decides.</summary>
    /// <returns>Null when there are too many different masks for code.</returns>
    public static MatchPlan? Of(IReadOnlyList<Candidate> candidates)
    {
        List<List<Candidate>> hashed = [];
        HashSet<int> taken = [];
        foreach (List<Candidate> group in candidates
            .GroupBy(static candidate => string.Join(',', candidate.Words.Select(static word => (word.Index, word.Mask))))
            .Select(static group => group.ToList())
            .OrderByDescending(static group => group.Count))
        {
            bool isNeeded = candidates.Count - taken.Count > MaximumLanes && group.Count > 1;
            if (hashed.Count < MaximumHashed && group[0].Words.Length != 0 && (group.Count >= LeastHashed || isNeeded))
            {
                hashed.Add(group);
                taken.UnionWith(group.Select(static candidate => candidate.Number));
            }
        }

        List<Candidate> lanes = [.. candidates.Where(candidate => !taken.Contains(candidate.Number))];
        return lanes.Count > MaximumLanes ? null : new MatchPlan(hashed, lanes);
    }
}
