namespace Engine.Generators.Infrastructure;

/// <summary>What a parser found: the spec, unless an error forbids one, and what to report.</summary>
internal sealed record ParseResult<TSpec>(TSpec? Spec, EquatableArray<DiagnosticInfo> Diagnostics)
    where TSpec : class, IEquatable<TSpec>;
