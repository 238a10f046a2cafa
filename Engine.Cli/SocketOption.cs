using System.CommandLine;
using System.Text;
using Engine.Control;

namespace Engine.Cli;

/// <summary><c>--socket</c>, which all verbs have that reach an engine, or are one.</summary>
internal static class SocketOption
{
    /// <summary>Makes the option.</summary>
    /// <param name="description">What the verb does with it.</param>
    public static Option<string> Create(string description)
    {
        Option<string> option = new("--socket")
        {
            Description = description,
            HelpName = "PATH",
            DefaultValueFactory = static _ => SocketServer.DefaultPath,
        };
        option.Validators.Add(result =>
        {
            int length = Encoding.UTF8.GetByteCount(result.GetValueOrDefault<string>() ?? string.Empty);
            if (length is 0 or > SocketServer.MaximumPathLength)
            {
                result.AddError($"The path of a socket has 1 to {SocketServer.MaximumPathLength} bytes, --socket has {length}.");
            }
        });
        return option;
    }
}
