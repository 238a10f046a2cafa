using System.Diagnostics;
using System.Globalization;
using Engine.Control;
using Engine.Datapaths;
using Engine.Platform;
using Engine.Tests.Live;
using Xunit.Abstractions;

namespace Engine.Tests.Conformance;

/// <summary>Programs under <c>engine exec</c> whose engine goes away: refused, neither hung nor told that the call does not exist; and served again by the next engine.</summary>
public sealed class ExecKeeperTests : IDisposable
{
    private readonly ITestOutputHelper _output;
    private readonly string _folder;
    private readonly ControlServer _server;

    public ExecKeeperTests(ITestOutputHelper output)
    {
        _output = output;
        Requires.NetworkAdministration();
        Requires.Program("ovs-dpctl");

        // Not before: a test that is skipped here is not disposed.
        _folder = Directory.CreateTempSubdirectory("engine-keeper-").FullName;
        _server = new ControlServer(new MemoryNetwork(), new ControlServerOptions { Datapath = new DatapathOptions { FrameCount = 256 } });
    }

    private string Path => System.IO.Path.Combine(_folder, "engine.sock");

    public void Dispose()
    {
        _server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [SkippableFact]
    public void Without_its_engine_a_program_is_refused_and_by_the_next_one_served()
    {
        SocketServer first = new(_server, Path);
        using Process program = Start("sh", "-c", $"cd {_folder}; ovs-dpctl add-dp dp0; touch a; {Await("b")}; ovs-dpctl dump-dps 2>&1; touch c; {Await("d")}; ovs-dpctl dump-dps; exit 5");
        WaitForFile("a");
        first.Dispose();
        File.WriteAllText(System.IO.Path.Combine(_folder, "b"), "");
        WaitForFile("c");
        using SocketServer second = new(_server, Path);

        // The keeper looks every 100 ms.
        Eventually.IsSo(() => second.ClientCount != 0, "the keeper to come back");
        File.WriteAllText(System.IO.Path.Combine(_folder, "d"), "");
        string text = End(program, exit: 5);
        Assert.Contains("Connection refused", text, StringComparison.Ordinal);
        Assert.Contains("system@dp0\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("not implemented", text, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Sockets_that_outlive_an_engine_keep_their_port_ids_groups_and_answers()
    {
        SocketServer first = new(_server, Path);
        using Process program = Start("python3", "-c", $$"""
            import os, socket, struct, time
            s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
            s.setsockopt(270, 1, {{_server.Options.FirstGroup}})
            def ask():
                # CTRL_CMD_GETFAMILY of ovs_vport
                s.send(struct.pack("=IHHIIBBHHH", 20 + 4 + 12, 16, 1, 1, 0, 3, 1, 0, 4 + 10, 2) + b"ovs_vport\0\0\0")
                return struct.unpack_from("=IHHII", s.recv(65536))
            before = s.getsockname(), ask()
            def wait(name):
                while not os.path.exists("{{_folder}}/" + name):
                    time.sleep(0.02)
            open("{{_folder}}/a", "w")
            wait("b")
            try:
                ask()
            except ConnectionRefusedError:
                print("refused")
            open("{{_folder}}/c", "w")
            wait("d")
            print(before == (s.getsockname(), ask()))
            open("{{_folder}}/e", "w")
            print(struct.unpack_from("=IHHII", s.recv(65536))[1])
            """);
        WaitForFile("a");
        first.Dispose();
        File.WriteAllText(System.IO.Path.Combine(_folder, "b"), "");
        WaitForFile("c");
        using SocketServer second = new(_server, Path);
        Eventually.IsSo(() => second.ClientCount >= 2, "the keeper and the socket to come back");
        File.WriteAllText(System.IO.Path.Combine(_folder, "d"), "");
        WaitForFile("e");

        // A new datapath is told to the group that the socket joined in the first engine's time.
        using Process other = Start("ovs-dpctl", "add-dp", "dp1");
        End(other, exit: 0);
        Assert.Equal($"refused\nTrue\n{_server.Options.FirstFamilyId}\n", End(program, exit: 0));
    }

    [SkippableFact]
    public void A_call_that_dies_with_its_engine_is_refused()
    {
        using SequencedSocket door = SequencedSocket.Listen(Path, 0x180);
        using Process program = Start("ovs-dpctl", "dump-dps");

        // An engine that takes one call, and ends without an answer.
        SequencedSocket? connection = null;
        Eventually.IsSo(() => (connection = door.TryAccept(out _)) is not null, "the launcher");
        byte[] buffer = new byte[256];
        using (connection)
        {
            using PendingCalls pending = new(Take(connection!, buffer));
            using SeccompListener listener = new(Take(connection!, buffer));
            Assert.True(connection!.TrySend("ready"u8));
            Assert.True(listener.TryReceive(pending, 3, out SeccompCall call));
            Assert.Equal(SystemCallNumbers.Socket, call.Number);
            door.Dispose();
        }

        Assert.Contains("Connection refused", End(program, exit: 1), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_daemon_is_served_after_its_parent_and_the_keeper_goes_with_the_last()
    {
        using SocketServer sockets = new(_server, Path);
        using Process program = Start("sh", "-c", $"cd {_folder}; setsid sh -c '{Await("a")}; ovs-dpctl add-dp dp7; touch b' >/dev/null 2>&1 & exit 3");
        Assert.Equal("", End(program, exit: 3));
        Assert.NotEmpty(FindKeepers());
        File.WriteAllText(System.IO.Path.Combine(_folder, "a"), "");
        WaitForFile("b");
        Assert.Equal("dp7", Assert.Single(_server.CurrentDatapaths).Name);
        Eventually.IsSo(() => FindKeepers().Length == 0, "the keeper to end");
        Eventually.IsSo(() => sockets.ClientCount == 0, "its connection to be closed");
    }

    [SkippableFact]
    public void A_program_has_no_children_but_its_own_and_the_caller_s_descriptors_are_not_kept()
    {
        using SocketServer sockets = new(_server, Path);

        // A reader of the pipe sees its end with the program, though the daemon, which has closed it, and the keeper live on.
        using Process program = Start("sh", "-c", $"cd {_folder}; setsid sh -c '{Await("a")}' >/dev/null 2>&1 </dev/null & python3 -c 'import os\ntry:\n os.wait()\nexcept ChildProcessError: print(1)'");
        Assert.Equal("1\n", End(program, exit: 0));
        File.WriteAllText(System.IO.Path.Combine(_folder, "a"), "");
        Eventually.IsSo(() => FindKeepers().Length == 0, "the daemon and the keeper to end");
    }

    [SkippableFact]
    public void Signals_reach_the_program()
    {
        using SocketServer sockets = new(_server, Path);
        using Process program = Start("sh", "-c", $"trap 'exit 9' TERM; touch {_folder}/a; while :; do sleep 0.05; done");
        WaitForFile("a");
        Process.Start("sh", ["-c", $"kill {program.Id}"]).WaitForExit();
        End(program, exit: 9);
    }

    private static string Await(string file) => $"while [ ! -e {file} ]; do sleep 0.02; done";

    private static FileDescriptor Take(SequencedSocket connection, byte[] buffer)
    {
        FileDescriptor? descriptor = null;
        Eventually.IsSo(() => connection.Receive(buffer, out descriptor) > 0, "the launcher's messages");
        return descriptor!;
    }

    private int[] FindKeepers() =>
    [
        .. Process.GetProcesses().Select(static process => process.Id).Where(id =>
        {
            try
            {
                string[] words = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/cmdline")).Split('\0');
                return words.Contains("keep") && words.Contains(Path);
            }
            catch (IOException)
            {
                return false;
            }
        }),
    ];

    private void WaitForFile(string name) => Eventually.IsSo(() => File.Exists(System.IO.Path.Combine(_folder, name)), $"file {name}");

    private Process Start(params string[] command) => Process.Start(new ProcessStartInfo(
        "dotnet", [typeof(Engine.Cli.EngineCommand).Assembly.Location, "exec", "--socket", Path, "--", .. command])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private string End(Process process, int exit)
    {
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        if (!Task.WaitAll([text, error], TimeSpan.FromSeconds(30)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("The program hangs.");
        }

        process.WaitForExit();
        _output.WriteLine($"exit {process.ExitCode}\n{text.Result}{error.Result}");
        Assert.Equal(exit, process.ExitCode);
        return text.Result + error.Result;
    }
}
