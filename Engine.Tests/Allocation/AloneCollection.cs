namespace Engine.Tests.Allocation;

/// <summary>Tests that measure memory or time: they run one after the other when all others are done.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    /// <summary>For <c>[Collection]</c>.</summary>
    public const string Name = "alone";
}
