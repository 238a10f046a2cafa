using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Engine.Generators.CodeFixes;

/// <summary>Removes a <c>[Flow]</c> that no packet gets to: ENG0408, ENG0409, and ENG0403 where an earlier one is written alike, actions included.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RemoveFlowFix))]
[Shared]
public sealed class RemoveFlowFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds => FlowRemoval.Ids;

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode? root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        if (root?.FindNode(context.Span, getInnermostNodeForTie: true).FirstAncestorOrSelf<AttributeSyntax>() is not { Parent: AttributeListSyntax list } flow)
        {
            return;
        }

        foreach (Diagnostic diagnostic in context.Diagnostics)
        {
            if (diagnostic.Id != FlowRemoval.GivenTwice || IsRepeated(flow))
            {
                context.RegisterCodeFix(
                    CodeAction.Create(FlowRemoval.Title, cancellation => RemoveAsync(context.Document, list, flow, cancellation), nameof(RemoveFlowFix)),
                    diagnostic);
            }
        }
    }

    // Whether the class has the very attribute before it, besides spaces and comments.
    private static bool IsRepeated(AttributeSyntax flow) =>
        flow.FirstAncestorOrSelf<TypeDeclarationSyntax>() is { } type
        && type.AttributeLists.SelectMany(static list => list.Attributes).TakeWhile(other => other != flow).Any(other => SyntaxFactory.AreEquivalent(other, flow));

    private static async Task<Document> RemoveAsync(Document document, AttributeListSyntax list, AttributeSyntax flow, CancellationToken cancellation)
    {
        SourceText text = await document.GetTextAsync(cancellation).ConfigureAwait(false);
        return document.WithText(text.WithChanges(new TextChange(SpanOf(text, list, flow), string.Empty)));
    }

    // The list goes with its only attribute; of several, one goes with a comma.
    private static TextSpan SpanOf(SourceText text, AttributeListSyntax list, AttributeSyntax flow)
    {
        int index = list.Attributes.IndexOf(flow);
        return list.Attributes.Count == 1 ? FlowRemoval.WithItsLines(text, list.Span)
            : index + 1 < list.Attributes.Count ? TextSpan.FromBounds(flow.SpanStart, list.Attributes[index + 1].SpanStart)
            : TextSpan.FromBounds(list.Attributes[index - 1].Span.End, flow.Span.End);
    }
}
