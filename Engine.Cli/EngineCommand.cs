using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Reflection;

namespace Engine.Cli;

/// <summary>The <c>engine</c> command: its verbs, and how arguments reach them.</summary>
internal static class EngineCommand
{
    /// <summary>Runs the command.</summary>
    /// <param name="arguments">The arguments, without the name of the program.</param>
    /// <param name="output">Standard output.</param>
    /// <param name="error">Standard error.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(string[] arguments, TextWriter output, TextWriter error)
    {
        // A RootCommand would be called after the program's file, which is another one under "dotnet run".
        Command root = new("engine", "An Open vSwitch datapath in user space.")
        {
            new HelpOption(),
            new VersionOption { Action = new PrintVersion() },
            ReplayCommand.Create(),
            RunCommand.Create(),
            WaitCommand.Create(),
            ExecCommand.Create(),
            DpctlCommand.Create(),
            KeepCommand.Create(),
        };
        ParseResult parsed = root.Parse(arguments);
        if (parsed.Errors.Count != 0)
        {
            foreach (ParseError parseError in parsed.Errors)
            {
                error.WriteLine($"engine: {parseError.Message}");
            }

            Command asked = parsed.CommandResult.Command;
            error.WriteLine($"Try '{(asked == root || asked.Hidden ? root.Name : $"{root.Name} {asked.Name}")} --help'.");
            return ExitCode.BadInput;
        }

        return parsed.Invoke(new InvocationConfiguration { Output = output, Error = error });
    }

    // The version of this assembly, whatever program it runs in.
    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            string? version = typeof(EngineCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
            parseResult.InvocationConfiguration.Output.WriteLine(version);
            return ExitCode.Success;
        }
    }
}
