using Engine.Generators.Infrastructure;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Engine.Generators.Pipelines;

/// <summary>What the source says of a pipeline: the class, the name of its file, and its <c>[Flow]</c>s with their places.</summary>
/// <param name="Namespace">Namespace of the class.</param>
/// <param name="Name">Name of the class.</param>
/// <param name="IsStatic">Whether the class is static.</param>
/// <param name="IsExtensible">Whether another part of the class can be generated.</param>
/// <param name="Place">Where the class is named.</param>
/// <param name="File">Name of the file of flows; null if none.</param>
/// <param name="FilePlace">Where the file is named.</param>
/// <param name="Flows">The flows given as attributes, in their order.</param>
internal sealed record PipelineDeclaration(
    string Namespace,
    string Name,
    bool IsStatic,
    bool IsExtensible,
    SourcePlace Place,
    string? File,
    SourcePlace FilePlace,
    EquatableArray<FlowDeclaration> Flows)
{
    /// <summary>The attribute that marks the class.</summary>
    public const string MarkerAttribute = "Engine.Pipelines.PipelineAttribute";

    private const string FlowAttribute = "Engine.Pipelines.FlowAttribute";

    /// <summary>Reads the attributes of a class.</summary>
    public static PipelineDeclaration Read(GeneratorAttributeSyntaxContext context, CancellationToken cancellation)
    {
        INamedTypeSymbol type = (INamedTypeSymbol)context.TargetSymbol;
        TypeDeclarationSyntax declaration = (TypeDeclarationSyntax)context.TargetNode;
        AttributeData marker = context.Attributes[0];
        List<FlowDeclaration> flows = [];
        foreach (AttributeData attribute in type.GetAttributes())
        {
            cancellation.ThrowIfCancellationRequested();
            if (attribute.AttributeClass?.ToDisplayString() == FlowAttribute
                && attribute.ConstructorArguments is [{ Value: string key }, { Value: string actions }])
            {
                flows.Add(new FlowDeclaration(key, actions, PlaceOf(attribute, 0, key), PlaceOf(attribute, 1, actions)));
            }
        }

        return new PipelineDeclaration(
            type.ContainingNamespace.IsGlobalNamespace ? string.Empty : type.ContainingNamespace.ToDisplayString(),
            type.Name,
            type.IsStatic,
            declaration.Modifiers.Any(SyntaxKind.PartialKeyword) && type is { ContainingType: null, IsGenericType: false, TypeKind: TypeKind.Class, IsRecord: false },
            SourcePlace.Of(declaration.Identifier.GetLocation()),
            marker.ConstructorArguments is [{ Value: string file }] ? file : null,
            PlaceOf(marker, 0, string.Empty),
            flows.ToEquatableArray());
    }

    // Where the first character of a string argument stands, when the text is written as it is; else the argument as a whole.
    private static SourcePlace PlaceOf(AttributeData attribute, int index, string text)
    {
        if (attribute.ApplicationSyntaxReference?.GetSyntax() is not AttributeSyntax syntax)
        {
            return SourcePlace.None;
        }

        if (syntax.ArgumentList is not { } list || list.Arguments.Count <= index)
        {
            return SourcePlace.Of(syntax.GetLocation());
        }

        ExpressionSyntax argument = list.Arguments[index].Expression;
        int start = argument is LiteralExpressionSyntax literal ? literal.Token.Text.IndexOf(text, StringComparison.Ordinal) : -1;
        return start > 0
            ? SourcePlace.Of(Location.Create(syntax.SyntaxTree, new TextSpan(argument.SpanStart + start, text.Length))) with { IsText = true }
            : SourcePlace.Of(argument.GetLocation());
    }
}

/// <summary>A <c>[Flow]</c>.</summary>
/// <param name="Key">The key with its mask.</param>
/// <param name="Actions">The actions.</param>
/// <param name="KeyPlace">Where the key is written.</param>
/// <param name="ActionsPlace">Where the actions are written.</param>
internal sealed record FlowDeclaration(string Key, string Actions, SourcePlace KeyPlace, SourcePlace ActionsPlace);
