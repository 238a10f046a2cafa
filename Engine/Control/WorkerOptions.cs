using System.Collections.Immutable;

namespace Engine.Control;

/// <summary>The threads of a <see cref="VportRunner"/>.</summary>
public sealed record WorkerOptions
{
    /// <summary>The processors, one worker pinned to each; empty for <see cref="Count"/> workers that run where the host lets them.</summary>
    public ImmutableArray<int> Cores { get; init; } = [];

    /// <summary>How many workers where no processors are named.</summary>
    public int Count { get; init; } = 1;

    /// <summary>How long a worker looks for packets after the last one before it sleeps.</summary>
    public TimeSpan Spin { get; init; } = TimeSpan.FromMicroseconds(20);
}
