using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Engine.Generators.Infrastructure;

/// <summary>A diagnostic as plain data: it can be compared and keeps no syntax tree alive.</summary>
internal sealed record DiagnosticInfo(
    DiagnosticDescriptor Descriptor,
    string FilePath,
    TextSpan Span,
    LinePositionSpan Lines,
    EquatableArray<string> Arguments)
{
    /// <summary>Takes the place from <paramref name="location"/>.</summary>
    public static DiagnosticInfo Create(DiagnosticDescriptor descriptor, Location? location, params string[] arguments)
    {
        FileLinePositionSpan lines = location?.GetLineSpan() ?? default;
        return new(descriptor, lines.Path ?? string.Empty, location?.SourceSpan ?? default, lines.Span, new(arguments));
    }

    /// <summary>The diagnostic to report.</summary>
    public Diagnostic ToDiagnostic() => At(FilePath.Length == 0 ? Location.None : Location.Create(FilePath, Span, Lines));

    /// <summary>The diagnostic to report, in a syntax tree if the place is in one: only there an editor offers fixes.</summary>
    public Diagnostic ToDiagnostic(Compilation compilation) =>
        FilePath.Length != 0 && compilation.SyntaxTrees.FirstOrDefault(tree => tree.FilePath == FilePath) is { } tree && Span.End <= tree.Length
            ? At(Location.Create(tree, Span))
            : ToDiagnostic();

    private Diagnostic At(Location location) => Diagnostic.Create(Descriptor, location, [.. Arguments]);
}
