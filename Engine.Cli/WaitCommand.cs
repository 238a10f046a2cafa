using System.CommandLine;
using System.Diagnostics;
using System.Net.Sockets;
using Engine.Control;

namespace Engine.Cli;

/// <summary><c>engine wait</c>: returns when an engine serves.</summary>
internal static class WaitCommand
{
    private const int PauseMs = 20;

    // CTRL_CMD_GETFAMILY for "ovs_datapath": nlmsghdr, genlmsghdr, CTRL_ATTR_FAMILY_NAME.
    private static readonly byte[] Request =
    [
        40, 0, 0, 0, 16, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        3, 1, 0, 0,
        17, 0, 2, 0, .. "ovs_datapath\0"u8, 0, 0, 0,
    ];

    /// <summary>Makes the verb.</summary>
    public static Command Create()
    {
        Option<string> socket = new("--socket")
        {
            Description = "Where the engine is reached.",
            HelpName = "PATH",
            DefaultValueFactory = _ => SocketServer.DefaultPath,
        };
        Option<double> timeout = new("--timeout")
        {
            Description = "How long to wait at most.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => 30,
        };
        Command command = new("wait", "Wait until an engine serves: exit 0 then, 2 when the time is over.") { socket, timeout };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(socket), parsed.GetValue(timeout), parsed.InvocationConfiguration.Error));
        return command;
    }

    private static int Run(string path, double seconds, TextWriter error)
    {
        for (long started = Stopwatch.GetTimestamp(); ; Thread.Sleep(PauseMs))
        {
            if (IsServing(path, out string fault))
            {
                return ExitCode.Success;
            }

            if (Stopwatch.GetElapsedTime(started).TotalSeconds >= seconds)
            {
                error.WriteLine($"engine wait: no engine serves {path}: {fault}");
                return ExitCode.BadInput;
            }
        }
    }

    // An engine is there when it answers, not when its socket is.
    private static bool IsServing(string path, out string fault)
    {
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified) { ReceiveTimeout = 1000 };
            socket.Connect(new UnixDomainSocketEndPoint(path));
            socket.Send(Request);
            fault = "no answer";
            return socket.Receive(new byte[4096]) > 0;
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            fault = exception.Message;
            return false;
        }
    }
}
