using System.Collections.Immutable;
using Engine.Primitives;

namespace Engine.Cli;

/// <summary>A verb of dpctl: its name, how many arguments it takes, and what it does.</summary>
/// <param name="Name">The name.</param>
/// <param name="Usage">Its arguments.</param>
/// <param name="Fewest">Fewest arguments.</param>
/// <param name="Most">Most arguments.</param>
/// <param name="Changes">Whether it changes something.</param>
/// <param name="Handler">Does it, with the verb and its arguments; tells what goes wrong itself.</param>
internal sealed record DpctlVerb(string Name, string Usage, int Fewest, int Most, bool Changes, Func<DpctlSession, IReadOnlyList<string>, Errno> Handler)
{
    private static readonly ImmutableArray<DpctlVerb> All =
    [
        new("add-dp", "DP [IFACE...]", 1, int.MaxValue, true, DpctlDatapaths.Add),
        new("del-dp", "DP", 1, 1, true, DpctlDatapaths.Delete),
        new("add-if", "DP IFACE[,type=TYPE][,port_no=N][,driver=auto|xdp|packet|uring][,rings=N][,workers=N+N]...", 2, int.MaxValue, true, DpctlPorts.Add),
        new("del-if", "DP IFACE...", 2, int.MaxValue, true, DpctlPorts.Delete),
        new("set-if", "DP IFACE[,OPTION=VALUE]...", 2, int.MaxValue, true, DpctlPorts.Set),
        new("dump-dps", "", 0, 0, false, DpctlDatapaths.Dump),
        new("show", "[-s] [DP...]", 0, int.MaxValue, false, DpctlShow.Show),
        new("dump-flows", "[-m] [--names] [DP] [filter=FILTER]", 0, 6, false, DpctlFlows.Dump),
        new("add-flow", "[DP] FLOW ACTIONS", 2, 3, true, DpctlFlows.Add),
        new("mod-flow", "[--may-create] [--clear] [DP] FLOW ACTIONS", 2, 3, true, DpctlFlows.Modify),
        new("get-flow", "[DP] ufid:UFID", 1, 2, false, DpctlFlows.Get),
        new("del-flow", "[DP] FLOW", 1, 2, true, DpctlFlows.Delete),
        new("add-flows", "[DP] FILE", 1, 2, true, DpctlFlowFile.Add),
        new("mod-flows", "[DP] FILE", 1, 2, true, DpctlFlowFile.Modify),
        new("del-flows", "[DP] [FILE]", 0, 2, true, DpctlFlowFile.Delete),
        new("cache-get-size", "[DP]", 0, 1, false, DpctlDatapaths.ShowCaches),
        new("cache-set-size", "DP CACHE SIZE", 3, 3, true, DpctlDatapaths.SetCacheSize),
    ];

    // ovs-dpctl's for connection tracking, by their beginnings.
    private static readonly ImmutableArray<string> OfConntrack = ["dump-conntrack", "flush-conntrack", "ct-", "ipf-"];

    /// <summary>The verbs, each a line.</summary>
    public static string Help => "Verbs:\n" + string.Join('\n', All.Select(static verb => $"  {verb.Name} {verb.Usage}"))
        + "\n\nA filter has fields of a packet as ovs-ofctl has them (tcp,nw_dst=10.0.0.1): flows that would match it are shown.";

    /// <summary>Runs a verb. What goes wrong is told.</summary>
    /// <param name="session">Where.</param>
    /// <param name="words">The verb and its arguments.</param>
    /// <returns>False when it failed.</returns>
    public static bool Run(DpctlSession session, IReadOnlyList<string> words)
    {
        if (words.Count == 0)
        {
            session.Fail(Errno.None, "missing command name; use --help for help");
            return false;
        }

        DpctlVerb? verb = All.FirstOrDefault(other => other.Name == words[0]);
        string? refusal = verb is null && OfConntrack.Any(beginning => words[0].StartsWith(beginning, StringComparison.Ordinal))
            ? $"'{words[0]}': connections are not tracked; limits of zones are kept, and reached by engine exec -- ovs-dpctl"
            : verb is null ? $"unknown command '{words[0]}'; use --help for help"
            : words.Count - 1 < verb.Fewest ? $"'{verb.Name}' command requires at least {verb.Fewest} arguments"
            : words.Count - 1 > verb.Most ? $"'{verb.Name}' command takes at most {verb.Most} arguments"
            : verb.Changes && session.Options.IsReadOnly ? $"'{verb.Name}' command does not work in read only mode"
            : null;
        if (refusal is not null)
        {
            session.Fail(Errno.None, refusal);
            return false;
        }

        return verb!.Handler(session, words) == Errno.None;
    }
}
