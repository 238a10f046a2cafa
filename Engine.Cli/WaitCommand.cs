using System.CommandLine;
using System.Diagnostics;
using Engine.Control;
using Engine.Platform;

namespace Engine.Cli;

/// <summary><c>engine wait</c>: returns when an engine serves.</summary>
internal static class WaitCommand
{
    private const int PauseMs = 20;
    private const int AnswerMs = 1000;

    /// <summary>Makes the verb.</summary>
    public static Command Create()
    {
        Option<string> socket = SocketOption.Create("Where the engine is reached.");
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
            using ControlConnection connection = ControlConnection.Open(path, AnswerMs);
            _ = connection.Begin("ovs_datapath", command: 0);
            fault = string.Empty;
            return true;
        }
        catch (SystemCallException exception)
        {
            fault = exception.Message;
            return false;
        }
    }
}
