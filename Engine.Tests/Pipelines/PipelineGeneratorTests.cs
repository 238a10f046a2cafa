using System.Diagnostics;
using System.Reflection;
using Engine.Pipelines;
using Microsoft.CodeAnalysis;
using Xunit.Abstractions;

namespace Engine.Tests.Pipelines;

/// <summary>The generator: what makes it run again, what it takes, and what it makes of files as editors write them.</summary>
public sealed class PipelineGeneratorTests(ITestOutputHelper output)
{
    // The compiler takes a quarter of a minute for ten thousand, too long for each run of the tests.
    private const int MostCompiled = 1_000;

    [Fact]
    public void Editing_an_unrelated_file_regenerates_nothing()
    {
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", "in_port(1) 2\n"));
        run.Add("Other.cs", "namespace Sample; public class Other { public int Field; }");
        foreach (string step in (string[])["PipelineParsed", "PipelineSpec"])
        {
            Assert.All(
                run.Result.TrackedSteps[step].SelectMany(static found => found.Outputs),
                static result => Assert.True(result.Reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, result.Reason.ToString()));
        }

        Assert.All(
            run.Result.TrackedOutputSteps.SelectMany(static step => step.Value).SelectMany(static step => step.Outputs),
            static result => Assert.Equal(IncrementalStepRunReason.Cached, result.Reason));
    }

    [Fact]
    public void Line_ends_a_mark_and_comments_in_any_script_change_nothing()
    {
        const string Flows = "# first\nin_port(1) 2\n\nin_port(2) 1 # back\n";
        string plain = Source(Flows);
        Assert.Equal(plain, Source("\ufeff" + Flows.ReplaceLineEndings("\r\n")));
        Assert.Equal(plain, Source(Flows.Replace("first", "première ポート", StringComparison.Ordinal)).Replace("première ポート", "first", StringComparison.Ordinal));
        Assert.Equal(plain, Source(Flows.TrimEnd()));
    }

    [Fact]
    public void Flows_of_the_file_come_before_those_of_attributes()
    {
        PipelineRun run = new(
            "namespace Sample; using Engine.Pipelines; [Pipeline(\"table.flows\")] [Flow(\"in_port(2)\", \"1\")] public static partial class Edge;",
            ("table.flows", "in_port(1) 2"));
        Assert.Empty(run.Reported);
        PipelineTable table = (PipelineTable)run.Load().GetType("Sample.Edge")!.GetProperty("Table")!.GetValue(null)!;
        Assert.Equal(["in_port(1) 2", "in_port(2) 1"], table.Flows.Select(static flow => flow.Text));
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(10_000)]
    public void Many_flows_generate_and_compile(int count)
    {
        string flows = string.Concat(Enumerable.Range(0, count).Select(static i =>
            $"in_port(1),eth_type(0x0800),ipv4(src=10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255},dst=192.168.0.{i % 250},proto=17,frag=no),udp(src={1000 + (i % 5000)},dst=53) {2 + (i % 3)}\n"));
        Stopwatch clock = Stopwatch.StartNew();
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", flows));
        Assert.Empty(run.Reported);
        TimeSpan generated = clock.Elapsed;
        if (count > MostCompiled)
        {
            output.WriteLine($"{count} flows: generated in {generated.TotalSeconds:f1} s, {run.Sources.Values.Single().Length / 1024} KiB of code");
            return;
        }

        Assembly assembly = run.Load();
        output.WriteLine($"{count} flows: generated in {generated.TotalSeconds:f1} s, compiled and checked in {(clock.Elapsed - generated).TotalSeconds:f1} s, {run.Sources.Values.Single().Length / 1024} KiB of code");
        Assert.NotNull(assembly.GetType("Sample.Edge"));
    }

    private static string Source(string flows)
    {
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", flows));
        Assert.Empty(run.Reported);
        return run.Sources.Values.Single();
    }
}
