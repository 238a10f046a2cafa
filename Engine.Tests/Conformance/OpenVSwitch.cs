using System.Diagnostics;
using System.Text.RegularExpressions;
using Engine.Tests.Live;
using Xunit.Abstractions;

namespace Engine.Tests.Conformance;

/// <summary>An engine, a database and an ovs-vswitchd, all processes of their own in one network namespace, with files in a folder of their own.</summary>
/// <remarks>The programs are Debian's, unmodified; ovs-vswitchd and ovs-dpctl run under <c>engine exec</c>.</remarks>
internal sealed partial class OpenVSwitch : IDisposable
{
    private static readonly string Cli = typeof(Engine.Cli.EngineCommand).Assembly.Location;

    private readonly NetworkNamespace _space;
    private readonly ITestOutputHelper _output;
    private readonly string _folder = Directory.CreateTempSubdirectory("engine-ovs-").FullName;
    private readonly Process _database;
    private Process? _engine;
    private int _starts;
    private Process? _switch;

    /// <summary>Starts all three.</summary>
    /// <param name="space">Where the devices are.</param>
    /// <param name="output">Gets the logs when it ends.</param>
    public OpenVSwitch(NetworkNamespace space, ITestOutputHelper output)
    {
        _space = space;
        _output = output;
        Environment["OVS_RUNDIR"] = Environment["OVS_LOGDIR"] = Environment["OVS_DBDIR"] = _folder;
        Run("ovsdb-tool", "create", InFolder("conf.db"), "/usr/share/openvswitch/vswitch.ovsschema");
        _database = Start("ovsdb-server", InFolder("conf.db"), $"--remote=punix:{InFolder("db.sock")}", "--log-file", "-vconsole:off");
        try
        {
            Eventually.IsSo(() => File.Exists(InFolder("db.sock")), "the database");
            Run("ovs-vsctl", Database, "--no-wait", "init");
            StartEngine();
            StartSwitch();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where control programs reach the engine.</summary>
    public string Socket => InFolder("engine.sock");

    /// <summary>The process of ovs-vswitchd.</summary>
    public Process Switch => _switch!;

    /// <summary>The process of the engine.</summary>
    public Process Engine => _engine!;

    /// <summary>What the programs find in their environment besides this process's.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    private string Database => $"--db=unix:{InFolder("db.sock")}";

    /// <summary>Skips the test where these programs cannot run.</summary>
    public static void Require()
    {
        Requires.NetworkAdministration();
        foreach (string program in (string[])["ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ovs-appctl", "ovs-dpctl"])
        {
            Requires.Program(program);
        }
    }

    /// <summary>Runs ovs-vsctl, which waits until ovs-vswitchd has done it.</summary>
    public string Vsctl(string arguments) => Run(["ovs-vsctl", Database, "--timeout=60", .. Split(arguments)]);

    /// <summary>Runs ovs-ofctl.</summary>
    public string Ofctl(params string[] arguments) => Run(["ovs-ofctl", "-O", "OpenFlow15", .. arguments]);

    /// <summary>Replaces all flows of a bridge.</summary>
    public void SetFlows(string bridge, params string[] flows)
    {
        string file = InFolder("flows");
        File.WriteAllLines(file, flows);
        Ofctl("replace-flows", bridge, file);
    }

    /// <summary>Asks ovs-vswitchd.</summary>
    public string Appctl(params string[] arguments) => Run(["ovs-appctl", "-T", "60", "-t", InFolder("vswitchd.ctl"), .. arguments]);

    /// <summary>Runs ovs-dpctl on the engine.</summary>
    public string Dpctl(params string[] arguments) => Run([.. Exec, "ovs-dpctl", .. arguments]);

    /// <summary>The command line that runs what follows on the engine.</summary>
    public string[] Exec => ["dotnet", Cli, "exec", "--socket", Socket, "--"];

    /// <summary>Starts the engine and waits until it serves.</summary>
    public void StartEngine()
    {
        File.Delete(Socket);
        _engine = Start("dotnet", Cli, "run", "--socket", Socket);
        Eventually.IsSo(() => File.Exists(Socket), "the engine to serve");
    }

    /// <summary>Starts ovs-vswitchd and waits until it has configured itself.</summary>
    public void StartSwitch()
    {
        _switch = Start([.. Exec, "ovs-vswitchd", $"unix:{InFolder("db.sock")}", $"--unixctl={InFolder("vswitchd.ctl")}", "--pidfile", "--log-file", "-vconsole:off"]);

        // Something new each time: ovs-vsctl waits only for what it has changed.
        Vsctl($"set Open_vSwitch . external-ids:started={++_starts}");
    }

    /// <summary>Lets ovs-vswitchd exit; the datapath with its ports and flows stays.</summary>
    public void StopSwitch()
    {
        Appctl("exit");
        Assert.True(_switch!.WaitForExit(Eventually.Limit), "ovs-vswitchd does not exit.");
    }

    /// <summary>Takes the engine away as a crash would.</summary>
    public void KillEngine()
    {
        _engine!.Kill();
        _engine.WaitForExit();
    }

    /// <summary>Fails when ovs-vswitchd or the database has logged a warning or worse. What OVS's own test suite passes over is passed over here.</summary>
    /// <param name="expected">Parts of lines that are as they should be.</param>
    public void AssertNoWarnings(params string[] expected)
    {
        foreach (string log in (string[])["ovs-vswitchd.log", "ovsdb-server.log"])
        {
            string[] lines = [.. ReadLog(log).Where(static line => Warning().IsMatch(line) && !Harmless().IsMatch(line))
                .Where(line => !expected.Any(part => line.Contains(part, StringComparison.Ordinal)))];
            Assert.True(lines.Length == 0, string.Join('\n', lines));
        }
    }

    /// <summary>The lines of a log.</summary>
    public string[] ReadLog(string name)
    {
        string file = InFolder(name);
        return File.Exists(file) ? File.ReadAllLines(file) : [];
    }

    /// <summary>Runs a program in the namespace.</summary>
    /// <returns>What it wrote.</returns>
    public string Run(params string[] command)
    {
        (int exit, string text) = TryRun(command);
        Assert.True(exit == 0, $"{string.Join(' ', command)}: exit {exit}\n{text}");
        return text;
    }

    /// <summary>Runs a program in the namespace, whatever it returns.</summary>
    /// <returns>Its exit code, and what it wrote.</returns>
    public (int Exit, string Text) TryRun(params string[] command)
    {
        using Process process = Start(command, redirects: true);
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Eventually.Limit))
        {
            process.Kill();
            Assert.Fail($"{string.Join(' ', command)} hangs.");
        }

        string all = text.Result + error.Result;
        _output.WriteLine($"$ {string.Join(' ', command)} -> {process.ExitCode}\n{(all.Length > 4096 ? all[..4096] + "..." : all)}");
        return (process.ExitCode, all);
    }

    /// <summary>Starts a program in the namespace.</summary>
    public Process Start(params string[] command) => Start(command, redirects: false);

    /// <summary>Ends all three and removes their files.</summary>
    public void Dispose()
    {
        End(_switch);
        End(_engine);
        End(_database);
        foreach (string line in ReadLog("ovs-vswitchd.log").Concat(ReadLog("ovsdb-server.log")))
        {
            _output.WriteLine(line);
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A file in the folder of these programs.</summary>
    public string InFolder(string name) => Path.Combine(_folder, name);

    private Process Start(string[] command, bool redirects)
    {
        ProcessStartInfo start = new("ip", ["netns", "exec", _space.Name, .. command])
        {
            RedirectStandardOutput = redirects,
            RedirectStandardError = redirects,
        };
        foreach ((string name, string value) in Environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    private static void End(Process? process)
    {
        if (process is null)
        {
            return;
        }

        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }

        process.Dispose();
    }

    // Words between spaces; what stands in single quotes is one.
    private static IEnumerable<string> Split(string text) =>
        Word().Matches(text).Select(static match => match.Value.Trim('\''));

    [GeneratedRegex(@"'[^']*'|\S+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\|(WARN|ERR|EMER)\|")]
    private static partial Regex Warning();

    // tests/ofproto-macros.at, check_logs.
    [GeneratedRegex(@"reset by peer|Broken pipe|is not connected|timeval.*(Unreasonably long|faults:|disk:|context switches:)|ovs_rcu.*blocked|Dropped \d+ log messages")]
    private static partial Regex Harmless();
}
