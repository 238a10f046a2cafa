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

    // What asks the host under exec says what it says without; iproute2 and libmnl look at the sender's address of what they receive.
    [SkippableTheory]
    [InlineData("genl", "ctrl", "get", "name", "ethtool")]
    [InlineData("ethtool", "-k", "lo")]
    [InlineData("ethtool", "--show-channels", "lo")]
    [InlineData("devlink", "dev", "show")]
    [InlineData("ip", "-d", "link", "show", "dev", "lo")]
    [InlineData("ip", "l2tp", "show", "tunnel")]
    [InlineData("ip", "mptcp", "endpoint", "show")]
    [InlineData("tc", "qdisc", "show", "dev", "lo")]
    public void Programs_of_the_host_say_what_they_say_without(params string[] command)
    {
        RequireOpenVSwitch();
        Requires.Program(command[0]);
        ProcessStartInfo start = new(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal((process.ExitCode, text), Run(command));
    }

    [SkippableFact]
    public void Genl_lists_the_families_of_the_engine_and_of_the_host()
    {
        RequireOpenVSwitch();
        Requires.Program("genl");
        (int exit, string text) = Run("genl", "ctrl", "list");
        Assert.Equal(0, exit);
        Assert.Contains("Name: ovs_flow\n\tID: 0x7f02  Version: 0x1  header size: 4  max attribs: 11", text, StringComparison.Ordinal);
        Assert.Contains("Name: ethtool\n", text, StringComparison.Ordinal);
        Assert.Contains("Name: ovs_meter\n", Run("genl", "ctrl", "get", "name", "ovs_meter").Text, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Answers_come_from_the_kernels_address()
    {
        RequireOpenVSwitch();
        const string Script = """
            import ctypes, struct
            libc = ctypes.CDLL(None)
            s = libc.socket(16, 3, 16)
            libc.bind(s, struct.pack("=HHII", 16, 0, 0, 0), 12)
            request = struct.pack("=IHHIIBBHHH", 40, 16, 1, 7, 0, 3, 2, 0, 17, 2) + b"ovs_datapath\0\0\0\0"
            libc.sendto(s, request, len(request), 0, struct.pack("=HHII", 16, 0, 0, 0), 12)
            buffer, address, size = ctypes.create_string_buffer(4096), ctypes.create_string_buffer(64), ctypes.c_int(64)
            libc.recvfrom(s, buffer, 4096, 0, address, ctypes.byref(size))
            print(size.value, struct.unpack("=II", address.raw[4:12]))
            """;
        Assert.Equal((0, "12 (0, 0)\n"), Run("python3", "-c", Script));
    }

    // The first message is looked at before it is known to be one.
    [SkippableFact]
    public void What_is_no_message_harms_nobody()
    {
        RequireOpenVSwitch();
        const string Script = AskForFamily + """
            for length in (0, 15, 16, 21, 4096, 0x7fffffff, 0x80000000, 0xffffffff):
                for kind in (16, 0x7f00, 21, 3):
                    for size in (16, 20, 24, 64):
                        t = socket.socket(16, 3, 16)
                        t.send((struct.pack("=IHHIIBBH", length, kind, 1, 7, 0, 3, 2, 0) + b"\0" * 44)[:size])
                        t.close()
            ask(s.send, s.recv)
            """;
        Assert.Equal((0, "0x7f00\n"), Run("python3", "-c", Script));
    }

    // ETHTOOL_MSG_LINKINFO_SET without a device: EINVAL, unless it is not allowed.
    [SkippableTheory]
    [InlineData(-22)]
    [InlineData(-1, "setpriv", "--inh-caps=-net_admin", "--bounding-set=-net_admin")]
    public void A_program_may_do_with_the_host_what_it_may_without_the_engine(int result, params string[] before)
    {
        RequireOpenVSwitch();
        const string Script = AskForFamily + """
            ask(s.send, s.recv)
            s.send(struct.pack("=IHHIIBBHHH", 32, 16, 1, 8, 0, 3, 2, 0, 12, 2) + b"ethtool\0")
            answer = s.recv(8192)
            family = struct.unpack("=H", answer[36:38])[0]
            s.send(struct.pack("=IHHIIBBH", 20, family, 5, 9, 0, 3, 1, 0))
            print(struct.unpack("=i", s.recv(8192)[16:20])[0])
            """;
        Assert.Equal((0, $"0x7f00\n{result}\n"), Run([.. before, "python3", "-c", Script]));
    }

    // ethtool tells its group "monitor" of every change of a feature.
    [SkippableTheory]
    [InlineData("s.setsockopt(270, 1, group)")]
    [InlineData("s.setsockopt(270, 1, group); s.setsockopt(270, 2, group); s.setsockopt(270, 1, group)")]
    public void Who_has_talked_to_the_engine_gets_notifications_of_the_host_as_well(string join)
    {
        RequireOpenVSwitch();
        Requires.Program("ethtool");
        string script = AskForFamily + $"""
            ask(s.send, s.recv)
            s.send(struct.pack("=IHHIIBBHHH", 32, 16, 1, 8, 0, 3, 2, 0, 12, 2) + b"ethtool\0")
            answer = s.recv(8192)
            family = answer[36:38]
            group = struct.unpack("=I", answer[answer.index(b"monitor\0") - 8:][:4])[0]
            {join}
            os.system("ip link add n%d type veth peer name m%d && ethtool -K n%d tso off >&2; ip link del n%d" % ((os.getpid(),) * 4))
            s.settimeout(10)
            print(s.recv(8192)[4:6] == family)
            ask(s.send, lambda size: next(answer for answer in iter(lambda: s.recv(size), b"") if answer[4:6] != family))
            """;
        (int exit, string text) = Run("python3", "-c", script);
        Assert.Equal((0, "0x7f00\nTrue\n0x7f00\n"), (exit, text));
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

    private (int Exit, string Text) Run(params string[] command) => EngineProgram.Run(_output, ["exec", "--socket", _path, "--", .. command]);
}
