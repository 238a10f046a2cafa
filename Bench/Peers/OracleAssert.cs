namespace Engine.Tests.Oracles;

/// <summary>What the tests' oracles ask of xunit, which a bench has no use for.</summary>
internal static class Assert
{
    /// <summary>Throws when a condition does not hold.</summary>
    public static void True(bool condition)
    {
        if (!condition)
        {
            throw new InvalidOperationException("the oracle did not expect this packet");
        }
    }

    /// <summary>Throws when a value is out of range.</summary>
    public static void InRange(int value, int low, int high) => True(value >= low && value <= high);
}
