
namespace Engine.Tests.Live;

/// <summary><c>engine run --script</c>: a switch that works when it serves, or does not start.</summary>
public sealed class RunScriptTests : IDisposable
{
    private readonly string _script = Path.GetTempFileName();

    public void Dispose() => File.Delete(_script);

    [SkippableFact]
    public void The_engine_serves_what_the_script_says()
    {
        using TwoHosts hosts = new();
        File.WriteAllText(_script, """
            # Two hosts and the wire between them.
            add-dp dp0
            add-if dp0 left,port_no=3 right
            add-flow dp0 "in_port(left), eth()" 1
            add-flow 'in_port(right),eth()' 3   # back
            """);
        using EngineProcess engine = new EngineProcess(hosts.Switch, "--script", _script).WaitUntilReady();
        Traffic.Ping(hosts.Left, 2);
        Traffic.Udp(hosts.Left, hosts.Right, "10.77.0.2", 1472, 20);
        Assert.Contains("port 3: left", engine.Do("show"), StringComparison.Ordinal);
        engine.Signal("TERM");
        (int exit, _, string error) = engine.WaitForExit();
        Assert.Equal((0, string.Empty), (exit, error));
    }

    [SkippableTheory]
    [InlineData("add-dp dp0\nadd-if dp0 left\n\nadd-if dp0 right,port_no=x", "4:18: right: port_no=x: expected a number")]
    [InlineData("add-dp dp0 left\nadd-if dp0 right absent", "2:18: absent: failed to open network device (No such device)")]
    [InlineData("add-dp dp0\nadd-flow dp0 in_port(1),eth(),eth_type(0x0800),ipv4(frag=never) 2", "2:58: parsing flow key (expected ")]
    [InlineData("add-dp dp0\nadd-flow dp0 in_port(1),eth() 1,set(ipv4(ttl=5)),2", "2:33: updating flow table (Invalid argument): ")]
    [InlineData("add-dp dp0 left\nfrobnicate", "2:1: unknown command 'frobnicate'; use --help for help")]
    [InlineData("add-dp dp0 left\nshow -x", "2:6: unknown option among -x")]
    [InlineData("add-dp dp0 left\nadd-flow 'in_port(1)", "2:10: the quotation mark is not closed")]
    public void A_script_that_fails_leaves_nothing(string script, string complaint)
    {
        using TwoHosts hosts = new();
        File.WriteAllText(_script, script);
        using EngineProcess engine = new(hosts.Switch, "--script", _script);
        (int exit, string output, string error) = engine.WaitForExit();
        Assert.Equal((2, string.Empty), (exit, output));
        Assert.StartsWith($"{_script}:{complaint}", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.False(File.Exists(engine.SocketPath));

        // The kernel takes an io_uring apart a moment after its process has gone, and the TAP with it.
        Assert.True(
            SpinWait.SpinUntil(
                () => !hosts.Switch.Run("ip -o link").Contains("dp0", StringComparison.Ordinal)
                    && hosts.Switch.Run("ip -d link show left").Contains("promiscuity 0", StringComparison.Ordinal),
                TimeSpan.FromSeconds(30)),
            hosts.Switch.Run("ip -d link"));
    }
}
