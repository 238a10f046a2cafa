using System.Globalization;
using Engine.Control;
using Engine.Primitives;

namespace Engine.Cli;

/// <summary>The verbs of dpctl for files of flows: lines <c>[add|modify|delete] FLOW [ACTIONS]</c>, blank ones and comments between.</summary>
internal static class DpctlFlowFile
{
    /// <summary><c>add-flows [DP] FILE</c>.</summary>
    public static Errno Add(DpctlSession session, IReadOnlyList<string> words) => Play(session, words, "add");

    /// <summary><c>mod-flows [DP] FILE</c>.</summary>
    public static Errno Modify(DpctlSession session, IReadOnlyList<string> words) => Play(session, words, "modify");

    /// <summary><c>del-flows [DP]</c>: all flows; <c>del-flows [DP] FILE</c>: those of the file.</summary>
    public static Errno Delete(DpctlSession session, IReadOnlyList<string> words)
    {
        if (words.Count > 2 || (words.Count == 2 && session.Open(words[1], out _) != Errno.None))
        {
            return Play(session, words, "delete");
        }

        Errno errno = session.OpenNamedOrOnly(words, 2, out DatapathEntry? datapath);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = session.Client.FlushFlows(datapath!.Ifindex);
        return errno == Errno.None ? errno : session.Fail(errno, "deleting all flows");
    }

    // As ovs-dpctl: a line that fails is told, and the next one follows.
    private static Errno Play(DpctlSession session, IReadOnlyList<string> words, string usual)
    {
        Errno errno = session.OpenNamedOrOnly(words, 4, out DatapathEntry? datapath);
        if (errno != Errno.None)
        {
            return errno;
        }

        string path = words[^1];
        DpctlPlace place = new(words.Count - 1);
        try
        {
            using TextReader reader = path == "-" ? Console.In : new StreamReader(path);
            for (int number = 1; reader.ReadLine() is { } line; number++)
            {
                int comment = line.IndexOf('#', StringComparison.Ordinal);
                string text = (comment < 0 ? line : line[..comment]).Trim();
                if (text.Length != 0 && !TryPlayLine(session, datapath!, text, usual, place))
                {
                    session.Fail(Errno.None, string.Create(CultureInfo.InvariantCulture, $"Failed parsing line number {number}, skipped!"), place);
                }
            }

            return Errno.None;
        }
        catch (Exception failure) when (CommandFailure.IsOfFile(failure))
        {
            Errno cause = failure is FileNotFoundException or DirectoryNotFoundException ? Errno.NoEntry : Errno.AccessDenied;
            return session.Fail(cause, $"Opening file \"{path}\" failed", place);
        }
    }

    // False when the line has not the parts that its command needs.
    private static bool TryPlayLine(DpctlSession session, DatapathEntry datapath, string line, string usual, DpctlPlace place)
    {
        string command = line[..WordLength(line)];
        string rest = line;
        if (command is "add" or "modify" or "delete")
        {
            rest = line[command.Length..].TrimStart();
        }
        else
        {
            command = usual;
        }

        int length = WordLength(rest);
        string flow = rest[..length];
        string actions = rest[length..].TrimStart();
        if (flow.Length == 0 || (actions.Length == 0) != (command == "delete"))
        {
            return false;
        }

        _ = command switch
        {
            "add" => DpctlFlows.Put(session, datapath, flow, actions, FlowEdit.Create, place, place),
            "modify" => DpctlFlows.Put(session, datapath, flow, actions, FlowEdit.Modify, place, place),
            _ => DpctlFlows.Delete(session, datapath, flow, place),
        };
        return true;
    }

    private static int WordLength(string text) => text.IndexOfAny([' ', '\t']) is >= 0 and int end ? end : text.Length;
}
