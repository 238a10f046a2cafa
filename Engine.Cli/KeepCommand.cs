using System.CommandLine;
using Engine.Control;

namespace Engine.Cli;

/// <summary><c>engine keep</c>: what <c>engine exec</c> starts beside its program, for the time when the engine is gone. Not for people.</summary>
internal static class KeepCommand
{
    private const string Name = "keep";

    /// <summary>Makes the verb, which no help shows.</summary>
    public static Command Create()
    {
        Argument<string> socket = new("PATH") { Description = "Socket of the engine." };
        Command command = new(Name, "Keep the sockets of programs under engine exec, handed over at standard input.") { socket };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            ExecKeeper.Run(parsed.GetRequiredValue(socket), launcher: 0);
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>The command line that runs it, with this very program.</summary>
    public static string[] CommandLine(string socketPath)
    {
        string path = Path.GetFullPath(socketPath);
        string program = Environment.ProcessPath!;

        // Under "dotnet engine.dll" the process is dotnet's.
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, Environment.GetCommandLineArgs()[0], Name, path] : [program, Name, path];
    }
}
