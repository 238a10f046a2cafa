using Engine.Pipelines;

namespace Bench;

/// <summary>The flows of <c>sixteen.flows</c>, compiled.</summary>
[Pipeline("sixteen.flows")]
public sealed partial class SixteenFlows;

/// <summary>The flows of <c>thousand.flows</c>, compiled.</summary>
[Pipeline("thousand.flows")]
public sealed partial class ThousandFlows;
