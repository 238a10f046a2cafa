using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Engine.Tests.Architecture;

/// <summary>The layer of every folder of Engine, and what a source file imports.</summary>
/// <remarks>Imports point only from a higher number to a lower one. Folders with the same number do not know each other.</remarks>
internal static class Layers
{
    /// <summary>The table. A new folder is a new line here.</summary>
    public static IReadOnlyDictionary<string, int> ByFolder { get; } = new Dictionary<string, int>
    {
        ["Pipelines"] = 7,
        ["Control"] = 6,
        ["Text"] = 6,
        ["Datapaths"] = 5,
        ["Tunnels"] = 4,
        ["Vports"] = 3,
        ["Actions"] = 3,
        ["Conntrack"] = 3,
        ["Meters"] = 3,
        ["Upcalls"] = 3,
        ["Flows"] = 2,
        ["Packets"] = 1,
        ["Protocols"] = 1,
        ["Netlink"] = 1,
        ["Platform"] = 1,
        ["Primitives"] = 0,
        ["Annotations"] = 0,
    };

    /// <summary>The breaches of the table in a file, a sentence each.</summary>
    /// <param name="folder">The folder below Engine the file stands in.</param>
    /// <param name="tree">The file, parsed.</param>
    public static IEnumerable<string> Breaches(string folder, SyntaxTree tree)
    {
        if (!ByFolder.TryGetValue(folder, out int layer))
        {
            yield return $"folder {folder} has no layer";
            yield break;
        }

        foreach ((string imported, int line) in Imports(tree))
        {
            if (imported != folder && ByFolder.TryGetValue(imported, out int below) && below >= layer)
            {
                yield return $"line {line}: {folder} (layer {layer}) imports {imported} (layer {below})";
            }
        }
    }

    /// <summary>The folders of Engine that a file names: in a using, in a qualified name from Engine on, or in a type named from the folder on.</summary>
    public static IEnumerable<(string Folder, int Line)> Imports(SyntaxTree tree)
    {
        foreach (SyntaxNode node in tree.GetRoot().DescendantNodes())
        {
            string[] parts = node switch
            {
                UsingDirectiveSyntax { NamespaceOrType: { } type } => type.ToString().Split('.'),
                QualifiedNameSyntax name when name.Parent is not (QualifiedNameSyntax or BaseNamespaceDeclarationSyntax or UsingDirectiveSyntax) => name.ToString().Split('.'),
                MemberAccessExpressionSyntax access when access.Parent is not MemberAccessExpressionSyntax => access.ToString().Split('.'),
                _ => [],
            };

            if (parts.Length != 0)
            {
                parts[0] = parts[0].Replace("global::", string.Empty, StringComparison.Ordinal);
            }

            string? folder = parts switch
            {
                ["Engine", string second, ..] => second,
                [string first, _, ..] when node is QualifiedNameSyntax or UsingDirectiveSyntax => first,
                _ => null,
            };

            if (folder is not null && ByFolder.ContainsKey(folder))
            {
                yield return (folder, node.GetLocation().GetLineSpan().StartLinePosition.Line + 1);
            }
        }
    }

    /// <summary>Parses a file of Engine.</summary>
    public static SyntaxTree Parse(string path) =>
        CSharpSyntaxTree.ParseText(
            File.ReadAllText(Path.Combine(Repository.Root, "Engine", path)),
            new CSharpParseOptions(LanguageVersion.Preview, preprocessorSymbols: ["DEBUG", "NET"]),
            path);
}
