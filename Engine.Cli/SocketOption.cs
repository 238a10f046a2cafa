using System.CommandLine;
using Engine.Control;

namespace Engine.Cli;

/// <summary><c>--socket</c>, which all verbs have that reach an engine, or are one.</summary>
internal static class SocketOption
{
    /// <summary>Makes the option.</summary>
    /// <param name="description">What the verb does with it.</param>
    public static Option<string> Create(string description) => new("--socket")
    {
        Description = description,
        HelpName = "PATH",
        DefaultValueFactory = static _ => SocketServer.DefaultPath,
    };
}
