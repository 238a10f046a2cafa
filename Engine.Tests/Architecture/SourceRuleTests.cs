using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Engine.Tests.Architecture;

/// <summary>What every source file of Engine keeps to.</summary>
public sealed class SourceRuleTests
{
    // Files of several small nouns that are one idea.
    private static readonly string[] SeveralNouns = ["BigEndian"];

    // Pointers and Unsafe live here; elsewhere only a Packet* passes through.
    private static readonly string[] UnsafeFolders = ["Packets", "Platform", "Primitives"];

    // Where the packet path was measured to need it; each place says why it is in bounds.
    private static readonly string[] UnsafeFiles =
    [
        "Datapaths/Datapath.cs", // Hashes and records of a batch on the stack.
        "Datapaths/Worker.cs", // Keys of a batch in pinned memory.
        "Flows/Flow.cs", // The core of the masked key, read as a key; its record.
        "Flows/FlowCache.cs", "Flows/FlowMask.cs", "Flows/FlowRecord.cs", "Flows/FlowRecords.cs", "Flows/FlowTable.cs", "Flows/MaskRecord.cs",
        "Flows/FlowTemplate.cs", // Bytes from a record into attributes, at offsets found once.
        "Flows/FlowKeyExtractor.Vector.cs", // A whole core from the frame to the key at once.
        "Flows/Subtable.cs", "Flows/TailPool.cs", // Records of flows and masks in native memory: two cache lines a packet instead of five.
        "Tunnels/TunnelRing.cs", // Runs of datagrams in native memory: unwrapping costs half.
    ];

    [Fact]
    public void The_namespace_is_the_folder()
    {
        Check((path, root) =>
        {
            string expected = string.Join('.', ["Engine", .. path.Split('/')[..^1]]);
            return root.DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>()
                .Where(space => space is not FileScopedNamespaceDeclarationSyntax || space.Name.ToString() != expected)
                .Select(space => $"namespace {space.Name} instead of a file-scoped {expected}");
        });
    }

    [Fact]
    public void The_file_is_named_for_its_noun()
    {
        Check((path, root) =>
        {
            string noun = Path.GetFileName(path).Split('.')[0];
            string[] types = [.. TopLevelTypes(root).Select(NameOf)];
            return types.Length == 0 || types.Contains(noun) || SeveralNouns.Contains(noun) ? [] : [$"declares {string.Join(", ", types)} but no {noun}"];
        });
    }

    [Fact]
    public void No_type_is_named_for_being_helpful()
    {
        string[] endings = ["Helper", "Helpers", "Manager", "Util", "Utils", "Utility", "Info"];
        Check((_, root) => root.DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
            .Select(type => type.Identifier.Text)
            .Where(name => endings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal))));
    }

    [Fact]
    public void Pointers_and_Unsafe_stay_in_their_folders()
    {
        Check((path, root) => UnsafeFolders.Contains(path.Split('/')[0]) || UnsafeFiles.Contains(path)
            ? []
            : root.DescendantNodes().Where(IsUnsafe).Select(node => $"line {LineOf(node)}: {node.ToString().Split('\n')[0]}"));
    }

    [Fact]
    public void No_comment_leaves_work_for_later()
    {
        string[] marks = ["TODO", "FIXME", "XXX", "HACK"];
        Check((_, root) => root.DescendantTrivia(descendIntoTrivia: false)
            .Where(trivia => trivia.IsKind(SyntaxKind.SingleLineCommentTrivia) || trivia.IsKind(SyntaxKind.MultiLineCommentTrivia))
            .Where(trivia => marks.Any(mark => trivia.ToString().Contains(mark, StringComparison.Ordinal)))
            .Select(trivia => trivia.ToString()));
    }

    [Fact]
    public void Nothing_is_left_unfinished()
    {
        string[] unfinished = ["NotImplementedException", "NotSupportedException"];
        Check((_, root) => root.DescendantNodes().OfType<ObjectCreationExpressionSyntax>()
            .Where(creation => unfinished.Contains(creation.Type.ToString()))
            .Select(creation => $"line {LineOf(creation)}: {creation}"));
    }

    private static bool IsUnsafe(SyntaxNode node) => node switch
    {
        PointerTypeSyntax pointer => pointer.ElementType.ToString() != "Packet",
        FixedStatementSyntax => true,
        MemberAccessExpressionSyntax access => access.Expression.ToString() is "Unsafe" && access.Name.Identifier.Text != "SizeOf",
        _ => false,
    };

    private static IEnumerable<MemberDeclarationSyntax> TopLevelTypes(SyntaxNode root) =>
        root.DescendantNodes(node => node is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax)
            .OfType<MemberDeclarationSyntax>()
            .Where(member => member is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax);

    private static string NameOf(MemberDeclarationSyntax type) => type switch
    {
        BaseTypeDeclarationSyntax declaration => declaration.Identifier.Text,
        DelegateDeclarationSyntax declaration => declaration.Identifier.Text,
        _ => string.Empty,
    };

    private static int LineOf(SyntaxNode node) => node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;

    private static void Check(Func<string, SyntaxNode, IEnumerable<string>> rule)
    {
        List<string> breaches = [];
        foreach (string path in Repository.SourcesOf("Engine"))
        {
            breaches.AddRange(rule(path, Layers.Parse(path).GetRoot()).Select(breach => $"{path}: {breach}"));
        }

        Assert.True(breaches.Count == 0, string.Join('\n', breaches));
    }
}
