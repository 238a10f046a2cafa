using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Text;

namespace Engine.Generators.CodeFixes;

/// <summary>What <see cref="RemoveFlowFix"/> does, for a line of a file of flows.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RemoveFlowLineFix), DocumentKinds = [nameof(TextDocumentKind.AdditionalDocument)], DocumentExtensions = [".flows"])]
[Shared]
public sealed class RemoveFlowLineFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds => FlowRemoval.Ids;

    /// <inheritdoc/>
    // There is none for documents that are not C#.
    public override FixAllProvider? GetFixAllProvider() => null;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SourceText text = await context.TextDocument.GetTextAsync(context.CancellationToken).ConfigureAwait(false);
        TextLine line = text.Lines.GetLineFromPosition(context.Span.Start);
        foreach (Diagnostic diagnostic in context.Diagnostics)
        {
            if (diagnostic.Id != FlowRemoval.GivenTwice || IsRepeated(text, line))
            {
                context.RegisterCodeFix(
                    CodeAction.Create(FlowRemoval.Title, _ => Task.FromResult(Remove(context.TextDocument, text, line)), nameof(RemoveFlowLineFix)),
                    diagnostic);
            }
        }
    }

    private static bool IsRepeated(SourceText text, TextLine line) =>
        text.Lines.Take(line.LineNumber).Any(earlier => earlier.ToString().Trim() == line.ToString().Trim());

    private static Solution Remove(TextDocument document, SourceText text, TextLine line) => document.Project.Solution.WithAdditionalDocumentText(
        document.Id, text.WithChanges(new TextChange(FlowRemoval.WithItsLines(text, line.Span), string.Empty)));
}
