using System.Text.Json;
using Engine.Cli;
using Engine.Tests.Architecture;

namespace Engine.Tests.Pipelines;

/// <summary><c>engine replay --pipeline</c>: a capture through an assembly with compiled flows, and what is said of a file that is none.</summary>
public sealed class PipelineReplayTests : IDisposable
{
    private static readonly string Samples = Path.Combine(Repository.Root, "Engine.Cli", "Samples");

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("engine-pipeline-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Both_ways_give_the_same_captures_and_counters()
    {
        string flows = Path.Combine(Samples, "two-hosts.flows"), assembly = Path.Combine(_directory.FullName, "Edge.dll");
        new PipelineRun(PipelineRun.Declaration(), ("table.flows", File.ReadAllText(flows))).Save(assembly);
        JsonElement table = Play("table", flows, null), compiled = Play("compiled", null, assembly);
        Assert.Equal(Counters(table), Counters(compiled));
        string[] files = [.. Directory.GetFiles(Path.Combine(_directory.FullName, "table")).Select(file => Path.GetFileName(file)!).Order()];
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.Equal(
            File.ReadAllBytes(Path.Combine(_directory.FullName, "table", file)), File.ReadAllBytes(Path.Combine(_directory.FullName, "compiled", file))));
    }

    [Fact]
    public void What_the_pipeline_misses_goes_on_to_the_flows()
    {
        string flows = Path.Combine(_directory.FullName, "rest.flows"), assembly = Path.Combine(_directory.FullName, "Edge.dll");
        File.WriteAllText(flows, "in_port(1) 3\n");
        new PipelineRun(PipelineRun.Declaration(), ("table.flows", "in_port(1),eth_type(0x0800) 2")).Save(assembly);
        JsonElement report = Play("both", flows, assembly);
        ulong[] packets = [.. report.GetProperty("flows").EnumerateArray().Select(static flow => flow.GetProperty("packets").GetUInt64())];
        Assert.Equal((2, report.GetProperty("packets").GetUInt64()), (packets.Length, packets[0] + packets[1] + report.GetProperty("missed").GetUInt64()));
        Assert.All(packets, static count => Assert.NotEqual(0ul, count));
    }

    [Theory]
    [InlineData("", "it is no .NET assembly")]
    [InlineData("namespace Sample; public class Edge;", "no class in it is a [Pipeline] that is not static")]
    [InlineData("namespace Sample; using Engine.Pipelines; [Pipeline, Flow(\"in_port(1)\", \"2\")] public static partial class Edge;", "no class in it is a [Pipeline] that is not static")]
    [InlineData("namespace Sample; using Engine.Pipelines; [Pipeline, Flow(\"in_port(1)\", \"2\")] public partial class A; [Pipeline, Flow(\"in_port(1)\", \"2\")] public partial class B;", "several classes in it are pipelines")]
    public void A_file_without_a_pipeline_is_told(string source, string cause)
    {
        string assembly = Path.Combine(_directory.FullName, "Edge.dll");
        if (source.Length == 0)
        {
            File.WriteAllText(assembly, "no assembly");
        }
        else
        {
            new PipelineRun(source).Save(assembly);
        }

        using StringWriter output = new(), error = new();
        Assert.Equal(ExitCode.BadInput, Replay.Run(Options(null, assembly, "none"), output, error));
        Assert.Contains(cause, error.ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCode.BadInput, Replay.Run(Options(null, assembly + ".missing", "none"), output, error));
    }

    private static string[] Counters(JsonElement report) =>
    [
        report.GetProperty("packets").ToString(), report.GetProperty("missed").ToString(), report.GetProperty("ports").ToString(), report.GetProperty("drops").ToString(),
        .. report.GetProperty("flows").EnumerateArray().Select(static flow => $"{flow.GetProperty("packets")} {flow.GetProperty("bytes")}"),
    ];

    private JsonElement Play(string name, string? flows, string? assembly)
    {
        using StringWriter output = new(), error = new();
        int exitCode = Replay.Run(Options(flows, assembly, name), output, error);
        Assert.Equal((0, string.Empty), (exitCode, error.ToString()));
        return JsonDocument.Parse(output.ToString()).RootElement;
    }

    private ReplayOptions Options(string? flows, string? assembly, string name) => new()
    {
        CapturePath = Path.Combine(Samples, "two-hosts.pcap"),
        FlowsPath = flows,
        PipelinePath = assembly,
        OutDirectory = Path.Combine(_directory.FullName, name),
        IsJson = true,
    };
}
