using System.Numerics;

namespace Engine.Generators.Pipelines;

/// <summary>The few bits that tell flows of different masks apart, and a way to number what they can be: one flow is left, to be compared as a whole.</summary>
/// <remarks>
/// For every two flows there is one of the bits that both ask for and in which they differ. The bits of each word are multiplied to the top,
/// by numbers found by trying, so that no two flows get to one place; a flow that does not ask for some of the bits has several places.
/// </remarks>
internal sealed class TellingBits
{
    // Places fit a byte's worth of flows; what needs more bits is better told apart by vectors.
    private const int MostBits = 10;
    private const int MostFlows = 256;
    private const int Trials = 20_000;

    private TellingBits((int Word, uint Mask, uint Multiplier)[] words, int shift, int[] candidateAt)
    {
        Words = words;
        Shift = shift;
        CandidateAt = candidateAt;
    }

    /// <summary>The words with their telling bits, and by what they are multiplied before they are added up.</summary>
    public (int Word, uint Mask, uint Multiplier)[] Words { get; }

    /// <summary>The place is the sum shifted right by so much.</summary>
    public int Shift { get; }

    /// <summary>Which flow is left at a place; where none is, any.</summary>
    public int[] CandidateAt { get; }

    /// <summary>Finds them.</summary>
    /// <param name="candidates">The flows.</param>
    /// <returns>Null when there are none: flows overlap, or too many bits are needed.</returns>
    public static TellingBits? Find(IReadOnlyList<Candidate> candidates)
    {
        if (candidates.Count > MostFlows || Choose(candidates) is not { } masks)
        {
            return null;
        }

        // For each pattern of the bits, by word, the flow that has it.
        List<(uint[] Pattern, int Candidate)> patterns = [];
        for (int i = 0; i < candidates.Count; i++)
        {
            foreach (uint[] pattern in Patterns(candidates[i], masks))
            {
                patterns.Add((pattern, i));
            }
        }

        int bits = masks.Sum(static word => BitOperations.PopCount(word.Mask));
        for (int width = Math.Max(bits, 1); width <= bits + 1; width++)
        {
            if (TryMultiply(masks, patterns, 32 - width) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    // The bit that tells the most pairs apart first, until all are.
    private static (int Word, uint Mask)[]? Choose(IReadOnlyList<Candidate> candidates)
    {
        int[] words = [.. candidates.SelectMany(static candidate => candidate.Words).Select(static word => word.Index).Distinct().Order()];
        List<(MaskedWord[] One, MaskedWord[] Other)> pairs = [];
        MaskedWord[][] rows = [.. candidates.Select(candidate => words.Select(candidate.WordAt).ToArray())];
        for (int i = 0; i < rows.Length; i++)
        {
            pairs.AddRange(Enumerable.Range(i + 1, rows.Length - i - 1).Select(j => (rows[i], rows[j])));
        }

        uint[] chosen = new uint[words.Length];
        for (int count = 0; pairs.Count != 0; count++)
        {
            (int word, int bit, int told) = (0, 0, 0);
            for (int i = 0; i < 32 * words.Length; i++)
            {
                int tells = pairs.Count(pair => Tells(pair, i / 32, i % 32));

                // Of equal bits one of a word that is looked at already.
                if (tells > told || (tells == told && tells != 0 && chosen[word] == 0 && chosen[i / 32] != 0))
                {
                    (word, bit, told) = (i / 32, i % 32, tells);
                }
            }

            if (told == 0 || count == MostBits)
            {
                return null;
            }

            chosen[word] |= 1u << bit;
            pairs.RemoveAll(pair => Tells(pair, word, bit));
        }

        return [.. words.Select((word, i) => (word, chosen[i])).Where(static word => word.Item2 != 0)];
    }

    private static bool Tells((MaskedWord[] One, MaskedWord[] Other) pair, int word, int bit) =>
        (pair.One[word].Mask & pair.Other[word].Mask & (pair.One[word].Value ^ pair.Other[word].Value) & (1u << bit)) != 0;

    // What the bits can be in a packet of the flow.
    private static List<uint[]> Patterns(Candidate candidate, (int Word, uint Mask)[] masks)
    {
        List<uint[]> patterns = [new uint[masks.Length]];
        for (int i = 0; i < masks.Length; i++)
        {
            MaskedWord word = candidate.WordAt(masks[i].Word);
            patterns.ForEach(pattern => pattern[i] = word.Value & masks[i].Mask);
            for (uint open = masks[i].Mask & ~word.Mask; open != 0; open &= open - 1)
            {
                uint bit = open & (0 - open);
                int at = i;
                patterns.AddRange(patterns.ConvertAll(pattern =>
                {
                    uint[] other = [.. pattern];
                    other[at] |= bit;
                    return other;
                }));
            }
        }

        return patterns;
    }

    private static TellingBits? TryMultiply((int Word, uint Mask)[] masks, List<(uint[] Pattern, int Candidate)> patterns, int shift)
    {
        // xorshift32: the same numbers in every build.
        uint random = 0x9e37_79b9;
        uint Next()
        {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            return random;
        }

        uint[] multipliers = new uint[masks.Length];
        int[] candidateAt = new int[1 << (32 - shift)];
        for (int trial = 0; trial < Trials; trial++)
        {
            for (int i = 0; i < multipliers.Length; i++)
            {
                // Few ones carry little.
                multipliers[i] = trial % 2 == 0 ? Next() & Next() : Next() & Next() & Next();
            }

            Array.Fill(candidateAt, -1);
            if (patterns.TrueForAll(found => TryTake(candidateAt, Place(found.Pattern, multipliers, shift), found.Candidate)))
            {
                return new TellingBits([.. masks.Select((word, i) => (word.Word, word.Mask, multipliers[i]))], shift, [.. candidateAt.Select(static candidate => Math.Max(candidate, 0))]);
            }
        }

        return null;
    }

    private static int Place(uint[] pattern, uint[] multipliers, int shift)
    {
        uint sum = 0;
        for (int i = 0; i < pattern.Length; i++)
        {
            sum += pattern[i] * multipliers[i];
        }

        return (int)(sum >> shift);
    }

    private static bool TryTake(int[] candidateAt, int place, int candidate)
    {
        if (candidateAt[place] >= 0 && candidateAt[place] != candidate)
        {
            return false;
        }

        candidateAt[place] = candidate;
        return true;
    }
}
