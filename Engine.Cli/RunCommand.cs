using System.CommandLine;
using System.Runtime.InteropServices;
using Engine.Control;
using Engine.Platform;
using Engine.Vports;

namespace Engine.Cli;

/// <summary><c>engine run</c>: serves datapaths to control programs until it is told to stop.</summary>
internal static class RunCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create()
    {
        Option<string> socket = new("--socket")
        {
            Description = "Where control programs reach the engine.",
            HelpName = "PATH",
            DefaultValueFactory = _ => SocketServer.DefaultPath,
        };
        Command command = new("run", "Serve datapaths in this network namespace to Open vSwitch programs under engine exec.") { socket };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(socket), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        return command;
    }

    private static int Run(string socketPath, TextWriter output, TextWriter error)
    {
        try
        {
            if (Path.GetDirectoryName(socketPath) is { Length: > 0 } directory)
            {
                Directory.CreateDirectory(directory);
            }

            using VportRunner runner = new();
            using ControlServer server = new(new HostVportFactory(), new ControlServerOptions { Runner = runner });
            runner.Gone = port => server.DetachDevice(port.Device.Ifindex);
            using SocketServer sockets = new(server, socketPath);
            using ManualResetEventSlim stopped = new();
            void Stop(PosixSignalContext signal)
            {
                signal.Cancel = true;
                stopped.Set();
            }

            using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            output.WriteLine($"engine run: {socketPath}");
            output.Flush();
            stopped.Wait();
            return ExitCode.Success;
        }
        catch (Exception failure) when (failure is SystemCallException or IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"engine run: {failure.Message}");
            return ExitCode.BadInput;
        }
    }
}
