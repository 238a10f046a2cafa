using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Engine.Netlink;

namespace Engine.Text;

/// <summary>The ovs-dpctl text form of actions, both ways: <c>set(ipv4(ttl=5)),push_vlan(vid=10,pcp=3),7</c>.</summary>
/// <remarks>
/// <para>Printed as Open vSwitch 3.1 prints it (<c>format_odp_actions</c> in its lib/odp-util.c), but for what it takes for
/// something else: dec_ttl and drop with a reason, which are printed as <c>dec_ttl(le_1(...))</c> and <c>drop(N)</c>.</para>
/// <para>Everything printed is read back into the same bytes, but for: the probability of sample, of which one decimal place in
/// percent is printed; flags of add_mpls; parts of the user data of Open vSwitch; leading zeros of the metadata of push_nsh.</para>
/// <para>Threads: no state.</para>
/// </remarks>
public static partial class ActionText
{
    // Attributes nested in actions, linux/openvswitch.h.
    private const int SampleProbability = 1;
    private const int SampleActions = 2;
    private const int CheckLength = 1;
    private const int CheckGreater = 2;
    private const int CheckLessEqual = 3;
    private const int DecrementTtlAction = 1;

    // What fits behind the header of the attribute that holds them.
    private const int LongestList = ushort.MaxValue - NetlinkAttribute.HeaderSize;

    private const int HashL4 = 0;
    private const int HashSymmetricL4 = 1;
    private const int VlanTpid = 0x8100;

    /// <summary>Reads actions.</summary>
    /// <param name="text">The whole text; <c>drop</c> and nothing at all are the empty list.</param>
    /// <param name="actions">Gets the payload of OVS_FLOW_ATTR_ACTIONS.</param>
    /// <param name="error">Where and what, also when the writer's buffer is too small.</param>
    /// <param name="ports">Ports that may be named; null: numbers only.</param>
    /// <param name="map">Gets the place of each action and nested action.</param>
    /// <returns>False with an <paramref name="error"/>.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, ref NetlinkWriter actions, out TextError error, IPortNames? ports = null, TextMap? map = null)
    {
        TextCursor cursor = new(text, ports);
        bool read = TryRead(ref cursor, ref actions, map);
        error = cursor.Error;
        return read;
    }

    /// <summary>Appends actions.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="actions">Payload of OVS_FLOW_ATTR_ACTIONS. Malformed bytes are printed as such.</param>
    /// <param name="ports">Names of ports; null: numbers.</param>
    public static void Format(StringBuilder text, ReadOnlySpan<byte> actions, IPortNames? ports = null) => Append(text, actions, ports, depth: 0);

    /// <summary>Reads actions to the end of the text.</summary>
    internal static bool TryRead(ref TextCursor cursor, ref NetlinkWriter actions, TextMap? map)
    {
        int start = cursor.Position;
        if (!TryReadList(ref cursor, ref actions, map, depth: 0))
        {
            return false;
        }

        return !actions.Overflowed || cursor.Fail(start, "fewer actions");
    }

    /// <summary>Reads the number of a port, or its name where names are known.</summary>
    internal static bool TryReadPort(ref TextCursor cursor, string after, out uint port)
    {
        ReadOnlySpan<char> rest = cursor.Rest;
        int length = 0;
        while (length < rest.Length && !TextCursor.IsDelimiter(rest[length]) && rest[length] is not (')' or '('))
        {
            length++;
        }

        if (length > 0 && cursor.Ports is { } ports && ports.TryGetNumber(rest[..length].ToString(), out port))
        {
            cursor.Position += length;
            return true;
        }

        port = 0;
        return cursor.Next is >= '0' and <= '9'
            ? cursor.TryNumber(uint.MaxValue, after, out port)
            : cursor.Fail($"the number{(cursor.Ports is null ? "" : " or name")} of a port after {after}");
    }

    private static bool TryReadList(ref TextCursor cursor, ref NetlinkWriter actions, TextMap? map, int depth)
    {
        if (depth == TextCursor.MaximumDepth)
        {
            return cursor.Fail($"at most {TextCursor.MaximumDepth} levels of actions");
        }

        int start = actions.Length;
        int drop = -1;
        cursor.SkipDelimiters();
        while (!cursor.AtEnd && !(depth > 0 && cursor.Next == ')'))
        {
            int offset = cursor.Position;
            if (TryTakeWord(ref cursor, "drop"))
            {
                drop = offset;
            }
            else
            {
                map?.Add(actions.Length, offset);
                if (!TryReadAction(ref cursor, ref actions, map, depth))
                {
                    return false;
                }
            }

            if (drop >= 0 && actions.Length > start)
            {
                return cursor.Fail(drop, "drop alone, or another action");
            }

            if (actions.Overflowed || actions.Length - start > LongestList)
            {
                return cursor.Fail(offset, "fewer actions");
            }

            if (!cursor.AtEnd && !TextCursor.IsDelimiter(cursor.Next) && !(depth > 0 && cursor.Next == ')'))
            {
                return cursor.Fail(depth > 0 ? "\",\" or \")\" after an action" : "\",\" after an action");
            }

            cursor.SkipDelimiters();
        }

        return true;
    }

    // The actions in a pair of parentheses, the opening one of which is behind.
    private static bool TryReadNested(ref TextCursor cursor, ref NetlinkWriter actions, int attribute, TextMap? map, int depth, string of)
    {
        int start = actions.BeginNested(attribute);
        if (!TryReadList(ref cursor, ref actions, map, depth + 1) || !cursor.Expect(')', $"the actions of {of}"))
        {
            return false;
        }

        actions.EndNested(start);
        return true;
    }

    private static bool TryTakeWord(ref TextCursor cursor, string word)
    {
        if (!cursor.PeekWord().SequenceEqual(word.AsSpan()) || (cursor.Rest.Length > word.Length && cursor.Rest[word.Length] == '('))
        {
            return false;
        }

        cursor.Position += word.Length;
        return true;
    }

    private static bool TryReadAction(ref TextCursor cursor, ref NetlinkWriter actions, TextMap? map, int depth)
    {
        if (TryReadOutput(ref cursor, ref actions, out bool read))
        {
            return read;
        }

        if (TryTakeWord(ref cursor, "pop_vlan"))
        {
            actions.Put((int)OvsActionAttribute.PopVlan, 0);
            return true;
        }

        if (TryTakeWord(ref cursor, "pop_eth"))
        {
            actions.Put((int)OvsActionAttribute.PopEthernet, 0);
            return true;
        }

        if (cursor.TryTake("pop_nsh()") || TryTakeWord(ref cursor, "pop_nsh"))
        {
            actions.Put((int)OvsActionAttribute.PopNsh, 0);
            return true;
        }

        if (TryTakeWord(ref cursor, "ct_clear"))
        {
            actions.Put((int)OvsActionAttribute.ConntrackClear, 0);
            return true;
        }

        if (cursor.PeekWord().SequenceEqual("ct".AsSpan()))
        {
            cursor.Position += 2;
            return ConntrackActionText.TryRead(ref cursor, ref actions, map);
        }

        return TryReadSimple(ref cursor, ref actions, out read)
            ? read
            : TryReadWithActions(ref cursor, ref actions, map, depth, out read)
            ? read
            : TryReadHeader(ref cursor, ref actions, out read)
            ? read
            : cursor.Fail("an action such as 2, drop or set(ipv4(ttl=5))");
    }

    private static bool TryReadOutput(ref TextCursor cursor, ref NetlinkWriter actions, out bool read)
    {
        ReadOnlySpan<char> rest = cursor.Rest;
        int length = 0;
        while (length < rest.Length && !TextCursor.IsDelimiter(rest[length]) && rest[length] is not (')' or '('))
        {
            length++;
        }

        uint port = 0;
        bool opens = length < rest.Length && rest[length] == '(';
        if (length > 0 && !opens && cursor.Ports is { } ports && ports.TryGetNumber(rest[..length].ToString(), out port))
        {
            cursor.Position += length;
            read = true;
        }
        else if (cursor.Next is >= '0' and <= '9')
        {
            read = cursor.TryNumber(uint.MaxValue, "the last action", out port);
        }
        else
        {
            read = false;
            return false;
        }

        actions.Put((int)OvsActionAttribute.Output, port);
        return true;
    }

    // Actions with numbers only.
    private static bool TryReadSimple(ref TextCursor cursor, ref NetlinkWriter actions, out bool read)
    {
        (string Name, OvsActionAttribute Attribute)[] numbers =
        [
            ("trunc", OvsActionAttribute.Truncate), ("recirc", OvsActionAttribute.Recirculate),
            ("meter", OvsActionAttribute.Meter), ("drop", OvsActionAttribute.Drop),
        ];
        foreach ((string name, OvsActionAttribute attribute) in numbers)
        {
            if (cursor.TryOpen(name))
            {
                read = cursor.TryNumber(uint.MaxValue, KeyAttributeText.Quote(name + "("), out uint value) && cursor.Expect(')', $"the number of {name}");
                actions.Put((int)attribute, value);
                return true;
            }
        }

        if (cursor.TryOpen("hash"))
        {
            read = TryReadHash(ref cursor, ref actions);
            return true;
        }

        if (cursor.TryOpen("userspace"))
        {
            read = UserspaceActionText.TryRead(ref cursor, ref actions);
            return true;
        }

        ReadOnlySpan<char> word = cursor.PeekWord();
        if (word.Length > 6 && word.StartsWith("action".AsSpan(), StringComparison.Ordinal) && word[6] is >= '0' and <= '9')
        {
            cursor.Position += 6;
            read = TryReadRaw(ref cursor, ref actions);
            return true;
        }

        read = false;
        return false;
    }

    private static bool TryReadHash(ref TextCursor cursor, ref NetlinkWriter actions)
    {
        int algorithm = cursor.TryOpen("l4") ? HashL4 : cursor.TryOpen("sym_l4") ? HashSymmetricL4 : -1;
        if (algorithm < 0)
        {
            return cursor.Fail("l4( or sym_l4( after \"hash(\"");
        }

        if (!cursor.TryNumber(uint.MaxValue, algorithm == HashL4 ? "\"l4(\"" : "\"sym_l4(\"", out uint basis)
            || !cursor.Expect(')', "the basis of the hash") || !cursor.Expect(')', "the algorithm of the hash"))
        {
            return false;
        }

        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(payload, (uint)algorithm);
        BinaryPrimitives.WriteUInt32LittleEndian(payload[4..], basis);
        actions.Put((int)OvsActionAttribute.Hash, payload);
        return true;
    }

    // action40(00 01): an action that is not known, as it is printed.
    private static bool TryReadRaw(ref TextCursor cursor, ref NetlinkWriter actions)
    {
        byte[] bytes = [];
        if (!cursor.TryNumber(NetlinkAttribute.TypeMask, "\"action\"", out uint type))
        {
            return false;
        }

        if (cursor.TryTake('(')
            && !((HexText.TryTakeBytes(ref cursor, out bytes) || cursor.Fail("pairs of hexadecimal digits")) && cursor.Expect(')', "the bytes of an action")))
        {
            return false;
        }

        actions.Put((int)type, bytes);
        return true;
    }

    private static bool TryReadWithActions(ref TextCursor cursor, ref NetlinkWriter actions, TextMap? map, int depth, out bool read)
    {
        if (cursor.TryOpen("clone"))
        {
            read = TryReadNested(ref cursor, ref actions, (int)OvsActionAttribute.Clone, map, depth, "clone");
            return true;
        }

        if (cursor.TryOpen("sample"))
        {
            read = TryReadSample(ref cursor, ref actions, map, depth);
            return true;
        }

        if (cursor.TryOpen("check_pkt_len"))
        {
            read = TryReadCheckLength(ref cursor, ref actions, map, depth);
            return true;
        }

        if (cursor.TryOpen("dec_ttl"))
        {
            int start = actions.BeginNested((int)OvsActionAttribute.DecrementTtl);
            read = (cursor.TryOpen("le_1") || cursor.Fail("le_1( after \"dec_ttl(\""))
                && TryReadNested(ref cursor, ref actions, DecrementTtlAction, map, depth, "le_1") && cursor.Expect(')', "le_1()");
            actions.EndNested(start);
            return true;
        }

        read = false;
        return false;
    }

    private static bool TryReadSample(ref TextCursor cursor, ref NetlinkWriter actions, TextMap? map, int depth)
    {
        if (!cursor.TryField("sample"))
        {
            return cursor.Fail("sample= after \"sample(\"");
        }

        int start = cursor.Position;
        int length = 0;
        ReadOnlySpan<char> rest = cursor.Rest;
        while (length < rest.Length && rest[length] is (>= '0' and <= '9') or '.')
        {
            length++;
        }

        bool isNumber = double.TryParse(rest[..length].ToString(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent);
        cursor.Position += length;
        if (!isNumber || percent > 100 || !cursor.TryTake('%'))
        {
            return cursor.Fail(start, "a percentage from 0% to 100% after \"sample=\"");
        }

        if (!cursor.TryTake(",actions("))
        {
            return cursor.Fail("\",actions(\" after the percentage of sample");
        }

        int nested = actions.BeginNested((int)OvsActionAttribute.Sample);
        actions.Put(SampleProbability, (uint)Math.Min(uint.MaxValue, Math.Floor((uint.MaxValue * (percent / 100)) + 0.5)));
        if (!TryReadNested(ref cursor, ref actions, SampleActions, map, depth, "sample"))
        {
            return false;
        }

        actions.EndNested(nested);
        return cursor.Expect(')', "the actions of sample");
    }

    private static bool TryReadCheckLength(ref TextCursor cursor, ref NetlinkWriter actions, TextMap? map, int depth)
    {
        if (!cursor.TryField("size"))
        {
            return cursor.Fail("size= after \"check_pkt_len(\"");
        }

        int nested = actions.BeginNested((int)OvsActionAttribute.CheckPacketLength);
        if (!cursor.TryNumber(0xffff, "\"size=\"", out uint size))
        {
            return false;
        }

        actions.Put(CheckLength, (ushort)size);
        if (!cursor.TryTake(",gt("))
        {
            return cursor.Fail("\",gt(\" after the size of check_pkt_len");
        }

        if (!TryReadNested(ref cursor, ref actions, CheckGreater, map, depth, "gt"))
        {
            return false;
        }

        if (!cursor.TryTake(",le("))
        {
            return cursor.Fail("\",le(\" after gt() of check_pkt_len");
        }

        if (!TryReadNested(ref cursor, ref actions, CheckLessEqual, map, depth, "le"))
        {
            return false;
        }

        actions.EndNested(nested);
        return cursor.Expect(')', "le() of check_pkt_len");
    }
}
