using Engine.Generators.Infrastructure;
using Engine.Text;
using Microsoft.CodeAnalysis.Text;

namespace Engine.Generators.Pipelines;

/// <summary>A flow that the parser took, with its text and where both halves of it stand.</summary>
/// <param name="Line">What was read.</param>
/// <param name="Text">Key and actions in one line.</param>
/// <param name="Place">Where the flow is written.</param>
/// <param name="PlaceOf">The place of a character of <paramref name="Text"/>.</param>
internal sealed record FlowSource(FlowLine Line, string Text, SourcePlace Place, Func<int, SourcePlace> PlaceOf)
{
    /// <summary>Reads a <c>[Flow]</c>: the line of a file that has the key, a space and the actions.</summary>
    public static FlowSource? Read(FlowDeclaration declaration, List<DiagnosticInfo> diagnostics)
    {
        string key = OneLine(declaration.Key), text = $"{key} {OneLine(declaration.Actions)}";
        SourcePlace PlaceOf(int offset) => offset <= key.Length && key.Trim().Length != 0
            ? declaration.KeyPlace.From(offset)
            : declaration.ActionsPlace.From(offset - key.Length - 1);

        FlowFile.TryParse(string.Empty, text, out IReadOnlyList<FlowLine> lines, out IReadOnlyList<FlowFileError> errors);
        foreach (FlowFileError error in errors)
        {
            diagnostics.Add(PlaceOf(error.Column - 1).Report(PipelineDiagnostics.FlowRefused, error.Message));
        }

        if (lines.Count == 0 && errors.Count == 0)
        {
            diagnostics.Add(declaration.KeyPlace.Report(PipelineDiagnostics.FlowRefused, "expected a key attribute such as eth_type(0x0800)"));
        }

        return lines.Count == 0 ? null : new FlowSource(lines[0], text, declaration.KeyPlace, PlaceOf);
    }

    /// <summary>Reads the flows of a file.</summary>
    public static IEnumerable<FlowSource> Read(FlowsFile file, List<DiagnosticInfo> diagnostics)
    {
        FlowFile.TryParse(file.Path, file.Content, out IReadOnlyList<FlowLine> lines, out IReadOnlyList<FlowFileError> errors);
        SourceText source = SourceText.From(file.Content);
        SourcePlace PlaceAt(int line, int offset)
        {
            TextSpan span = source.Lines[line - 1].Span;
            span = TextSpan.FromBounds(Math.Min(span.Start + offset, span.End), span.End);
            return new SourcePlace(file.Path, span, source.Lines.GetLinePositionSpan(span));
        }

        foreach (FlowFileError error in errors)
        {
            diagnostics.Add(PlaceAt(error.Line, error.Column - 1).Report(PipelineDiagnostics.FlowRefused, error.Message));
        }

        foreach (FlowLine line in lines)
        {
            yield return new FlowSource(line, OneLine(source.Lines[line.Line - 1].ToString()), PlaceAt(line.Line, 0), offset => PlaceAt(line.Line, offset));
        }
    }

    // A literal may go over several lines, which for a file would be several flows.
    private static string OneLine(string text) => string.Concat(text.Select(static c => char.IsControl(c) || c is '\u2028' or '\u2029' or '\ufeff' ? ' ' : c));
}

/// <summary>An additional file with flows.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Content">Its text; null content reads as empty.</param>
internal sealed record FlowsFile(string Path, string Content);
