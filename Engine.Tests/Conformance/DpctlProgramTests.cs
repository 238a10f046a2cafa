using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Engine.Tests.Golden;
using Engine.Tests.Live;

namespace Engine.Tests.Conformance;

/// <summary>The recorded ovs-dpctl commands given again to Debian's unmodified ovs-dpctl on <c>engine run</c>: it prints what it printed on the kernel.</summary>
/// <remarks>
/// One namespace, one engine, all commands in order. Left out of the comparison: times, and the masks tried, whose order the kernel changes every four
/// seconds, and the Geneve port, which not every host has a device for. Until there is connection tracking, <c>ct(...)</c> is left out of what is given and of what is expected.
/// </remarks>
public sealed partial class DpctlProgramTests(GoldenReport report) : IClassFixture<GoldenReport>
{
    // What was done between the commands of the file and is not in it, by the number of the first command that came later.
    private static readonly (int Before, string Missing, string Command)[] Gaps =
    [
        (9, "dpctl-08", "ovs-dpctl add-if ovs-system p1"),

        // The tool takes a device of this name for the tunnel's. For Geneve it looks closer, so there some other device has the number.
        (17, "dpctl-14", $"ovs-dpctl add-if ovs-system {GeneveStandIn}"),
        (17, "dpctl-15", "ovs-dpctl add-if ovs-system gre_sys"),
        (20, "dpctl-16", "ovs-dpctl add-if ovs-system d1"),
        (20, "dpctl-19", "ovs-dpctl add-if ovs-system in2,type=internal"),
        (32, "dpctl-30", "ovs-dpctl add-flow ovs-system 'recirc_id(9),in_port(2),eth(),eth_type(0x0800),ipv4(frag=no)' 'trunc(100),7,"
            + "sample(sample=50.0%,actions(userspace(pid=1,userdata(aabb000000000000)))),clone(push_vlan(vid=3,pcp=0),1),check_pkt_len(size=200,gt(7),le(1))'"),
        (35, "dpctl-34", "ovs-dpctl add-flow ovs-system 'in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x8847),mpls(label=100,tc=0,ttl=64,bos=1)' 7"),
        (49, "dpctl-48", "ovs-dpctl del-flow ovs-system 'in_port(3),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x88b5)'"),
        (51, "dpctl-50", "ovs-dpctl del-flow ovs-system 'ufid:00112233-4455-6677-8899-aabbccddeeff,in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),"
            + "eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=02:00:00:00:00:01,tha=00:00:00:00:00:00)'"),
        (60, "dpctl-59", "ovs-dpctl del-if ovs-system p2"),
        (64, "dpctl-63", "ovs-dpctl del-dp ovs-system"),
    ];

    private const string GeneveStandIn = "gn1";

    // Between the commands of these numbers, two packets came that found flows.
    private const int PacketsBefore = 37;

    [SkippableFact]
    public void The_program_prints_what_it_printed_on_the_kernel()
    {
        Requires.NetworkAdministration();
        Requires.Program("ovs-dpctl");
        using NetworkNamespace space = new();
        string folder = Directory.CreateTempSubdirectory("engine-dpctl-").FullName;
        try
        {
            MakeDevices(space);
            DpctlVector[] commands = [.. GoldenFiles.Dpctl.Where(static vector => vector.Command.StartsWith("ovs-dpctl ", StringComparison.Ordinal))];
            using Process engine = StartEngine(space, folder);
            try
            {
                RunAll(space, folder, [.. commands.TakeWhile(static vector => NumberOf(vector) < PacketsBefore)]);
                SendPackets(space);
                RunAll(space, folder, [.. commands.SkipWhile(static vector => NumberOf(vector) < PacketsBefore)]);
            }
            finally
            {
                engine.Kill();
                engine.WaitForExit();
            }

            List<string> differences = [];
            foreach (DpctlVector vector in commands)
            {
                report.Compared("dpctl: text", "dpctl");
                Compare(vector, folder, differences);
            }

            Assert.True(differences.Count == 0, string.Join('\n', differences));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void MakeDevices(NetworkNamespace space)
    {
        space.Run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
        foreach (string name in (string[])["p1", "p2", "d1", GeneveStandIn, "gre_sys"])
        {
            space.Run($"ip link add {name} type veth peer name x{name[..2]}");
            space.Run($"ip link set {name} up; ip link set x{name[..2]} up");
        }
    }

    private static Process StartEngine(NetworkNamespace space, string folder)
    {
        Process engine = space.Start($"dotnet {typeof(Engine.Cli.EngineCommand).Assembly.Location} run --socket {folder}/s");
        string? line = engine.StandardOutput.ReadLine();
        Assert.True(line?.StartsWith("engine run", StringComparison.Ordinal), line ?? engine.StandardError.ReadToEnd());
        return engine;
    }

    // One program under engine exec runs all of them: each leaves what it printed in files of its name.
    private static void RunAll(NetworkNamespace space, string folder, DpctlVector[] commands)
    {
        StringBuilder script = new();
        HashSet<int> filled = [];
        foreach (DpctlVector vector in commands)
        {
            foreach ((int before, string missing, string command) in Gaps)
            {
                bool isHere = before <= NumberOf(vector) && before > NumberOf(commands[0]) && filled.Add(Array.IndexOf(Gaps, (before, missing, command)));
                if (isHere && !GoldenFiles.Dpctl.Any(other => other.Name.StartsWith(missing, StringComparison.Ordinal)))
                {
                    script.AppendLine(CultureInfo.InvariantCulture, $"{command} >>{folder}/gaps 2>&1");
                }
            }

            script.AppendLine(CultureInfo.InvariantCulture, $"{WithoutConntrack(vector.Command)} >{folder}/{vector.Name}.out 2>{folder}/{vector.Name}.err; echo $? >{folder}/{vector.Name}.exit");
        }

        File.WriteAllText($"{folder}/script", script.ToString());
        using Process program = space.Start($"dotnet {typeof(Engine.Cli.EngineCommand).Assembly.Location} exec --socket {folder}/s -- sh {folder}/script");
        Task<string> error = program.StandardError.ReadToEndAsync();
        string output = program.StandardOutput.ReadToEnd();
        program.WaitForExit();
        Assert.True(program.ExitCode == 0, $"{output}{error.Result}");
    }

    private static void SendPackets(NetworkNamespace space)
    {
        using NetdevEnd end = new(space, "xp1");
        end.Send(DpctlGaps.TcpFrame);
        end.Send(DpctlGaps.UdpFrame);
        Eventually.IsSo(() => space.Run("cat /sys/class/net/p2/statistics/tx_packets").Trim() == "2", "both packets leave");
    }

    private static void Compare(DpctlVector vector, string folder, List<string> differences)
    {
        string exit = File.ReadAllText($"{folder}/{vector.Name}.exit").Trim();
        if (exit != vector.Exit.ToString(CultureInfo.InvariantCulture))
        {
            differences.Add($"{vector.Name}: exit {vector.Exit}, got {exit}");
        }

        foreach ((string expected, string file) in (ReadOnlySpan<(string, string)>)[(vector.Stdout, "out"), (vector.Stderr, "err")])
        {
            string wanted = Normalise(expected);
            string got = Normalise(File.ReadAllText($"{folder}/{vector.Name}.{file}"));
            if (wanted != got)
            {
                differences.Add($"{vector.Name} {file}: wanted\n{wanted}\ngot\n{got}");
            }
        }
    }

    // Flows come in any order: the kernel's table has a random seed.
    private static string Normalise(string text)
    {
        text = WithoutConntrack(text);
        text = Times().Replace(text, string.Empty);
        text = Used().Replace(text, "used:some");
        text = GenevePort().Replace(text, string.Empty);
        text = MaskHits().Replace(text, "masks: hit:some total:$1");
        string[] lines = text.Split('\n');
        return string.Join("\n", text.Contains("actions:", StringComparison.Ordinal) ? [.. lines.Order(StringComparer.Ordinal)] : lines);
    }

    private static string WithoutConntrack(string text) =>
        new Engine.Control.ControlServerOptions().Actions.Conntrack ? text : Conntrack().Replace(text, string.Empty);

    private static int NumberOf(DpctlVector vector) => int.Parse(vector.Name.AsSpan(6, 2), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")]
    private static partial Regex Times();

    [GeneratedRegex(@"used:(never|[0-9.]+s)")]
    private static partial Regex Used();

    [GeneratedRegex(@"  port 5: .*\n(    .*\n)*")]
    private static partial Regex GenevePort();

    [GeneratedRegex(@"masks: hit:\d+ total:(\d+) hit/pkt:[0-9.]+")]
    private static partial Regex MaskHits();

    [GeneratedRegex(@"\bct\((?:[^()]|\([^()]*\))*\),?")]
    private static partial Regex Conntrack();
}
