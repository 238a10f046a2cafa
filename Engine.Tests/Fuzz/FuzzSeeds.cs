using System.Globalization;

namespace Engine.Tests.Fuzz;

/// <summary>Seeds of the fuzz tests: fixed ones, so that a run can be repeated, or those in the environment variable <c>ENGINE_FUZZ_SEEDS</c>.</summary>
internal static class FuzzSeeds
{
    /// <summary>Comma-separated seeds to run instead, for a hunt.</summary>
    public const string Variable = "ENGINE_FUZZ_SEEDS";

    /// <summary>The seeds, a test each; the test's name shows it.</summary>
    public static TheoryData<int> All =>
        [.. (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } chosen ? chosen : "20261121,1").Split(',').Select(seed => int.Parse(seed, CultureInfo.InvariantCulture))];
}
