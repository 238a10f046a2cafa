using System.Reflection;
using System.Text;
using Engine.Tests.Text;
using Microsoft.CodeAnalysis;

namespace Engine.Tests.Pipelines;

/// <summary>The catalogue: each diagnostic with the place it names, and every bad text of the runtime's own tests.</summary>
public sealed class PipelineDiagnosticsTests
{
    [Theory]
    [InlineData("public class Edge;")]
    [InlineData("public partial class Edge<T>;")]
    [InlineData("public partial record Edge;")]
    [InlineData("public static class Edge;")]
    public void ENG0401_a_pipeline_is_a_partial_class(string declaration)
    {
        PipelineRun run = new($"namespace Sample; [Engine.Pipelines.Pipeline, Engine.Pipelines.Flow(\"in_port(1)\", \"2\")] {declaration}");
        Diagnostic found = Assert.Single(run.Reported);
        Assert.Equal("ENG0401", found.Id);
        Assert.Equal("Edge", found.Location.SourceTree?.ToString().Substring(found.Location.SourceSpan.Start, found.Location.SourceSpan.Length) ?? "Edge");
        Assert.Empty(run.Sources);
    }

    [Theory]
    [InlineData("in_port(1),eth_type(0x0800),ipv4(dst=10.0) 2", 1, 38, "expected an IPv4 address after \"dst=\"")]
    [InlineData("\n  in_port(1) 2,fwd(3)", 2, 16, "expected an action such as 2, drop or set(ipv4(ttl=5))")]
    [InlineData("in_port(1) set(ipv4(ttl=5)),2", 1, 12, "Set of ipv4 needs an IPv4 header")]
    [InlineData("in_port(1)", 1, 11, "expected actions behind the key, or drop")]
    [InlineData("in_port(1),eth_type(0x0800),tcp(dst=80) 2", 1, 29, null)]
    [InlineData("# première\r\nin_port(１) 2", 2, 9, null)] // A digit, but not of ASCII.
    public void ENG0402_what_the_runtime_refuses_is_an_error_at_its_place(string flows, int line, int column, string? message)
    {
        PipelineRun run = new(PipelineRun.Declaration(), ("/app/table.flows", flows));
        Diagnostic found = Assert.Single(run.Reported);
        Assert.Equal(("ENG0402", DiagnosticSeverity.Error), (found.Id, found.Severity));
        FileLinePositionSpan place = found.Location.GetLineSpan();
        Assert.Equal(("/app/table.flows", line, column), (place.Path, place.StartLinePosition.Line + 1, place.StartLinePosition.Character + 1));
        Assert.Equal(message ?? found.GetMessage(null), found.GetMessage(null));
    }

    // The bar stands where the error is; what is marked is a literal of any kind.
    [Theory]
    [InlineData("[Flow(\"in_port(|x)\", \"2\")]")]
    [InlineData("[Flow(\"in_port(1)\", \"2,|fwd(3)\")]")]
    [InlineData("[Flow(@\"in_port(1)\", @\"|fwd(3)\")]")]
    [InlineData("[Flow(\"\"\"in_port(1)\"\"\", \"\"\"2,|set(ipv4(ttl=5))\"\"\")]")]
    [InlineData("[Flow(|\"in\\u005fport(x)\", \"2\")]")]
    [InlineData("[Flow(\"in_port(1)\", |\"fwd\" + \"(3)\")]")]
    [InlineData("[Flow(\"|\", \"2\")]")]
    [InlineData("[Flow(\"|\", \"\")]")]
    [InlineData("[Flow(\"in_port(|\\0)\", \"2\")]")]
    public void ENG0402_points_into_an_attribute(string marked)
    {
        marked = $"namespace Sample; using Engine.Pipelines; [Pipeline] {marked} public partial class Edge;";
        PipelineRun run = new(marked.Replace("|", string.Empty, StringComparison.Ordinal));
        Diagnostic found = Assert.Single(run.Reported);
        Assert.Equal("ENG0402", found.Id);
        int wanted = marked.IndexOf('|', StringComparison.Ordinal), at = found.Location.SourceSpan.Start;
        Assert.True(wanted == at || marked.Contains("\\0", StringComparison.Ordinal) || marked.Contains("\"|\"", StringComparison.Ordinal), $"{at} instead of {wanted}: {found}");
    }

    [Fact]
    public void ENG0403_a_flow_is_given_once()
    {
        PipelineRun run = new(PipelineRun.Declaration(), ("a/table.flows", "in_port(1) 2\nin_port(2) 2\nin_port(1) 3\n"));
        Diagnostic found = Assert.Single(run.Reported);
        Assert.Equal(("ENG0403", 2), (found.Id, found.Location.GetLineSpan().StartLinePosition.Line));
        Assert.Contains("table.flows:1:1", found.GetMessage(null), StringComparison.Ordinal);
        Assert.Empty(run.Sources);
    }

    [Fact]
    public void ENG0404_a_file_is_an_additional_file()
    {
        Diagnostic missing = Assert.Single(new PipelineRun(PipelineRun.Declaration(), ("other.flows", "in_port(1) 2")).Reported);
        Diagnostic several = Assert.Single(new PipelineRun(PipelineRun.Declaration(), ("a/table.flows", "in_port(1) 2"), ("b/table.flows", "in_port(1) 2")).Reported);
        Assert.Equal(("ENG0404", "ENG0404"), (missing.Id, several.Id));
        Assert.Contains("none", missing.GetMessage(null), StringComparison.Ordinal);
        Assert.Contains("several", several.GetMessage(null), StringComparison.Ordinal);
        Assert.Equal("\"table.flows\"", PipelineRun.Declaration().Substring(missing.Location.SourceSpan.Start, missing.Location.SourceSpan.Length));
        Assert.Empty(new PipelineRun(PipelineRun.Declaration(file: "b/table.flows"), ("a/table.flows", "x"), ("/src/b/table.flows", "in_port(1) 2")).Reported);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\ufeff")]
    [InlineData("# nothing\r\n\r\n")]
    public void ENG0405_a_pipeline_without_flows_is_compiled_and_warned_of(string flows)
    {
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", flows));
        Assert.Equal(("ENG0405", DiagnosticSeverity.Warning), (Assert.Single(run.Reported).Id, run.Reported[0].Severity));
        Assert.NotNull(run.Load().GetType("Sample.Edge"));
    }

    [Fact]
    public void ENG0406_ten_thousand_flows_are_the_most()
    {
        string flows = string.Concat(Enumerable.Range(1, 10_001).Select(static port => $"in_port({port}) 1\n"));
        Diagnostic found = Assert.Single(new PipelineRun(PipelineRun.Declaration(), ("table.flows", flows)).Reported);
        Assert.Equal("ENG0406", found.Id);
        Assert.Contains("10001", found.GetMessage(null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("in_port(1),eth_type(0x0800),ipv4(src=10.0.0.0/8) 2", "in_port(1),eth_type(0x0800),ipv4(dst=10.0.0.0/8) 3", "ENG0407")]
    [InlineData("in_port(1),eth_type(0x0800),ipv4(src=10.0.0.0/8) 2", "in_port(1),eth_type(0x0800),ipv4(dst=10.0.0.0/8) 2", null)] // The same actions.
    [InlineData("in_port(1),eth_type(0x0800),ipv4(src=10.0.0.0/8) 2", "in_port(2),eth_type(0x0800),ipv4(dst=10.0.0.0/8) 3", null)]
    [InlineData("in_port(1),eth_type(0x0800),ipv4(src=10.1.0.0/16) 2", "in_port(1) 3", "ENG0407")] // The wider one comes last.
    [InlineData("in_port(1) 3", "in_port(1),eth_type(0x0800),ipv4(src=10.1.0.0/16) 2", "ENG0408")]
    [InlineData("in_port(1) 3", "in_port(1),eth_type(0x0806) 3", "ENG0408")] // Also with the same actions.
    [InlineData("in_port(1),eth_type(0x86dd),ipv6(src=2001:db8::/32) 3", "in_port(1),eth_type(0x86dd),ipv6(src=2001:db8:1::/48) 2", "ENG0408")]
    public void ENG0407_and_ENG0408_flows_that_take_packets_from_each_other_name_both_places(string first, string second, string? id)
    {
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", $"# two\n{first}\n{second}\n"));
        Assert.Equal(id is null ? [] : [id], run.Reported.Select(static found => found.Id));
        Assert.Single(run.Sources);
        if (id is not null)
        {
            Assert.Equal((DiagnosticSeverity.Warning, 2), (run.Reported[0].Severity, run.Reported[0].Location.GetLineSpan().StartLinePosition.Line));
            Assert.Contains("table.flows:2:1", run.Reported[0].GetMessage(null), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("recirc_id(0),in_port(1),dp_hash(0x1) 2", true)]
    [InlineData("recirc_id(0x1),in_port(1),eth(),dp_hash(0x1) 2", false)]
    [InlineData("recirc_id(0),in_port(1),skb_mark(0x1) 2", true)]
    [InlineData("recirc_id(0),in_port(1),skb_priority(0x1) 2", true)]
    [InlineData("recirc_id(0),in_port(1),ct_state(+trk) 2", true)]
    [InlineData("recirc_id(0),in_port(1),ct_state(-trk) 2", false)]
    public void ENG0409_a_flow_that_no_packet_matches(string flow, bool isReported)
    {
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", flow));
        Assert.Equal(isReported ? ["ENG0409"] : [], run.Reported.Select(static found => found.Id));
    }

    [Fact]
    public void Every_diagnostic_is_in_the_catalogue()
    {
        string catalogue = File.ReadAllText(Path.Combine(Architecture.Repository.Root, "Engine.Generators", "Pipelines", "AnalyzerReleases.Unshipped.md"));
        string[] tested = [.. typeof(PipelineDiagnosticsTests).GetMethods().SelectMany(static method => method.Name.Split('_')).Where(static word => word.StartsWith("ENG", StringComparison.Ordinal)).Distinct()];
        string[] listed = [.. catalogue.Split('\n').Where(static line => line.StartsWith("ENG", StringComparison.Ordinal)).Select(static line => line[..7])];
        Assert.Equal(listed.Order(), tested.Order());
    }

    [Fact]
    public void Every_bad_text_of_the_tests_of_the_runtime_is_an_error_here()
    {
        List<string> lines = [];
        foreach (MethodInfo method in typeof(TextErrorTests).GetMethods().Concat(typeof(FlowFileTests).GetMethods()))
        {
            foreach (InlineDataAttribute row in method.GetCustomAttributes<InlineDataAttribute>())
            {
                string text = row.GetData(method).First()[0] as string ?? string.Empty;
                text = text.Replace("|", string.Empty, StringComparison.Ordinal).ReplaceLineEndings(" ");
                lines.Add(text);
                lines.Add($"{text} 2");
                lines.Add($"in_port(1) {text}");
            }
        }

        // The runtime's own verdict on each line, and on its actions.
        StringBuilder flows = new();
        lines.ForEach(line => flows.Append(line).Append('\n'));
        Engine.Text.FlowFile.TryParse("table.flows", flows.ToString(), out IReadOnlyList<Engine.Text.FlowLine> good, out IReadOnlyList<Engine.Text.FlowFileError> bad);
        List<Engine.Text.FlowFileError> expected = [.. bad];
        foreach (Engine.Text.FlowLine line in good)
        {
            Engine.Flows.FlowTable table = new(1);
            if (line.Install(table, out _) is { } error)
            {
                expected.Add(error);
            }
        }

        Assert.True(expected.Count > 100, $"{expected.Count} of {lines.Count} lines are bad");
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", flows.ToString()));
        Assert.Null(run.Exception);
        Assert.Equal(
            expected.Select(static error => (error.Line, error.Column, error.Message)).Order(),
            run.Reported.Select(static found => (found.Location.GetLineSpan().StartLinePosition.Line + 1, found.Location.GetLineSpan().StartLinePosition.Character + 1, found.GetMessage(null))).Order());
    }
}
