using System.Globalization;
using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Engine.Generators.Pipelines;

/// <summary>A place in a file as plain data.</summary>
/// <param name="File">Path of the file; empty for none.</param>
/// <param name="Span">Characters from its start.</param>
/// <param name="Lines">Lines and columns from 0.</param>
internal sealed record SourcePlace(string File, TextSpan Span, LinePositionSpan Lines)
{
    /// <summary>No place.</summary>
    public static SourcePlace None { get; } = new(string.Empty, default, default);

    /// <summary>Whether the span is a text character by character, so that there are places inside.</summary>
    public bool IsText { get; init; }

    /// <summary>The place of a piece of syntax.</summary>
    public static SourcePlace Of(Location location)
    {
        FileLinePositionSpan lines = location.GetLineSpan();
        return new(lines.Path, location.SourceSpan, lines.Span);
    }

    /// <summary>From a character of the text on, where that is known.</summary>
    public SourcePlace From(int offset)
    {
        if (!IsText || offset <= 0 || offset >= Span.Length || Lines.Start.Line != Lines.End.Line)
        {
            return this;
        }

        return this with
        {
            Span = TextSpan.FromBounds(Span.Start + offset, Span.End),
            Lines = new LinePositionSpan(new LinePosition(Lines.Start.Line, Lines.Start.Character + offset), Lines.End),
        };
    }

    /// <summary>The diagnostic here.</summary>
    public DiagnosticInfo Report(DiagnosticDescriptor descriptor, params string[] arguments) => new(descriptor, File, Span, Lines, new(arguments));

    /// <summary><c>edge.flows:3:17</c>, as other tools name places.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(File)}:{Lines.Start.Line + 1}:{Lines.Start.Character + 1}");
}
