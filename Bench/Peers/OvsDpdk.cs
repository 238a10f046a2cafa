using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Bench.Peers;

/// <summary>Open vSwitch with DPDK, run for one case: one PMD core, a capture in memory in, discarded out.</summary>
/// <remarks>
/// <para>In a directory and a network namespace of its own; the process is stopped (SIGSTOP) while others are measured.</para>
/// <para>Flows are put in with <c>dpctl/add-flows</c> while the input port is down; revalidators are paused, so that flows stay as they are.</para>
/// </remarks>
internal sealed partial class OvsDpdk : IDisposable
{
    private const string DefaultProgram = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk";
    private const int SignalContinue = 18;
    private const int SignalStop = 19;

    private readonly string _directory = Directory.CreateTempSubdirectory("engine-bench-ovs-").FullName;
    private readonly List<Process> _daemons = [];
    private Process? _switch;

    // A packet of the capture takes a buffer of 3 KB.
    private readonly int _megabytes;

    private OvsDpdk(int megabytes)
    {
        _megabytes = megabytes;
        AppDomain.CurrentDomain.ProcessExit += End;
    }

    /// <summary>Why it cannot run here; null when it can.</summary>
    public static string? Missing =>
        !Environment.IsPrivilegedProcess ? "Open vSwitch with DPDK needs root"
        : !File.Exists(DefaultProgram) ? $"no {DefaultProgram} (Debian: openvswitch-switch-dpdk)"
        : Tool.Missing("ovsdb-server", "ovsdb-tool", "ovs-vsctl", "ovs-appctl", "unshare");

    /// <summary>What it is, as it says.</summary>
    public static string Version => Tool.Run("ovs-appctl", "--version").Split('\n')[0];

    /// <summary>Starts it with the flows of a case.</summary>
    public static OvsDpdk Start(CaseTraffic traffic, string capturePath)
    {
        OvsDpdk ovs = new(traffic.FlowCount > 20_000 ? 900 : 600);
        try
        {
            ovs.StartDaemons();
            ovs.AddPorts(capturePath);
            ovs.AddFlows(traffic);
            return ovs;
        }
        catch
        {
            ovs.Dispose();
            throw;
        }
    }

    /// <summary>The settings that are measured. A capture repeats, so that only without caches it can stand for traffic that does not.</summary>
    public IEnumerable<IContender> Contenders(CaseKind kind)
    {
        if (kind != CaseKind.NeverRepeating)
        {
            yield return new Setting(this, "OVS-DPDK", "100", "false");
            yield return new Setting(this, "OVS-DPDK, signature cache", "100", "true");
        }

        yield return new Setting(this, "OVS-DPDK, no exact-match cache", "0", "false");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= End;
        End(null, EventArgs.Empty);
    }

    [GeneratedRegex(@"^\s*([a-z. ]+): (\d+)", RegexOptions.Multiline)]
    private static partial Regex Counter();

    // Also when the bench is told to end.
    private void End(object? sender, EventArgs arguments)
    {
        foreach (Process process in Enumerable.Reverse(_daemons))
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private void StartDaemons()
    {
        string database = Path.Combine(_directory, "conf.db");
        Tool.Run("ovsdb-tool", "create", database, "/usr/share/openvswitch/vswitch.ovsschema");
        StartDaemon("ovsdb-server", database, $"--remote=punix:{Socket}", $"--unixctl={_directory}/ovsdb.ctl", $"--log-file={_directory}/ovsdb.log");
        WaitFor(Socket);
        Configure("--no-wait", "init");
        Configure(
            "--no-wait", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true", $"other_config:dpdk-socket-mem={_megabytes}", $"other_config:dpdk-socket-limit={_megabytes}",
            $"other_config:pmd-cpu-mask=0x{1L << Processor.Measured:x}", "other_config:dpdk-lcore-mask=0x1", "other_config:dpdk-extra=--no-pci --in-memory");
        _switch = StartDaemon(
            "unshare", "--net", DefaultProgram, $"unix:{Socket}", $"--unixctl={Control}", $"--log-file={_directory}/switch.log", $"--pidfile={_directory}/switch.pid");
        WaitFor(Control);
    }

    private void AddPorts(string capturePath)
    {
        Configure("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev");
        Configure("add-port", "br0", "in", "--", "set", "Interface", "in", "type=dpdk", $"options:dpdk-devargs=net_pcap0,rx_pcap={capturePath},infinite_rx=1");
        Configure("add-port", "br0", "out", "--", "set", "Interface", "out", "type=dpdk", "options:dpdk-devargs=net_null0,no-rx=1");
        string ports = Command("dpif/show");
        if (!ports.Contains("in 1/2: (dpdk", StringComparison.Ordinal) || !ports.Contains("out 2/3: (dpdk", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"Open vSwitch did not make the ports:\n{ports}{File.ReadAllText(Path.Combine(_directory, "switch.log"))}");
        }
    }

    private void AddFlows(CaseTraffic traffic)
    {
        string path = Path.Combine(_directory, "flows");
        using (StreamWriter file = new(path))
        {
            for (int i = 0; i < traffic.FlowCount; i++)
            {
                file.Write(traffic.Flow(i));
                file.Write('\n');
            }
        }

        Command("revalidator/pause");
        Command("netdev-dpdk/set-admin-state", "in", "down");
        Command("dpctl/del-flows", "netdev@ovs-netdev");
        Command("dpctl/add-flows", "netdev@ovs-netdev", path);
        Command("netdev-dpdk/set-admin-state", "in", "up");
        Processor.Signal(_switch!.Id, SignalStop);
    }

    private Measurement Measure(string emcInsertProbability, string signatureCache, double seconds)
    {
        Processor.Signal(_switch!.Id, SignalContinue);
        Configure("set", "Open_vSwitch", ".", $"other_config:emc-insert-inv-prob={emcInsertProbability}", $"other_config:smc-enable={signatureCache}");

        // One packet in a hundred is put into the exact-match cache: time for that.
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        return MeasureOnce(seconds) ?? MeasureOnce(seconds) ?? MeasureOnce(seconds * 4)
            ?? throw new InvalidOperationException("Open vSwitch received no packets");
    }

    // Null when nothing was received: after a change of settings the PMD thread starts anew.
    private Measurement? MeasureOnce(double seconds)
    {
        Processor.Signal(_switch!.Id, SignalContinue);
        Command("dpif-netdev/pmd-stats-clear");
        long start = Stopwatch.GetTimestamp();
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        string text = Command("dpif-netdev/pmd-stats-show");
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Processor.Signal(_switch.Id, SignalStop);

        // The first thread is the PMD's; the main thread's counters follow.
        Dictionary<string, double> counters = [];
        foreach (Match match in Counter().Matches(text[..text.IndexOf("main thread", StringComparison.Ordinal)]))
        {
            counters.TryAdd(match.Groups[1].Value.Trim(), double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
        }

        if (!counters.TryGetValue("processing cycles", out double cycles))
        {
            return null;
        }

        double packets = counters["packets received"];
        double cached = counters["emc hits"] + counters["smc hits"];
        if (counters["miss with success upcall"] + counters["miss with failed upcall"] > 0 || cached + counters["megaflow hits"] < packets * 0.99)
        {
            throw new InvalidOperationException($"Open vSwitch did not forward every packet by a flow of the case:\n{text}");
        }

        return new Measurement(packets, cycles, elapsed)
        {
            CacheShare = cached / packets,
            TableShare = counters["megaflow hits"] / packets,
        };
    }

    private string Socket => Path.Combine(_directory, "db.sock");

    private string Control => Path.Combine(_directory, "switch.ctl");

    private string Command(params string[] arguments) => Tool.Run("ovs-appctl", ["-t", Control, .. arguments]);

    private void Configure(params string[] arguments) => Tool.Run("ovs-vsctl", [$"--db=unix:{Socket}", "--timeout=30", .. arguments]);

    private Process StartDaemon(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["OVS_RUNDIR"] = start.Environment["OVS_LOGDIR"] = start.Environment["OVS_DBDIR"] = _directory;
        Process process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.OutputDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        _daemons.Add(process);
        return process;
    }

    private static void WaitFor(string path)
    {
        for (int i = 0; !File.Exists(path); i++)
        {
            if (i == 200)
            {
                throw new InvalidOperationException($"{path} did not appear in 20 s");
            }

            Thread.Sleep(100);
        }
    }

    private sealed class Setting(OvsDpdk ovs, string name, string emcInsertProbability, string signatureCache) : IContender
    {
        public string Name => name;

        public Measurement Measure(double seconds) => ovs.Measure(emcInsertProbability, signatureCache, seconds);

        public void Dispose()
        {
        }
    }
}
