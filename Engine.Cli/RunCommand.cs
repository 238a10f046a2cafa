using System.Collections.Immutable;
using System.CommandLine;
using System.Runtime.InteropServices;
using Engine.Control;
using Engine.Datapaths;
using Engine.Packets;
using Engine.Platform;
using Engine.Tunnels;
using Engine.Vports;

namespace Engine.Cli;

/// <summary><c>engine run</c>: serves datapaths to control programs until it is told to stop.</summary>
internal static class RunCommand
{
    // Frames that AF_XDP takes, and enough of them for its rings.
    private static readonly DatapathOptions Sizes = new() { FrameSize = PacketPool.XdpFrameSize, FrameCount = 32768 };

    /// <summary>Makes the verb.</summary>
    public static Command Create()
    {
        Option<string> socket = SocketOption.Create("Where control programs reach the engine.");
        Option<string> cores = new("--cores")
        {
            Description = "Processors for the workers, one each, as in 0,2-4. Without it there is one worker, which the host moves as it likes.",
            HelpName = "LIST",
        };
        Option<string> script = new("--script")
        {
            Description = "Verbs of engine dpctl, one a line, to carry out first. The engine does not start when one fails.",
            HelpName = "FILE",
        };
        Command command = new("run", "Serve datapaths in this network namespace to Open vSwitch programs under engine exec.") { socket, cores, script };
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(socket),
            parsed.GetValue(cores),
            parsed.GetValue(script),
            parsed.InvocationConfiguration.Output,
            parsed.InvocationConfiguration.Error));
        return command;
    }

    private static int Run(string socketPath, string? coreList, string? script, TextWriter output, TextWriter error)
    {
        WorkerOptions workers = new();
        if (coreList is not null)
        {
            if (!CoreList.TryParse(coreList, out ImmutableArray<int> cores, out string? fault))
            {
                error.WriteLine($"engine run: --cores: {fault}.");
                return ExitCode.BadInput;
            }

            workers = workers with { Cores = cores };
        }

        if (ProcessCapabilities.FindMissing() is { IsEmpty: false } missing)
        {
            error.WriteLine($"engine run: this process has not the {(missing.Length == 1 ? "capability" : "capabilities")} {string.Join(", ", missing)}: run it as root, or grant what is missing.");
            return ExitCode.BadInput;
        }

        try
        {
            if (Path.GetDirectoryName(socketPath) is { Length: > 0 } directory)
            {
                Directory.CreateDirectory(directory);
            }

            using ManualResetEventSlim stopped = new();
            void Stop(PosixSignalContext signal)
            {
                signal.Cancel = true;
                stopped.Set();
            }

            using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            using VportRunner runner = new(workers);
            using WorkerMetrics metrics = new(runner);
            using HostVportFactory devices = new();
            using ControlServer server = new(new TunnelVportFactory(devices), new ControlServerOptions { Runner = runner, Datapath = Sizes });
            using DeviceFollower follower = new(server);
            if (script is not null && !DpctlScript.Run(server, script, output, error))
            {
                return ExitCode.BadInput;
            }

            using SocketServer sockets = new(server, socketPath);
            output.WriteLine($"engine run: {socketPath}");
            output.Flush();
            ServiceNotice.Send(ServiceNotice.Ready);
            stopped.Wait();
            ServiceNotice.Send(ServiceNotice.Stopping);
            return ExitCode.Success;
        }
        catch (Exception failure) when (failure is SystemCallException or IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"engine run: {failure.Message}");
            return ExitCode.BadInput;
        }
    }
}
