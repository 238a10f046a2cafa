using Engine.Flows;
using Engine.Netlink;

namespace Engine.Text;

/// <summary>Reads a flows file: one flow a line, <c>KEY ACTIONS</c> or what ovs-dpctl dump-flows prints; <c>#</c> comments and blank lines.</summary>
/// <remarks>
/// <para>A line is a key, then either actions behind a space, or statistics and other <c>name:value</c> pairs behind commas of
/// which the last is <c>actions:ACTIONS</c>. It may start with <c>ufid:...,</c>. Of the pairs, packets, bytes and flags are kept.</para>
/// <para>A key without <c>eth()</c> is of a packet with an Ethernet header all the same, as all that ports receive is. The kernel would
/// take it for a bare packet, which here needs a recirculation id: only actions make one.</para>
/// <para>Threads: no state.</para>
/// </remarks>
public static class FlowFile
{
    // OVS_FLOW_ATTR_ACTIONS is one netlink attribute.
    private const int LongestActions = ushort.MaxValue - 3 - NetlinkAttribute.HeaderSize;

    /// <summary>Reads flows. Every bad line gives one error; reading goes on after it.</summary>
    /// <param name="name">Name of the file for errors; it is not opened.</param>
    /// <param name="content">The content.</param>
    /// <param name="flows">The flows of the good lines.</param>
    /// <param name="errors">The errors, in the order of the lines.</param>
    /// <param name="ports">Ports that may be named; null: numbers only.</param>
    /// <returns>False when there are errors.</returns>
    public static bool TryParse(
        string name,
        string content,
        out IReadOnlyList<FlowLine> flows,
        out IReadOnlyList<FlowFileError> errors,
        IPortNames? ports = null)
    {
        List<FlowLine> good = [];
        List<FlowFileError> bad = [];
        byte[] buffer = new byte[LongestActions];
        ReadOnlySpan<char> rest = content.AsSpan();
        int line = 0;
        if (rest.Length > 0 && rest[0] == '\ufeff')
        {
            rest = rest[1..];
        }

        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf('\n');
            ReadOnlySpan<char> text = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            line++;
            text = WithoutComment(text).TrimEnd();
            if (text.IsEmpty)
            {
                continue;
            }

            if (TryParseLine(name, line, text, ports, buffer, out TextError error) is { } flow)
            {
                good.Add(flow);
            }
            else
            {
                bad.Add(new FlowFileError(name, line, error.Offset + 1, error.Message ?? "refused"));
            }
        }

        flows = good;
        errors = bad;
        return bad.Count == 0;
    }

    // A comment starts at the start of the line or behind a space: the name of a port may have # in it.
    private static ReadOnlySpan<char> WithoutComment(ReadOnlySpan<char> line)
    {
        for (int i = 0; i < line.Length; i++)
        {
            if (line[i] == '#' && (i == 0 || TextCursor.IsSpace(line[i - 1])))
            {
                return line[..i];
            }
        }

        return line;
    }

    private static FlowLine? TryParseLine(string name, int line, ReadOnlySpan<char> text, IPortNames? ports, byte[] buffer, out TextError error)
    {
        FlowKey key = default;
        FlowKey mask = default;
        FlowStats stats = default;
        TextMap map = new();
        NetlinkWriter actions = new(buffer);
        TextCursor cursor = new(text[..ActionsEnd(text)], ports);
        int keyStart = 0;
        bool read = FlowText.TryReadUfid(ref cursor, out Ufid ufid);
        if (read)
        {
            cursor.SkipDelimiters();
            keyStart = cursor.Position;
            read = FlowText.TryReadFlowKey(ref cursor, out _, ref key, ref mask, assumesEthernet: true);
        }

        int keyEnd = cursor.Position;
        read = read && TryReadPairs(ref cursor, ref stats) && ActionText.TryRead(ref cursor, ref actions, map);
        error = cursor.Error;
        return read
            ? new FlowLine(name, line, in key, in mask, actions.Written.ToArray(), map, text[keyStart..keyEnd].ToString(), ufid, stats)
            : null;
    }

    // What a datapath with offloads prints behind the actions.
    private static int ActionsEnd(ReadOnlySpan<char> text)
    {
        int extra = text.IndexOf(", dp-extra-info:".AsSpan(), StringComparison.Ordinal);
        return extra < 0 ? text.Length : extra;
    }

    // Stops at the actions.
    private static bool TryReadPairs(ref TextCursor cursor, ref FlowStats stats)
    {
        int start = cursor.Position;
        cursor.SkipSpaces();
        if (cursor.AtEnd)
        {
            return cursor.Fail("actions behind the key, or drop");
        }

        if (cursor.Next != ',')
        {
            return cursor.Position > start || cursor.Fail("\",\" or a space behind a key attribute");
        }

        while (true)
        {
            cursor.SkipDelimiters();
            ReadOnlySpan<char> name = PeekPairName(in cursor);
            if (name.IsEmpty)
            {
                return cursor.Fail("a key attribute such as eth_type(0x0800), or a pair such as packets:0 or actions:drop");
            }

            int valueStart = cursor.Position + name.Length + 1;
            cursor.Position = valueStart;
            if (name.SequenceEqual("actions".AsSpan()))
            {
                return true;
            }

            int length = cursor.Rest.IndexOf(',');
            ReadOnlySpan<char> value = length < 0 ? cursor.Rest : cursor.Rest[..length];
            bool read = true;
            if (name.SequenceEqual("packets".AsSpan()))
            {
                read = cursor.TryNumber(ulong.MaxValue, "\"packets:\"", out stats.Packets);
            }
            else if (name.SequenceEqual("bytes".AsSpan()))
            {
                read = cursor.TryNumber(ulong.MaxValue, "\"bytes:\"", out stats.Bytes);
            }
            else if (name.SequenceEqual("flags".AsSpan()))
            {
                read = FlowStatsText.TryParseTcpFlags(value, out int flags) || cursor.Fail("TCP flags such as SFPR. after \"flags:\"");
                stats.TcpFlags = (byte)flags;
                cursor.Position += value.Length;
            }
            else
            {
                cursor.Position += value.Length;
            }

            if (!read)
            {
                return false;
            }

            if (cursor.AtEnd)
            {
                return cursor.Fail("\", actions:\" behind the statistics");
            }

            if (cursor.Next != ',')
            {
                return cursor.Fail($"\",\" behind the value of {name.ToString()}");
            }
        }
    }

    private static ReadOnlySpan<char> PeekPairName(in TextCursor cursor)
    {
        ReadOnlySpan<char> rest = cursor.Rest;
        int length = 0;
        while (length < rest.Length && (char.IsAsciiLetterOrDigit(rest[length]) || rest[length] is '_' or '-'))
        {
            length++;
        }

        return length < rest.Length && rest[length] == ':' ? rest[..length] : default;
    }
}
