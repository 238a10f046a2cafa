using System.Collections.Immutable;
using System.Globalization;
using Engine.Platform;

namespace Engine.Cli;

/// <summary>A list of processors as the kernel writes it: <c>0,2-4</c>.</summary>
internal static class CoreList
{
    /// <summary>Reads a list; each processor once, and one that this process may use.</summary>
    /// <param name="text">The list.</param>
    /// <param name="cores">The processors in the order in which they stand there.</param>
    /// <param name="fault">What is wrong with it, or null.</param>
    public static bool TryParse(string text, out ImmutableArray<int> cores, out string? fault)
    {
        ImmutableArray<int> usable = ProcessorSet.Current;
        ImmutableArray<int>.Builder found = ImmutableArray.CreateBuilder<int>();
        cores = [];
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Split('-', 2);
            if (!TryRead(ends[0], out int first) || !TryRead(ends[^1], out int last) || last < first)
            {
                fault = $"\"{part}\" is not a processor or a range of them, as in 0,2-4";
                return false;
            }

            for (int core = first; core <= last; core++)
            {
                if (!usable.Contains(core) || found.Contains(core))
                {
                    fault = found.Contains(core) ? $"processor {core} is named twice" : $"there is no processor {core}, or it may not be used";
                    return false;
                }

                found.Add(core);
            }
        }

        cores = found.ToImmutable();
        fault = null;
        return true;
    }

    private static bool TryRead(string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
