extern alias pipelines;

using System.Collections.Immutable;
using Engine.Generators.CodeFixes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using pipelines::Engine.Generators.Pipelines;

namespace Engine.Tests.Pipelines;

/// <summary>The fixes: offered where they are certain, at the places that the generator reports, and what they leave.</summary>
public sealed class PipelineFixTests
{
    private const string Wide = "[Flow(\"in_port(1)\", \"2\")]", Narrow = "[Flow(\"in_port(1),eth_type(0x0806)\", \"3\")]", Never = "[Flow(\"recirc_id(0),in_port(3),skb_mark(1)\", \"2\")]";

    [Theory]
    [InlineData("public class Edge;", "public partial class Edge;")]
    [InlineData("/** Edge. */ static class Edge;", "/** Edge. */ static partial class Edge;")]
    [InlineData("class Edge : System.IDisposable { public void Dispose() { } }", "partial class Edge : System.IDisposable { public void Dispose() { } }")]
    [InlineData("public class Edge<T>;", null)]
    [InlineData("public record Edge;", null)]
    [InlineData("public class Outer { [Engine.Pipelines.Pipeline] public partial class Inner; }", null)]
    [InlineData("public class Outer { [Engine.Pipelines.Pipeline] public class Inner; }", null)]
    public async Task ENG0401_the_class_is_made_partial(string declaration, string? @fixed)
    {
        string marker = declaration.Contains("Pipeline]", StringComparison.Ordinal) ? string.Empty : "[Engine.Pipelines.Pipeline, Engine.Pipelines.Flow(\"in_port(1)\", \"2\")] ";
        Assert.Equal(@fixed is null ? null : marker + @fixed, await FixAsync("ENG0401", marker + declaration));
    }

    // What is in braces goes.
    [Theory]
    [InlineData("ENG0408", $"[Pipeline]\n{Wide}\n{{{Narrow}\n}}public partial class Edge;")]
    [InlineData("ENG0408", $"[Pipeline]\r\n{Wide} // Wide.\r\n{{    {Narrow}   \r\n}}public partial class Edge;")]
    [InlineData("ENG0408", $"[Pipeline] {Wide} {{{Narrow} }}public partial class Edge;")]
    [InlineData("ENG0408", $"[Pipeline] {Wide} {{{Narrow} }}// Why.\npublic partial class Edge;")]
    [InlineData("ENG0408", "[Pipeline, Flow(\"in_port(1)\", \"2\"){, Flow(\"in_port(1),eth_type(0x0806)\", \"3\")}] public partial class Edge;")]
    [InlineData("ENG0408", "[Pipeline, Flow(\"in_port(1)\", \"2\"), {Flow(\"in_port(1),eth_type(0x0806)\", \"3\"), }System.Obsolete] public partial class Edge;")]
    [InlineData("ENG0408", "[Pipeline, Flow(\"in_port(1)\", \"2\")]\n{[Flow(\"in_port\" +\n    \"(1),eth_type(0x0806)\",\n    \"3\")]\n}public partial class Edge;")]
    [InlineData("ENG0409", $"[Pipeline]\n{{{Never}\n}}{Wide}\npublic partial class Edge;")]
    [InlineData("ENG0403", $"[Pipeline]\n{Wide}\n{{{Wide}\n}}public partial class Edge;")]
    [InlineData("ENG0403", $"[Pipeline]\n{Wide}\n{{[Flow( /* Again. */ \"in_port(1)\",\"2\")]\n}}public partial class Edge;")]
    [InlineData("ENG0403", $"[Pipeline]\n{Wide}\n[Flow(\"in_port(1)\", \"3\")]\npublic partial class Edge;")] // Which of them is meant?
    [InlineData("ENG0407", $"[Pipeline]\n{Narrow}\n{Wide}\npublic partial class Edge;")]
    public async Task A_flow_that_no_packet_gets_to_is_removed(string id, string marked)
    {
        const string Start = "namespace Sample;\nusing Engine.Pipelines;\n/// <summary>Edge.</summary>\n";
        int open = marked.IndexOf('{', StringComparison.Ordinal), close = marked.IndexOf('}', StringComparison.Ordinal);
        string source = open < 0 ? marked : marked[..open] + marked[(open + 1)..close] + marked[(close + 1)..];
        Assert.Equal(open < 0 ? null : Start + marked[..open] + marked[(close + 1)..], await FixAsync(id, Start + source));
    }

    [Theory]
    [InlineData("ENG0408", "in_port(1) 2\n{in_port(1),eth_type(0x0806) 3\n}in_port(2) 1\n")]
    [InlineData("ENG0408", "# All.\r\nin_port(1) 2\r\n{in_port(1),eth_type(0x0806) 3\r\n}# End.\r\n")]
    [InlineData("ENG0408", "in_port(1) 2\n{in_port(1),eth_type(0x0806) 3}")]
    [InlineData("ENG0409", "{recirc_id(0),in_port(3),skb_mark(1) 2\n}in_port(1) 2\n")]
    [InlineData("ENG0403", "in_port(1) 2\nin_port(2) 2\n{in_port(1) 2 \n}")]
    [InlineData("ENG0403", "in_port(1) 2\nin_port(1) 3\n")]
    [InlineData("ENG0402", "in_port(1) 2\nin_port(1) fly\n")]
    public async Task A_line_that_no_packet_gets_to_is_removed(string id, string marked)
    {
        int open = marked.IndexOf('{', StringComparison.Ordinal), close = marked.IndexOf('}', StringComparison.Ordinal);
        string flows = marked.Replace("{", string.Empty, StringComparison.Ordinal).Replace("}", string.Empty, StringComparison.Ordinal);
        Assert.Equal(open < 0 ? null : marked[..open] + marked[(close + 1)..], await FixAsync(id, PipelineRun.Declaration(), flows));
    }

    [Fact]
    public async Task All_that_no_packet_gets_to_are_removed_at_once()
    {
        const string Source = $"using Engine.Pipelines;\n[Pipeline]\n{Wide}\n{Narrow}\n{Never}\n[Flow(\"in_port(1),eth_type(0x0800)\", \"4\")]\npublic partial class Edge;";
        (Document document, _, ImmutableArray<Diagnostic> found) = await ReportAsync(Source, null);
        Assert.Equal(["ENG0408", "ENG0408", "ENG0409"], found.Select(static diagnostic => diagnostic.Id).Order());
        RemoveFlowFix fix = new();
        FixAllContext context = new(
            document, fix, FixAllScope.Document, nameof(RemoveFlowFix), fix.FixableDiagnosticIds, new Known(found), CancellationToken.None);
        CodeAction? action = await fix.GetFixAllProvider().GetFixAsync(context);
        Assert.Equal($"using Engine.Pipelines;\n[Pipeline]\n{Wide}\npublic partial class Edge;", await TextAfterAsync(action!, document));
    }

    [Fact]
    public void Every_fix_is_for_what_the_catalogue_has()
    {
        string catalogue = File.ReadAllText(Path.Combine(Architecture.Repository.Root, "Engine.Generators", "Pipelines", "AnalyzerReleases.Unshipped.md"));
        Assert.All(Fixes.SelectMany(static fix => fix.FixableDiagnosticIds), id => Assert.Contains(id, catalogue, StringComparison.Ordinal));
    }

    private static CodeFixProvider[] Fixes => [new AddPartialFix(), new RemoveFlowFix(), new RemoveFlowLineFix()];

    /// <summary>The text after the only fix of the first diagnostic of an id; null when there is none. Afterwards nothing is left to fix.</summary>
    private static async Task<string?> FixAsync(string id, string source, string? flows = null)
    {
        (Document document, TextDocument? file, ImmutableArray<Diagnostic> found) = await ReportAsync(source, flows);
        Diagnostic diagnostic = found.First(diagnostic => diagnostic.Id == id);
        TextDocument place = diagnostic.Location.IsInSource ? document : file!;
        Assert.Equal(flows is null, diagnostic.Location.IsInSource);
        List<CodeAction> actions = [];
        foreach (CodeFixProvider fix in Fixes.Where(fix => fix.FixableDiagnosticIds.Contains(id) && fix is RemoveFlowLineFix == (flows is not null)))
        {
            await fix.RegisterCodeFixesAsync(new CodeFixContext(place, diagnostic, (action, _) => actions.Add(action), CancellationToken.None));
        }

        if (actions.Count == 0)
        {
            return null;
        }

        string after = await TextAfterAsync(Assert.Single(actions), place);
        (_, _, ImmutableArray<Diagnostic> left) = await (flows is null ? ReportAsync(after, null) : ReportAsync(source, after));
        Assert.DoesNotContain(left, diagnostic => diagnostic.Id == id);
        return after;
    }

    private static async Task<string> TextAfterAsync(CodeAction action, TextDocument document)
    {
        ApplyChangesOperation change = Assert.IsType<ApplyChangesOperation>(Assert.Single(await action.GetOperationsAsync(CancellationToken.None)));
        Solution solution = change.ChangedSolution;
        return (await (solution.GetDocument(document.Id) ?? solution.GetAdditionalDocument(document.Id)!).GetTextAsync()).ToString();
    }

    // A project as an editor has it, and what the generator reports of it.
    private static async Task<(Document Document, TextDocument? File, ImmutableArray<Diagnostic> Found)> ReportAsync(string source, string? flows)
    {
        using AdhocWorkspace workspace = new();
        Project project = workspace.AddProject("Sample", LanguageNames.CSharp)
            .WithParseOptions(PipelineRun.ParseOptions)
            .WithCompilationOptions(new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary))
            .WithMetadataReferences(PipelineRun.References);
        Document document = project.AddDocument("Sample.cs", SourceText.From(source), filePath: "Sample.cs");
        TextDocument? file = flows is null ? null : document.Project.AddAdditionalDocument("table.flows", SourceText.From(flows), filePath: "table.flows");
        project = file?.Project ?? document.Project;
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new PipelineGenerator().AsSourceGenerator()], project.AnalyzerOptions.AdditionalFiles, PipelineRun.ParseOptions);
        ImmutableArray<Diagnostic> found = driver.RunGenerators((await project.GetCompilationAsync())!).GetRunResult().Diagnostics;
        return (project.GetDocument(document.Id)!, file, found);
    }

    // The diagnostics as they were reported.
    private sealed class Known(ImmutableArray<Diagnostic> found) : FixAllContext.DiagnosticProvider
    {
        public override Task<IEnumerable<Diagnostic>> GetAllDiagnosticsAsync(Project project, CancellationToken cancellationToken) => Task.FromResult<IEnumerable<Diagnostic>>(found);

        public override Task<IEnumerable<Diagnostic>> GetDocumentDiagnosticsAsync(Document document, CancellationToken cancellationToken) => Task.FromResult<IEnumerable<Diagnostic>>(found);

        public override Task<IEnumerable<Diagnostic>> GetProjectDiagnosticsAsync(Project project, CancellationToken cancellationToken) => Task.FromResult<IEnumerable<Diagnostic>>([]);
    }
}
