using System.Text;
using Engine.Flows;
using Engine.Tests.Architecture;
using Engine.Tests.Golden;
using Engine.Tests.Vports;
using Engine.Text;
using Xunit.Abstractions;

namespace Engine.Tests.Pipelines;

/// <summary>The recorded vectors and the shipped capture, through flows that are compiled: alike with the table, which is held to the kernel elsewhere.</summary>
public sealed class PipelineGoldenTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_recorded_sequence_of_flows_and_packets_ends_alike()
    {
        // The flows in force at each packet; one class for each set of them, all compiled at once.
        List<(string Name, string Flows, GoldenStep Packet)> cases = [];
        foreach (ActionVector vector in GoldenFiles.Actions.Where(static vector => vector.IsSequence))
        {
            List<(string Key, string Line)> flows = [];
            for (int i = 0; i < vector.Steps.Length; i++)
            {
                GoldenStep step = vector.Steps[i];
                switch (step.Op)
                {
                    case "flush":
                        flows.Clear();
                        break;
                    case "flow" when step.Errno == 0 && LineOf(step) is { } line:
                        flows.RemoveAll(flow => flow.Key == line.Key);
                        flows.Add(line);
                        break;
                    case "inject" when flows.Count != 0:
                        cases.Add(($"{vector.Name} step {i}", string.Join('\n', flows.Select(static flow => flow.Line)), step));
                        break;
                }
            }
        }

        string[] sets = [.. cases.Select(static found => found.Flows).Distinct()];
        StringBuilder source = new("namespace Sample; using Engine.Pipelines;\n");
        for (int i = 0; i < sets.Length; i++)
        {
            source.Append(System.Globalization.CultureInfo.InvariantCulture, $"[Pipeline(\"set{i}.flows\")] public partial class Set{i};\n");
        }

        PipelineRun run = new(source.ToString(), sets.Select(static (flows, i) => ($"set{i}.flows", flows)));
        Assert.DoesNotContain(run.Reported, static found => found.Severity == Microsoft.CodeAnalysis.DiagnosticSeverity.Error);
        System.Reflection.Assembly assembly = run.Load();
        for (int i = 0; i < sets.Length; i++)
        {
            using Comparison comparison = new(assembly.GetType($"Sample.Set{i}")!, sets[i]);
            foreach ((string name, _, GoldenStep step) in cases.Where(found => found.Flows == sets[i]))
            {
                comparison.Send(step.Port.Number, step.Packet);
                comparison.AssertSame(name);
            }
        }

        output.WriteLine($"{cases.Count} packets over {sets.Length} sets of flows");
        Assert.True(cases.Count > 100, $"{cases.Count} packets");
    }

    [Fact]
    public void Every_recorded_frame_over_flows_of_every_kind_ends_alike()
    {
        const string Flows = """
            in_port(1),eth_type(0x0800),ipv4(proto=6,frag=no),tcp(dst=0/0x8000) set(ipv4(ttl=9)),2
            in_port(1),eth_type(0x0800),ipv4(proto=17,frag=no) set(udp(src=7)),3
            in_port(1),eth_type(0x0800),ipv4(frag=first) 4
            in_port(1),eth_type(0x0800),ipv4(frag=later) 5
            in_port(1),eth_type(0x0800),ipv4(proto=1,frag=no) 6
            in_port(1),eth_type(0x0806) 2,3
            in_port(1),eth_type(0x86dd),ipv6(proto=6) push_vlan(vid=3,pcp=0),6
            in_port(1),eth_type(0x86dd),ipv6(proto=17) set(ipv6(hlimit=3)),6
            in_port(1),eth_type(0x8100),vlan(vid=0/0),encap(eth_type(0x0800),ipv4(frag=no)) pop_vlan,7
            in_port(1),eth_type(0x88a8),vlan(vid=0/0),encap(eth_type(0x8100),vlan(vid=0/0),encap(eth_type(0x0800),ipv4(frag=no))) 8
            in_port(1),eth_type(0x8847),mpls(label=0/0,tc=0/0,ttl=0/0,bos=1) 9
            """;
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", Flows));
        Assert.Empty(run.Reported);
        using Comparison comparison = new(run.Load().GetType("Sample.Edge")!, Flows);
        foreach (KeyExtractVector vector in GoldenFiles.KeyExtract)
        {
            comparison.Send(1, vector.Packet);
        }

        output.WriteLine($"{GoldenFiles.KeyExtract.Count} frames: {comparison.AssertSame("key_extract")}");
    }

    [Fact]
    public void The_shipped_capture_through_its_flows_ends_alike()
    {
        string folder = Path.Combine(Repository.Root, "Engine.Cli", "Samples"), flows = File.ReadAllText(Path.Combine(folder, "two-hosts.flows"));

        // An answer of a name server may go to the port of another one: some of its flows overlap.
        PipelineRun run = new(PipelineRun.Declaration(), ("table.flows", flows));
        Assert.All(run.Reported, static found => Assert.Equal("ENG0407", found.Id));
        using Comparison comparison = new(run.Load().GetType("Sample.Edge")!, flows);
        (var packets, _) = CaptureBytes.Read(File.ReadAllBytes(Path.Combine(folder, "two-hosts.pcap")));
        foreach (var packet in packets)
        {
            comparison.Send(1, packet.Bytes);
        }

        output.WriteLine($"{packets.Count} packets: {comparison.AssertSame("two-hosts")}");
    }

    // The text of the flow, when it has one; not every action has.
    private static (string Key, string Line)? LineOf(GoldenStep step)
    {
        if (FlowKey.TryParseNetlink(step.Key, step.Mask, out FlowKey key, out FlowKey mask).IsRefused)
        {
            return null;
        }

        StringBuilder text = new();
        FlowText.Format(text, in key, in mask, verbose: true);
        string name = text.ToString();
        ActionText.Format(text.Append(' '), step.Actions);
        return FlowFile.TryParse("flow", text.ToString(), out IReadOnlyList<FlowLine> lines, out _) && lines[0].Install(new FlowTable(1), out _) is null
            ? (name, text.ToString())
            : null;
    }
}
