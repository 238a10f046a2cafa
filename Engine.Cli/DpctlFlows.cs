using System.Diagnostics;
using System.Text;
using Engine.Actions;
using Engine.Control;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Text;

namespace Engine.Cli;

/// <summary>The verbs of dpctl for single flows, and their list.</summary>
internal static class DpctlFlows
{
    // OVS_FLOW_ATTR_ACTIONS is one netlink attribute.
    private const int LongestActions = ushort.MaxValue - 3 - NetlinkAttribute.HeaderSize;

    private const string UfidPrefix = "ufid:";

    /// <summary><c>dump-flows [DP] [filter=FILTER]</c>.</summary>
    public static Errno Dump(DpctlSession session, IReadOnlyList<string> words)
    {
        List<string> places = [.. words];
        string? filterText = null;
        while (places.Count > 1 && places[^1].IndexOf('=', StringComparison.Ordinal) is > 0 and int equals)
        {
            DpctlPlace place = new(places.Count - 1);
            switch (places[^1][..equals])
            {
                case "filter" when filterText is null:
                    filterText = places[^1][(equals + 1)..];
                    break;
                case "type":
                    return session.Fail(Errno.None, "Invalid argument 'type'. Use 'ovs-appctl dpctl/dump-flows' instead.", place);
                case "pmd":
                    return session.Fail(Errno.None, "Invalid argument 'pmd': flows are in one table for all workers.", place);
                default:
                    return session.Fail(Errno.None, $"Invalid argument '{places[^1]}'", place);
            }

            places.RemoveAt(places.Count - 1);
        }

        Errno errno = session.OpenNamedOrOnly(places, 2, out DatapathEntry? datapath);
        if (errno != Errno.None)
        {
            return errno;
        }

        DpctlFilter? filter = null;
        if (filterText is not null && !DpctlFilter.TryParse(filterText, session.ReadPortNames(datapath!), out filter, out string? error))
        {
            return session.Fail(Errno.None, $"Failed to parse filter ({error})", new DpctlPlace(places.Count));
        }

        IPortNames? names = session.Options.HasNames ? session.ReadPortNames(datapath!) : null;
        StringBuilder line = new();
        errno = session.Client.DumpFlows(datapath!.Ifindex, flow =>
        {
            if (filter is null || filter.Takes(flow))
            {
                Format(line.Clear(), flow, session.Options.IsVerbose, names);
                session.Output.WriteLine(line);
            }
        });
        return errno == Errno.None ? errno : session.Fail(errno, "Failed to dump flows from datapath", new DpctlPlace(1));
    }

    /// <summary><c>add-flow [DP] FLOW ACTIONS</c>.</summary>
    public static Errno Add(DpctlSession session, IReadOnlyList<string> words) => Put(session, words, FlowEdit.Create);

    /// <summary><c>mod-flow [DP] FLOW ACTIONS</c>.</summary>
    public static Errno Modify(DpctlSession session, IReadOnlyList<string> words) =>
        Put(session, words, session.Options.MayCreate ? FlowEdit.CreateOrModify : FlowEdit.Modify);

    /// <summary><c>get-flow [DP] ufid:UFID</c>.</summary>
    public static Errno Get(DpctlSession session, IReadOnlyList<string> words)
    {
        Errno errno = session.OpenNamedOrOnly(words, 3, out DatapathEntry? datapath);
        if (errno != Errno.None)
        {
            return errno;
        }

        DpctlPlace place = new(words.Count - 1);
        if (!TryReadUfid(words[^1], out Ufid ufid, out _) || !ufid.IsPresent)
        {
            return session.Fail(Errno.InvalidArgument, "parsing flow ufid", place);
        }

        errno = session.Client.FindFlow(datapath!.Ifindex, ufid, out FlowEntry? flow);
        if (errno != Errno.None)
        {
            return session.Fail(errno, "getting flow", place);
        }

        StringBuilder line = new();
        Format(line, flow!, session.Options.IsVerbose, session.Options.HasNames ? session.ReadPortNames(datapath) : null);
        session.Output.WriteLine(line);
        return Errno.None;
    }

    /// <summary><c>del-flow [DP] FLOW</c>.</summary>
    public static Errno Delete(DpctlSession session, IReadOnlyList<string> words)
    {
        Errno errno = session.OpenNamedOrOnly(words, 3, out DatapathEntry? datapath);
        return errno != Errno.None ? errno : Delete(session, datapath!, words[^1], new DpctlPlace(words.Count - 1));
    }

    /// <summary>Adds or changes a flow that is given as text. Errors are told.</summary>
    public static Errno Put(DpctlSession session, DatapathEntry datapath, string key, string actions, FlowEdit edit, DpctlPlace keyPlace, DpctlPlace actionsPlace)
    {
        TextMap map = new();
        Errno errno = TryReadKey(session, datapath, key, keyPlace, out FlowEntry? flow);
        if (errno == Errno.None)
        {
            errno = TryReadActions(session, actions, actionsPlace, map, out ReadOnlyMemory<byte> payload);
            flow = flow! with { Actions = payload };
        }

        if (errno != Errno.None)
        {
            return errno;
        }

        errno = session.Client.PutFlow(datapath.Ifindex, flow!, edit, session.Options.Clears, out FlowEntry? stored);
        if (errno != Errno.None)
        {
            (string? reason, int offset, bool isOfActions) = Explain(flow!, map);
            DpctlPlace place = isOfActions ? actionsPlace with { Offset = actionsPlace.Offset + offset } : keyPlace;
            return session.Fail(errno, "updating flow table", place, reason);
        }

        WriteStats(session, stored);
        return Errno.None;
    }

    /// <summary>Removes a flow that is given as text. Errors are told.</summary>
    public static Errno Delete(DpctlSession session, DatapathEntry datapath, string key, DpctlPlace place)
    {
        Errno errno = TryReadKey(session, datapath, key, place, out FlowEntry? flow);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = session.Client.DeleteFlow(datapath.Ifindex, flow!, out FlowEntry? removed);
        if (errno != Errno.None)
        {
            session.Fail(errno, "deleting flow", place);
            if (errno == Errno.NoEntry && !flow!.Ufid.IsPresent)
            {
                session.Output.WriteLine("Perhaps you need to specify a UFID?");
            }

            return errno;
        }

        WriteStats(session, removed);
        return Errno.None;
    }

    private static Errno Put(DpctlSession session, IReadOnlyList<string> words, FlowEdit edit)
    {
        Errno errno = session.OpenNamedOrOnly(words, 4, out DatapathEntry? datapath);
        return errno != Errno.None
            ? errno
            : Put(session, datapath!, words[^2], words[^1], edit, new DpctlPlace(words.Count - 2), new DpctlPlace(words.Count - 1));
    }

    // Behind the UFID there may be nothing, which names the flow to a server all the same.
    private static bool TryReadUfid(string text, out Ufid ufid, out int length)
    {
        ufid = default;
        length = 0;
        if (!text.StartsWith(UfidPrefix, StringComparison.Ordinal))
        {
            return true;
        }

        length = Math.Min(text.Length, UfidPrefix.Length + UfidText.Length);
        return UfidText.TryParse(text.AsSpan(UfidPrefix.Length, length - UfidPrefix.Length), out ufid);
    }

    private static Errno TryReadKey(DpctlSession session, DatapathEntry datapath, string text, DpctlPlace place, out FlowEntry? flow)
    {
        flow = null;
        if (!TryReadUfid(text, out Ufid ufid, out int length))
        {
            return session.Fail(Errno.InvalidArgument, "parsing flow ufid", place);
        }

        NetlinkWriter key = new(new byte[FlowText.MaximumNetlinkSize]);
        NetlinkWriter mask = new(new byte[FlowText.MaximumNetlinkSize]);
        string rest = text[length..].TrimStart(',', ' ');
        if (rest.Length != 0 && !FlowText.TryParseNetlink(rest, ref key, ref mask, out TextError error, session.ReadPortNames(datapath)))
        {
            DpctlPlace at = place with { Offset = place.Offset + text.Length - rest.Length + error.Offset };
            return session.Fail(Errno.InvalidArgument, $"parsing flow key ({error.Message})", at);
        }

        flow = new FlowEntry(ufid, key.Written.ToArray(), mask.Written.ToArray(), default, default);
        return Errno.None;
    }

    private static Errno TryReadActions(DpctlSession session, string text, DpctlPlace place, TextMap map, out ReadOnlyMemory<byte> actions)
    {
        NetlinkWriter writer = new(new byte[LongestActions]);
        bool isRead = ActionText.TryParse(text, ref writer, out TextError error, map: map);
        actions = isRead ? writer.Written.ToArray() : default;
        return isRead
            ? Errno.None
            : session.Fail(Errno.InvalidArgument, $"parsing actions ({error.Message})", place with { Offset = place.Offset + error.Offset });
    }

    // The server's errno says little. The same checks here give a sentence and, in actions, a place.
    private static (string? Reason, int Offset, bool IsOfActions) Explain(FlowEntry flow, TextMap map)
    {
        Refusal refusal = flow.Mask.IsEmpty
            ? FlowKey.TryParseNetlinkExact(flow.Key.Span, out FlowKey key, out FlowKey mask)
            : FlowKey.TryParseNetlink(flow.Key.Span, flow.Mask.Span, out key, out mask);
        if (refusal.IsRefused)
        {
            return (refusal.Reason, 0, false);
        }

        FlowKey.MaskedCopy(in key, in mask, out FlowKey masked);
        refusal = ActionList.TryCreate(flow.Actions.Span, in masked, ActionFeatures.All, out _);
        return refusal.IsRefused ? (refusal.Reason, map.TextOffset(refusal.Offset), true) : (null, 0, false);
    }

    private static void WriteStats(DpctlSession session, FlowEntry? flow)
    {
        if (session.Options.HasStatistics && flow is not null)
        {
            StringBuilder line = new();
            FlowStats stats = flow.Stats;
            FlowStatsText.Format(line, in stats, NowMs);
            session.Output.WriteLine(line);
        }
    }

    private static long NowMs => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000);

    private static void Format(StringBuilder line, FlowEntry flow, bool isVerbose, IPortNames? names)
    {
        if (isVerbose && flow.Ufid.IsPresent)
        {
            UfidText.Format(line.Append(UfidPrefix), flow.Ufid);
            line.Append(", ");
        }

        FlowStats stats = flow.Stats;
        FlowText.FormatNetlink(line, flow.Key.Span, flow.Mask.Span, isVerbose, names);
        FlowStatsText.Format(line.Append(", "), in stats, NowMs);
        ActionText.Format(line.Append(isVerbose ? ", dp:ovs, actions:" : ", actions:"), flow.Actions.Span, names);
    }
}
