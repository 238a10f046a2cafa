using System.CommandLine;

namespace Engine.Cli;

/// <summary>The options of ovs-dpctl. They may stand before and behind the verb.</summary>
internal sealed record DpctlOptions
{
    /// <summary>-s: with statistics.</summary>
    public bool HasStatistics { get; init; }

    /// <summary>-m: with all there is to say.</summary>
    public bool IsVerbose { get; init; }

    /// <summary>Ports by their names in flows.</summary>
    public bool HasNames { get; init; }

    /// <summary>mod-flow adds a flow that is not there.</summary>
    public bool MayCreate { get; init; }

    /// <summary>mod-flow counts anew.</summary>
    public bool Clears { get; init; }

    /// <summary>Verbs that change something are refused.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>show and dump-dps print JSON.</summary>
    public bool IsJson { get; init; }

    /// <summary>Seconds after which it gives up; 0 to go on.</summary>
    public uint TimeoutSeconds { get; init; }

    /// <summary>Adds the options, and the words of the verb, to a command.</summary>
    public static Reader AddTo(Command command) => new(command);

    /// <summary>Reads what a command was given.</summary>
    internal sealed class Reader
    {
        private readonly Option<bool> _statistics = new("--statistics", "-s") { Description = "show, add-flow, mod-flow, del-flow: with statistics." };
        private readonly Option<bool[]> _more = new("--more", "-m") { Description = "dump-flows, get-flow: all attributes, UFIDs and names of ports.", Arity = ArgumentArity.Zero };
        private readonly Option<bool> _names = new("--names") { Description = "Names of ports in flows." };
        private readonly Option<bool> _noNames = new("--no-names") { Description = "Numbers of ports in flows, also with -m." };
        private readonly Option<bool> _mayCreate = new("--may-create") { Description = "mod-flow: make the flow if it is not there." };
        private readonly Option<bool> _clear = new("--clear") { Description = "mod-flow: count anew." };
        private readonly Option<bool> _readOnly = new("--read-only") { Description = "Refuse verbs that change something." };
        private readonly Option<bool> _json = new("--json") { Description = "show, dump-dps: one JSON object." };
        private readonly Option<uint> _timeout = new("--timeout", "-t") { Description = "Give up after so many seconds, by SIGALRM.", HelpName = "SECONDS" };
        private readonly Argument<string[]> _words = new("VERB") { Description = "What to do, and its arguments.", Arity = ArgumentArity.ZeroOrMore };

        public Reader(Command command)
        {
            foreach (Option option in (Option[])[_statistics, _more, _names, _noNames, _mayCreate, _clear, _readOnly, _json, _timeout])
            {
                command.Add(option);
            }

            command.Add(_words);
        }

        public DpctlOptions Read(ParseResult parsed)
        {
            bool isVerbose = parsed.GetResult(_more) is { IdentifierTokenCount: > 0 };
            return new DpctlOptions
            {
                HasStatistics = parsed.GetValue(_statistics),
                IsVerbose = isVerbose,
                HasNames = parsed.GetValue(_names) || (isVerbose && !parsed.GetValue(_noNames)),
                MayCreate = parsed.GetValue(_mayCreate),
                Clears = parsed.GetValue(_clear),
                IsReadOnly = parsed.GetValue(_readOnly),
                IsJson = parsed.GetValue(_json),
                TimeoutSeconds = parsed.GetValue(_timeout),
            };
        }

        public string[] ReadWords(ParseResult parsed) => parsed.GetValue(_words) ?? [];
    }
}
