using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Engine.Tests.Live;

/// <summary><c>engine dpctl</c> against a running engine, held against Debian's ovs-dpctl.</summary>
public sealed partial class DpctlTests : IDisposable
{
    private const string Tcp = "in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,tos=0,ttl=64,frag=no),tcp(src=1000,dst=80),tcp_flags(0)";
    private const string Other = "in_port(3),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x88b5)";
    private const string Named = "ufid:00112233-4455-6677-8899-aabbccddeeff";
    private const string Arp = Named + ",in_port(p1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=02:00:00:00:00:01,tha=00:00:00:00:00:00)";

    private readonly string _directory = Directory.CreateTempSubdirectory("engine-dpctl-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    // Each is run by both, in this order, each on an engine of its own with the same devices around it.
    private string[][] Commands() =>
    [
        ["dump-dps"],
        ["show"],
        ["show", "dp0"],
        ["add-flow", Tcp, "2"],
        ["add-dp", "dp0"],
        ["add-dp", "dp0"],
        ["add-dp"],
        ["del-dp", "dp9"],
        ["no-such-verb"],
        ["dump-dps"],
        ["-s", "show"],
        ["add-if", "dp0", "p1"],
        ["add-if", "dp0", "p2,port_no=7", "in1,type=internal"],
        ["add-if", "dp0", "p1"],
        ["add-if", "dp0", "lo"],
        ["add-if", "dp0", "no-device", "x1,type=nonsense", "in2,type=internal,port_no=7"],
        ["add-if", "dp9", "p2"],
        ["--read-only", "add-if", "dp0", "p2"],
        ["set-if", "dp0", "p1,port_no=1"],
        ["set-if", "dp0", "p1,type=system", "p2,port_no=9", "p1,type=internal", "absent"],
        ["show", "system@dp0", "dp9"],
        ["show", "-s", "dp0"],
        ["add-flow", "dp0", Tcp, "7"],
        ["add-flow", "dp0", Tcp, "7"],
        ["-s", "add-flow", Arp, "7,2"],
        ["add-flow", "dp0", "recirc_id(0),in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02/ff:ff:ff:00:00:00),eth_type(0x0800),ipv4(src=10.1.0.0/255.255.0.0,dst=10.0.0.2,proto=17,tos=0/0,ttl=64/0,frag=no),udp(src=1000/0,dst=53)", "set(ipv4(ttl=5)),push_vlan(vid=10,pcp=3),7"],
        ["add-flow", "dp0", Other, ""],
        ["add-flow", "dp0", "in_port(1),eth(),eth_type(0x0800", "2"],
        ["add-flow", "dp0", "in_port(1),eth(),eth_type(0x0800),ipv4(frag=no)", "set(ipv4(ttl=5)"],
        ["add-flow", "ufid:0011,in_port(1)", "7"],
        ["add-flow", "dp9", Tcp, "7"],
        ["get-flow", Named],
        ["-m", "get-flow", "dp0", Named],
        ["get-flow", "ufid:ffffffff-4455-6677-8899-aabbccddeeff"],
        ["dump-flows", "dp0"],
        ["dump-flows"],
        ["-m", "dump-flows"],
        ["-m", "--no-names", "dump-flows"],
        ["dump-flows", "--names"],
        ["dump-flows", "type=ovs"],
        ["dump-flows", "filter=ip"],
        ["dump-flows", "dp0", "filter=tcp"],
        ["dump-flows", "dp0", "filter=udp,udp_dst=53"],
        ["dump-flows", "filter=udp,udp_dst=54"],
        ["-m", "dump-flows", "filter=ip,nw_src=10.1.77.1"],
        ["dump-flows", "filter=ip,nw_src=10.2.77.1,nw_ttl=3"],
        ["dump-flows", "filter=dl_src=02:00:00:00:00:01,in_port=1"],
        ["dump-flows", "filter=arp"],
        ["dump-flows", "filter=dl_type=0x88b5"],
        ["dump-flows", "dp9", "filter=ip"],
        ["dump-flows", "filter=nonsense"],
        ["dump-flows", "filter=nw_src=10.0.0.1"],
        ["dump-flows", "filter=tcp,udp"],
        ["dump-flows", "filter=mpls_label=4"],
        ["dump-flows", "dp9"],
        ["mod-flow", "dp0", Other, "7"],
        ["mod-flow", "-s", "--clear", Other, "2"],
        ["mod-flow", "dp0", Tcp.Replace("ttl=64", "ttl=63", StringComparison.Ordinal), "7"],
        ["--may-create", "mod-flow", Tcp.Replace("ttl=64", "ttl=63", StringComparison.Ordinal), "7"],
        ["dump-flows"],
        ["del-flow", "-s", "dp0", Other],
        ["del-flow", "dp0", Other],
        ["del-flow", Named],
        ["add-flows", "dp0", Path.Combine(_directory, "flows")],
        ["mod-flows", Path.Combine(_directory, "modified")],
        ["dump-flows", "-m"],
        ["del-flows", Path.Combine(_directory, "deleted")],
        ["dump-flows"],
        ["show"],
        ["del-flows", "dp0"],
        ["dump-flows"],
        ["cache-get-size"],
        ["cache-get-size", "dp0"],
        ["cache-set-size", "dp0", "masks-cache", "512"],
        ["cache-set-size", "dp0", "masks-cache", "500"],
        ["cache-set-size", "dp0", "no-cache", "512"],
        ["cache-get-size"],
        ["del-if", "dp0", "dp0"],
        ["del-if", "dp0", "1", "99", "absent"],
        ["del-if", "dp0", "in1"],
        ["add-dp", "dp1"],
        ["add-if", "dp1", "a,type=lisp,remote_ip=flow", "b,type=gtpu,remote_ip=flow", "c,type=gre,remote_ip=flow", "d,type=ip6gre,remote_ip=flow"],
        ["add-if", "dp1", "e,type=erspan,remote_ip=flow", "f,type=ip6erspan,remote_ip=flow", "g,type=lisp,remote_ip=flow,dst_port=4342"],
        ["show", "dp1"],
        ["dump-flows"],
        ["show", "dp0"],
        ["del-dp", "dp0"],
        ["del-dp", "system@dp1"],
        ["dump-dps"],
    ];

    [SkippableFact]
    public void Every_verb_says_what_ovs_dpctl_says()
    {
        Requires.NetworkAdministration();
        Requires.Program("ovs-dpctl");
        File.WriteAllText(Path.Combine(_directory, "flows"), $"# all of them\n{Other} 2\n\nadd {Tcp} 2,7 # one more\n{Tcp} 2\nadd {Other}\nin_port(1) 7 8\n");
        File.WriteAllText(Path.Combine(_directory, "modified"), $"{Other} 7\nmodify {Tcp} 7\n");
        File.WriteAllText(Path.Combine(_directory, "deleted"), $"{Other}\ndelete {Tcp}\ndelete {Tcp}\n");
        string[][] commands = Commands();
        List<(int Exit, string Output, string Error)> expected = RunOvsDpctl(commands);
        List<(int Exit, string Output, string Error)> actual = RunDpctl(commands);
        for (int i = 0; i < commands.Length; i++)
        {
            string command = string.Join(' ', commands[i]);
            Assert.Equal((command, expected[i].Exit, SortFlows(expected[i].Output)), (command, actual[i].Exit, SortFlows(Own().Replace(actual[i].Output, ""))));
            AssertErrors(command, expected[i].Error, actual[i].Error);
        }
    }

    [SkippableFact]
    public void Json_says_the_same_and_a_missing_file_is_an_error()
    {
        Requires.NetworkAdministration();
        using NetworkNamespace space = MakeDevices();
        using EngineProcess engine = new EngineProcess(space).WaitUntilReady();
        engine.Do("add-dp", "dp0", "p1", "p2,port_no=7");

        // Where ovs-dpctl ends well all the same.
        (int exit, string output, string error) = engine.Dpctl("add-flows", Path.Combine(_directory, "absent"));
        Assert.Equal((1, string.Empty, $"engine dpctl: Opening file \"{_directory}/absent\" failed (No such file or directory)\n"), (exit, output, error));

        using JsonDocument names = JsonDocument.Parse(engine.Do("dump-dps", "--json"));
        Assert.Equal("dp0", Assert.Single(names.RootElement.EnumerateArray()).GetString());
        using JsonDocument shown = JsonDocument.Parse(engine.Do("show", "--json"));
        JsonElement datapath = Assert.Single(shown.RootElement.GetProperty("datapaths").EnumerateArray());
        Assert.Equal(0, Assert.Single(shown.RootElement.GetProperty("workers").EnumerateArray()).GetProperty("worker").GetInt32());
        Assert.Equal("dp0", datapath.GetProperty("datapath").GetProperty("name").GetString());
        Assert.Equal("0 dp0 internal, 1 p1 system, 7 p2 system", string.Join(", ", datapath.GetProperty("ports").EnumerateArray().Select(
            port => $"{port.GetProperty("number")} {port.GetProperty("name")} {port.GetProperty("type")}")));
    }

    [SkippableFact]
    public void Show_tells_drivers_and_workers_and_options_choose_them()
    {
        Requires.NetworkAdministration();
        using NetworkNamespace space = MakeDevices();
        using EngineProcess engine = new EngineProcess(space, "--cores", "0,1").WaitUntilReady();
        engine.Do("add-dp", "dp0", "p1,driver=uring,workers=1", "p2,driver=xdp");
        string shown = engine.Do("show", "-s");
        Assert.Matches(@"port 1: p1\n(    .*\n)*    driver: uring", shown);
        Assert.Matches(@"port 2: p2\n(    .*\n)*    driver: xdp", shown);
        Assert.Matches(@"worker 1 \(core 1\): rings:[1-9]", shown);
        engine.Do("del-if", "dp0", "p1", "p2");
        engine.Do("add-if", "dp0", "p1");
        Assert.Matches(@"driver: packet.*; xdp: not taken", engine.Do("show", "-s"));
        (int exit, _, string error) = engine.Dpctl("add-if", "dp0", "p2,driver=fast");
        Assert.Equal((1, "engine dpctl: p2: driver=fast: expected auto, xdp, packet or uring\n"), (exit, error));
        (exit, _, error) = engine.Dpctl("add-if", "dp0", "p2,workers=7");
        Assert.Equal((1, "engine dpctl: adding p2 to dp0 failed (Invalid argument)\n"), (exit, error));
    }

    [SkippableFact]
    public void Without_an_engine_it_says_so()
    {
        Requires.NetworkAdministration();
        using StringWriter output = new(), error = new();
        int exit = Engine.Cli.EngineCommand.Run(["dpctl", "--socket", Path.Combine(_directory, "none"), "show"], output, error);
        Assert.Equal(2, exit);
        Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("none", error.ToString(), StringComparison.Ordinal);
    }

    // What ovs-dpctl's library logs besides is its own. Our sentences begin with its own, and may say more: why, and what was expected.
    private static void AssertErrors(string command, string expected, string actual)
    {
        string[] theirs = [.. expected.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static line => !LogLine().IsMatch(line))
            .Select(static line => ParseDetail().Replace(line.Replace("ovs-dpctl: ", "engine dpctl: ", StringComparison.Ordinal), "$1"))];
        string[] ours = [.. actual.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => ParseDetail().Replace(line, "$1"))];
        Assert.True(
            theirs.Length == ours.Length && theirs.Zip(ours).All(static pair => pair.Second.StartsWith(pair.First, StringComparison.Ordinal)),
            $"{command}\novs-dpctl:\n{string.Join('\n', theirs)}\nengine:\n{string.Join('\n', ours)}");
    }

    // Flows come in no order: every engine hashes with a secret of its own.
    private static string SortFlows(string output) =>
        output.Contains("actions:", StringComparison.Ordinal) ? string.Join('\n', output.Split('\n').Order(StringComparer.Ordinal)) : output;

    private static NetworkNamespace MakeDevices()
    {
        NetworkNamespace space = new();
        space.Run("""
            echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
            ip link add p1 type veth peer name p1-peer
            ip link add p2 type veth peer name p2-peer
            """);
        return space;
    }

    private static List<(int Exit, string Output, string Error)> RunDpctl(string[][] commands)
    {
        using NetworkNamespace space = MakeDevices();
        using EngineProcess engine = new EngineProcess(space).WaitUntilReady();
        return [.. commands.Select(command => engine.Dpctl(command))];
    }

    // One engine exec for all of them.
    private List<(int Exit, string Output, string Error)> RunOvsDpctl(string[][] commands)
    {
        using NetworkNamespace space = MakeDevices();
        using EngineProcess engine = new EngineProcess(space).WaitUntilReady();
        string script = Path.Combine(_directory, "script");
        File.WriteAllLines(script, commands.Select((command, i) =>
            string.Create(CultureInfo.InvariantCulture, $"ovs-dpctl {string.Join(' ', command.Select(static word => $"'{word}'"))} >{_directory}/{i}.out 2>{_directory}/{i}.err; echo $? >{_directory}/{i}.exit")));
        using Process process = Process.Start("ip", ["netns", "exec", space.Name, "dotnet", EngineProcess.Assembly, "exec", "--socket", engine.SocketPath, "--", "sh", script]);
        Assert.True(process.WaitForExit(60_000), "ovs-dpctl hangs.");
        return [.. commands.Select((_, i) => (
            int.Parse(Read(i, "exit"), CultureInfo.InvariantCulture),
            Read(i, "out"),
            Read(i, "err")))];
    }

    private string Read(int number, string kind) =>
        File.ReadAllText(Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"{number}.{kind}")));

    // What show -s says besides: drivers and workers.
    [GeneratedRegex(@"^(    driver: .*|workers:|  worker .*|    packets:.*|    rounds:.*)\n", RegexOptions.Multiline)]
    private static partial Regex Own();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT")]
    private static partial Regex LogLine();

    // What a text was expected to be is said in other words here.
    [GeneratedRegex(@"(parsing (?:flow key|actions))(?: \(.*?\))?(?= \(Invalid argument\)$)")]
    private static partial Regex ParseDetail();
}
