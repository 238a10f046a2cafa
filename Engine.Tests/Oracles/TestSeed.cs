using System.Globalization;
using Xunit.Abstractions;

namespace Engine.Tests.Oracles;

/// <summary>Where random tests start: the same in every run, so that a run that fails fails again. <c>ENGINE_TEST_SEED</c> gives another.</summary>
internal static class TestSeed
{
    private const int Usual = 7;

    /// <summary>The seed of this run.</summary>
    public static int Value { get; } = int.TryParse(Environment.GetEnvironmentVariable("ENGINE_TEST_SEED"), CultureInfo.InvariantCulture, out int given) ? given : Usual;

    /// <summary>Numbers from the seed, which the test's output tells.</summary>
    public static Random NewRandom(ITestOutputHelper output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {Value}"));
        return new Random(Value);
    }
}
