using System.Diagnostics;
using System.Globalization;
using Engine.Control;
using Engine.Datapaths;
using Engine.Tests.Live;
using Xunit.Abstractions;

namespace Engine.Tests.Conformance;

/// <summary>Debian's unmodified ovs-dpctl under <c>engine exec</c>, against a server whose devices are memory.</summary>
/// <remarks>Needs root, for seccomp listeners, and ovs-dpctl; skipped without.</remarks>
public sealed class ExecTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"engine-{Environment.ProcessId}-{Guid.NewGuid():N}.sock"));
    private readonly ITestOutputHelper _output;
    private readonly ControlServer _server = new(new MemoryNetwork(), new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 256 } });
    private readonly SocketServer _sockets;

    public ExecTests(ITestOutputHelper output)
    {
        _output = output;
        _sockets = new SocketServer(_server, _path);
    }

    private static void RequireOpenVSwitch()
    {
        Requires.NetworkAdministration();
        Requires.Program("ovs-dpctl");
    }

    public void Dispose()
    {
        _sockets.Dispose();
        _server.Dispose();
    }

    [SkippableFact]
    public void Datapaths_ports_and_flows_are_made_shown_and_removed()
    {
        RequireOpenVSwitch();
        const string Flow = "in_port(0),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x88b5)";
        Expect(0, "", "add-dp", "dp0");
        Expect(1, "", "add-dp", "dp0");
        Expect(0, "system@dp0\n", "dump-dps");
        Expect(0, "", "add-flow", "dp0", Flow, "2");
        string flows = Expect(0, null, "dump-flows", "dp0");
        Assert.Contains("in_port(0),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x88b5), packets:0, bytes:0, used:never, actions:2", flows, StringComparison.Ordinal);
        Expect(0, null, "mod-flow", "dp0", Flow, "0");
        Expect(0, "", "del-flow", "dp0", Flow);
        Expect(1, "Perhaps you need to specify a UFID?\n", "del-flow", "dp0", Flow);
        string shown = Expect(0, null, "show", "dp0");
        Assert.Contains("port 0: dp0 (internal)", shown, StringComparison.Ordinal);
        Expect(0, null, "ct-set-limits", "default=100", "zone=5,limit=10");
        Assert.Contains("zone=5,limit=10,count=0", Expect(0, null, "ct-get-limits"), StringComparison.Ordinal);
        Expect(0, "", "dump-conntrack");
        Expect(0, "", "del-dp", "dp0");
        Expect(0, "", "dump-dps");
        Assert.Empty(_server.CurrentDatapaths);
    }

    [SkippableFact]
    public void Children_are_served_and_exit_codes_pass()
    {
        RequireOpenVSwitch();
        (int exit, string text) = Run("sh", "-c", "ovs-dpctl add-dp dp1 && ovs-dpctl dump-dps; exit 7");
        Assert.Equal((7, "system@dp1\n"), (exit, text));
        Assert.Equal(127, Run("no-such-program").Exit);
        Assert.Equal(0, Run("true").Exit);
    }

    [SkippableFact]
    public void Netfilter_sockets_are_ones_that_select_can_wait_for()
    {
        // What iptables does, which ends at once with a descriptor above.
        RequireOpenVSwitch();
        const string Script = "import socket, select; a, b = (socket.socket(16, 3, 12) for _ in range(2)); select.select([a, b], [], [], 0); print(a.getsockname()[0] > 0, b.fileno() < 1024)";
        Assert.Equal((0, "True True\n"), Run("python3", "-c", Script));
    }

    // Asks nlctrl for the family ovs_datapath and prints its number.
    private const string AskForFamily = """
        import os, socket, struct, sys
        name = b"ovs_datapath\0\0\0\0"
        request = struct.pack("=IHHIIBBHHH", 40, 16, 1, 7, 0, 3, 2, 0, 17, 2) + name
        def ask(write, read):
            write(request)
            answer = read(4096)
            print(hex(struct.unpack("=H", answer[44:46])[0]), flush=True)
        s = socket.socket(16, 3, 16)
        s.bind((0, 0))

        """;

    [SkippableFact]
    public void Copies_of_a_descriptor_and_children_have_the_same_socket()
    {
        RequireOpenVSwitch();
        const string Script = AskForFamily + """
            ask(s.send, s.recv)
            copy = os.dup(s.fileno())
            ask(lambda bytes: os.write(copy, bytes), lambda size: os.read(copy, size))
            if os.fork() == 0:
                ask(s.send, s.recv)
                os._exit(0)
            os.wait()
            os.dup2(s.fileno(), 5)
            s.close()
            ask(lambda bytes: os.write(5, bytes), lambda size: os.read(5, size))
            """;
        (int exit, string text) = Run("python3", "-c", Script);
        Assert.Equal(0, exit);
        Assert.Equal([.. Enumerable.Repeat("0x7f00", 4)], text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [SkippableFact]
    public void A_list_of_families_has_those_of_the_engine_and_those_of_the_host()
    {
        RequireOpenVSwitch();
        const string Script = """
            import socket, struct
            s = socket.socket(16, 3, 16)
            s.bind((0, 0))
            s.send(struct.pack("=IHHIIBBH", 20, 16, 0x301, 7, 0, 3, 2, 0))
            done = False
            while not done:
                data = s.recv(1 << 17)
                while data:
                    length, kind = struct.unpack("=IH", data[:6])
                    done = kind == 3
                    if not done:
                        print(data[24:data.index(b"\0", 24)].decode())
                    data = data[(length + 3) & ~3:]
            """;
        (int exit, string text) = Run("python3", "-c", Script);
        Assert.Equal(0, exit);
        string[] names = text.Split('\n');
        Assert.Single(names, static name => name == "ovs_datapath");
        Assert.Single(names, static name => name == "nlctrl");
        Assert.Single(names, static name => name == "ethtool");
    }

    [SkippableFact]
    public void Other_families_are_the_hosts()
    {
        RequireOpenVSwitch();
        Requires.Program("ethtool");
        (int exit, string text) = Run("ethtool", "-k", "lo");
        Assert.Equal(0, exit);
        Assert.Contains("scatter-gather", text, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("s.bind((0, 1 << 15))")] // Group 16 is nlctrl's "notify", in every kernel.
    [InlineData("s.bind((0, 0)); s.setsockopt(270, 1, 16)")]
    public void Who_joins_a_group_of_the_host_gets_a_socket_of_the_host(string join)
    {
        RequireOpenVSwitch();
        string script = $"""
            import os, socket
            s = socket.socket(16, 3, 16)
            {join}
            inode = os.readlink("/proc/self/fd/%d" % s.fileno())[8:-1]
            print([line.split()[3] for line in open("/proc/net/netlink") if line.split()[-1] == inode], s.getsockname()[0] > 0)
            """;
        Assert.Equal((0, "['00008000'] True\n"), Run("python3", "-c", script));
    }

    [SkippableFact]
    public void Many_flows_are_dumped_in_full()
    {
        const int Flows = 40_000;
        RequireOpenVSwitch();
        Expect(0, "", "add-dp", "dp0");
        string file = Path.GetTempFileName();
        File.WriteAllLines(file, Enumerable.Range(0, Flows).Select(static i => string.Create(
            CultureInfo.InvariantCulture, $"add in_port(0),eth(src=02:00:00:00:{i >> 8:x2}:{i & 255:x2},dst=02:00:00:00:00:02),eth_type(0x88b5) 0")));
        Expect(0, null, "add-flows", "dp0", file);
        File.Delete(file);
        for (int round = 0; round < 3; round++)
        {
            Assert.Equal(Flows, Expect(0, null, "dump-flows", "dp0").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        }
    }

    private string Expect(int exit, string? text, params string[] arguments)
    {
        (int actualExit, string actual) = Run(["ovs-dpctl", .. arguments]);
        Assert.True(exit == actualExit, $"{string.Join(' ', arguments)}: exit {actualExit}: {actual}");
        if (text is not null)
        {
            Assert.Equal(text, actual);
        }

        return actual;
    }

    private (int Exit, string Text) Run(params string[] command)
    {
        ProcessStartInfo start = new("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in (string[])[typeof(Engine.Cli.EngineCommand).Assembly.Location, "exec", "--socket", _path, "--", .. command])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(120)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{string.Join(' ', command)} hangs");
        }

        string text = output.Result;
        _output.WriteLine($"$ {string.Join(' ', command)} -> {process.ExitCode}\n{(text.Length > 4096 ? text[..4096] : text)}{error.Result}");
        return (process.ExitCode, text);
    }
}
