using System.CommandLine;
using Engine.Control;
using Engine.Platform;

namespace Engine.Cli;

/// <summary><c>engine dpctl</c>: ovs-dpctl's verbs against a running engine.</summary>
internal static class DpctlCommand
{
    /// <summary>Makes the verb.</summary>
    public static Command Create()
    {
        Option<string> socket = SocketOption.Create("Socket of the engine.");
        Command command = new("dpctl", $"Show and change the datapaths of a running engine, as ovs-dpctl does.\n\n{DpctlVerb.Help}") { socket };
        DpctlOptions.Reader options = DpctlOptions.AddTo(command);
        command.SetAction(parsed =>
        {
            TextWriter error = parsed.InvocationConfiguration.Error;
            DpctlOptions read = options.Read(parsed);
            ProcessAlarm.Set(read.TimeoutSeconds);
            try
            {
                using ControlConnection connection = ControlConnection.Open(parsed.GetRequiredValue(socket));
                DpctlSession session = new(new DatapathClient(connection), parsed.InvocationConfiguration.Output, error, static _ => "engine dpctl: ")
                {
                    Options = read,
                };
                return DpctlVerb.Run(session, options.ReadWords(parsed)) ? ExitCode.Success : ExitCode.Refused;
            }
            catch (SystemCallException failure)
            {
                error.WriteLine($"engine dpctl: {failure.Message}");
                return ExitCode.BadInput;
            }
        });
        return command;
    }
}
