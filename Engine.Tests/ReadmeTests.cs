using Engine.Datapaths;
using Engine.Flows;
using Engine.Tests.Architecture;
using Engine.Text;
using Engine.Vports;

namespace Engine.Tests;

/// <summary>The code in the README is this code.</summary>
public class ReadmeTests
{
    [Fact]
    public void The_library_does_what_the_README_shows()
    {
        byte[] frame = Convert.FromHexString("02000000000202000000000108004500001c000000004011660f0a0000010a000002c00000350008dd99");
        byte[] buffer = new byte[2048];

        // README begins
        LoopbackDriver input = new(), output = new();
        using Datapath datapath = new();
        datapath.AddVport(1, "input", VportType.Loopback, input, out Vport port);
        datapath.AddVport(2, "output", VportType.Loopback, output, out _);

        const string Flows = """
            # DNS goes into VLAN 7, everything else nowhere.
            in_port(1),eth(),eth_type(0x0800),ipv4(proto=17,frag=no),udp(dst=53) push_vlan(vid=7,pcp=0),2
            """;
        FlowFile.TryParse("edge.flows", Flows, out IReadOnlyList<FlowLine> lines, out _);
        lines[0].Install(datapath.Flows, out Flow? flow);

        input.TryPut(frame);
        datapath.Workers[0].Poll(port);
        output.TryTake(buffer, out int length);
        // README ends

        Assert.Equal("020000000002020000000001" + "81000007" + Convert.ToHexStringLower(frame)[24..], Convert.ToHexStringLower(buffer[..length]));
        Assert.Equal(1ul, flow!.ReadStats().Packets);
    }

    [Fact]
    public void The_README_shows_code_that_is_tested()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        string shown = readme.Split("```csharp\n")[1].Split("```")[0];

        Assert.Equal(Snippet(), shown);
    }

    [Fact]
    public void The_README_shows_the_sample_appliance()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        string shown = readme.Split("```csharp\n")[2].Split("```")[0];

        Assert.Equal(File.ReadAllText(Path.Combine(Repository.Root, "Engine.Cli", "Samples", "TwoPorts", "Program.cs")), shown);
    }

    private static string Snippet()
    {
        IEnumerable<string> lines = File.ReadLines(Path.Combine(Repository.Root, "Engine.Tests", "ReadmeTests.cs"))
            .SkipWhile(line => !line.EndsWith("// README begins", StringComparison.Ordinal))
            .Skip(1)
            .TakeWhile(line => !line.EndsWith("// README ends", StringComparison.Ordinal))
            .Select(line => line.Length > 8 ? line[8..] : line);
        return string.Join('\n', lines) + "\n";
    }
}
