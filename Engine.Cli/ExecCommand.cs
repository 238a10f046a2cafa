using System.CommandLine;
using System.Runtime.InteropServices;
using Engine.Control;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Cli;

/// <summary><c>engine exec</c>: runs an unmodified program on the engine's datapath.</summary>
internal static class ExecCommand
{
    // What a shell returns for a program that is not there, and for one that cannot be run.
    private const int NotFound = 127;
    private const int NotExecutable = 126;

    /// <summary>Makes the verb.</summary>
    public static Command Create()
    {
        Option<string> socket = SocketOption.Create("Socket of the engine that the program is to reach.");
        Argument<string[]> program = new("PROGRAM")
        {
            Description = "Program and arguments, after --. What it starts reaches the engine too.",
            Arity = ArgumentArity.OneOrMore,
        };
        Command command = new("exec", "Run a program whose Open vSwitch netlink sockets reach the engine instead of the kernel.") { socket, program };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(socket), parsed.GetRequiredValue(program), parsed.InvocationConfiguration.Error));
        return command;
    }

    private static int Run(string socketPath, string[] program, TextWriter error)
    {
        try
        {
            Errno errno = ExecLauncher.Run(socketPath, program, KeepCommand.CommandLine(socketPath));
            error.WriteLine($"engine exec: {program[0]}: {Marshal.GetPInvokeErrorMessage((int)errno)}");
            return errno == Errno.NoEntry ? NotFound : NotExecutable;
        }
        catch (SystemCallException failure)
        {
            error.WriteLine($"engine exec: {failure.Message}");
            return ExitCode.BadInput;
        }
    }
}
