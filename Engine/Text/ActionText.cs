using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Engine.Flows;
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
public static class ActionText
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
    private const int VlanPresent = 0x1000;

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

    // Actions that push, pop or set headers.
    private static bool TryReadHeader(ref TextCursor cursor, ref NetlinkWriter actions, out bool read)
    {
        if (cursor.TryOpen("set"))
        {
            read = TryReadSet(ref cursor, ref actions);
        }
        else if (cursor.TryOpen("push_vlan"))
        {
            read = TryReadPushVlan(ref cursor, ref actions);
        }
        else if (cursor.TryOpen("push_mpls"))
        {
            read = TryReadPushMpls(ref cursor, ref actions, "push_mpls");
        }
        else if (cursor.TryOpen("add_mpls"))
        {
            read = TryReadPushMpls(ref cursor, ref actions, "add_mpls");
        }
        else if (cursor.TryOpen("pop_mpls"))
        {
            uint type = 0;
            read = (cursor.TryField("eth_type") || cursor.Fail("eth_type= after \"pop_mpls(\""))
                && cursor.TryNumber(0xffff, "\"eth_type=\"", out type) && cursor.Expect(')', "the type of pop_mpls");
            actions.Put((int)OvsActionAttribute.PopMpls, BinaryPrimitives.ReverseEndianness((ushort)type));
        }
        else if (cursor.TryOpen("push_eth"))
        {
            read = TryReadPushEthernet(ref cursor, ref actions);
        }
        else if (cursor.TryOpen("push_nsh"))
        {
            int start = actions.BeginNested((int)OvsActionAttribute.PushNsh);
            read = NshText.TryReadPush(ref cursor, ref actions);
            actions.EndNested(start);
        }
        else
        {
            read = false;
            return false;
        }

        return true;
    }

    private static bool TryReadSet(ref TextCursor cursor, ref NetlinkWriter actions)
    {
        if (KeySchemas.FindHere(in cursor) is not { } attribute || attribute.Attribute == OvsKeyAttribute.Encap)
        {
            return cursor.Fail("a key attribute such as ipv4(ttl=5) after \"set(\"");
        }

        cursor.Position += attribute.Name.Length + 1;
        int start = actions.Length;
        bool masked = false;
        int nested = actions.BeginNested((int)OvsActionAttribute.Set);
        bool read;
        if (attribute.Attribute == OvsKeyAttribute.Tunnel)
        {
            NetlinkWriter none = default;
            read = TunnelText.TryRead(ref cursor, attribute, ref actions, ref none, hasMask: false, null, null);
        }
        else if (attribute.Attribute == OvsKeyAttribute.Nsh)
        {
            read = NshText.TryReadSet(ref cursor, ref actions, out masked);
        }
        else
        {
            Span<byte> both = stackalloc byte[2 * KeyAttributeText.MaximumSize];
            Span<byte> value = both[..KeyAttributeText.MaximumSize];
            Span<byte> mask = both[KeyAttributeText.MaximumSize..];
            read = KeyAttributeText.TryRead(ref cursor, attribute, value, mask, out int size);
            masked = !KeyAttributeText.IsExact(attribute, mask[..size]);
            if (masked)
            {
                mask[..size].CopyTo(both[size..]);
                size *= 2;
            }

            actions.Put((int)attribute.Attribute, both[..size]);
        }

        actions.EndNested(nested);
        if (masked && !actions.Overflowed)
        {
            actions.ChangeType(start, (int)OvsActionAttribute.SetMasked);
        }

        return read && cursor.Expect(')', "the key attribute of set");
    }

    private static bool TryReadPushVlan(ref TextCursor cursor, ref NetlinkWriter actions)
    {
        uint tpid = VlanTpid;
        uint vid = 0;
        uint pcp = 0;
        uint cfi = 1;
        while (!cursor.TryTake(')'))
        {
            bool read = cursor.TryField("tpid") ? cursor.TryNumber(0xffff, "\"tpid=\"", out tpid)
                : cursor.TryField("vid") ? cursor.TryNumber(0xfff, "\"vid=\"", out vid)
                : cursor.TryField("pcp") ? cursor.TryNumber(7, "\"pcp=\"", out pcp)
                : cursor.TryField("cfi") ? cursor.TryNumber(1, "\"cfi=\"", out cfi)
                : cursor.Fail("a field of push_vlan: tpid=, vid=, pcp=, cfi=");
            if (!read || !cursor.NextField("push_vlan"))
            {
                return false;
            }
        }

        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)tpid);
        BinaryPrimitives.WriteUInt16BigEndian(payload[2..], (ushort)(vid | (pcp << 13) | (cfi * VlanPresent)));
        actions.Put((int)OvsActionAttribute.PushVlan, payload);
        return true;
    }

    private static bool TryReadPushMpls(ref TextCursor cursor, ref NetlinkWriter actions, string name)
    {
        KeyAttributeSchema mpls = KeySchemas.Find((int)OvsKeyAttribute.Mpls)!;
        Span<byte> entry = stackalloc byte[KeyAttributeText.MaximumSize];
        entry.Clear();
        uint type = 0;
        uint flags = 0;
        bool isAdd = name == "add_mpls";
        bool hasType = false;
        while (!cursor.TryTake(')'))
        {
            bool read = false;
            bool found = false;
            foreach (KeyPartSchema part in mpls.Parts)
            {
                if (part.PayloadOffset == 0 && cursor.TryField(part.Name))
                {
                    read = KeyValueText.TryRead(ref cursor, part, KeyAttributeText.Quote(part.Name + "="), entry, default);
                    found = true;
                    break;
                }
            }

            if (!found && cursor.TryField("eth_type"))
            {
                read = cursor.TryNumber(0xffff, "\"eth_type=\"", out type);
                hasType = true;
            }
            else if (!found && isAdd && cursor.TryField("tun_flags"))
            {
                read = cursor.TryNumber(0xffff, "\"tun_flags=\"", out flags);
            }
            else if (!found)
            {
                read = cursor.Fail($"a field of {name}: label=, tc=, ttl=, bos=, eth_type={(isAdd ? ", tun_flags=" : "")}");
            }

            if (!read || !cursor.NextField(name))
            {
                return false;
            }
        }

        if (!hasType)
        {
            cursor.Position--;
            return cursor.Fail($"eth_type= in {name}");
        }

        Span<byte> payload = stackalloc byte[8];
        entry[..4].CopyTo(payload);
        BinaryPrimitives.WriteUInt16BigEndian(payload[4..], (ushort)type);
        BinaryPrimitives.WriteUInt16LittleEndian(payload[6..], (ushort)flags);

        // struct ovs_action_push_mpls is 6 bytes of fields in 8, struct ovs_action_add_mpls 8.
        actions.Put((int)(isAdd ? OvsActionAttribute.AddMpls : OvsActionAttribute.PushMpls), payload);
        return true;
    }

    private static bool TryReadPushEthernet(ref TextCursor cursor, ref NetlinkWriter actions)
    {
        // struct ovs_action_push_eth has the source first, as struct ovs_key_ethernet.
        Span<byte> payload = stackalloc byte[12];
        payload.Clear();
        while (!cursor.TryTake(')'))
        {
            bool isSource = cursor.TryField("src");
            if (!isSource && !cursor.TryField("dst"))
            {
                return cursor.Fail("a field of push_eth: src=, dst=");
            }

            if (!AddressText.TryTakeEthernet(ref cursor, isSource ? payload[..6] : payload[6..]))
            {
                return cursor.Fail($"an Ethernet address after \"{(isSource ? "src=" : "dst=")}\"");
            }

            if (!cursor.NextField("push_eth"))
            {
                return false;
            }
        }

        actions.Put((int)OvsActionAttribute.PushEthernet, payload);
        return true;
    }

    private static void Append(StringBuilder text, ReadOnlySpan<byte> actions, IPortNames? ports, int depth)
    {
        if (actions.IsEmpty)
        {
            text.Append("drop");
            return;
        }

        bool first = true;
        NetlinkAttributes walk = new(actions);
        while (walk.MoveNext())
        {
            text.Append(first ? "" : ",");
            first = false;
            AppendAction(text, walk.Current, ports, depth);
        }

        if (walk.Remaining > 0)
        {
            text.Append(first ? "<empty>" : "").Append(",***").Append(walk.Remaining).Append(" leftover bytes*** (")
                .AppendBytes(actions[(actions.Length - walk.Remaining)..]).Append(')');
        }
    }

    private static void AppendAction(StringBuilder text, NetlinkAttribute action, IPortNames? ports, int depth)
    {
        ReadOnlySpan<byte> payload = action.Payload;
        int size = Size((OvsActionAttribute)action.Type);
        if (size >= 0 && payload.Length != size)
        {
            text.Append("bad length ").Append(payload.Length).Append(", expected ").Append(size).Append(" for: ");
            AppendRaw(text, action);
            return;
        }

        if (depth == TextCursor.MaximumDepth)
        {
            AppendRaw(text, action);
            return;
        }

        switch ((OvsActionAttribute)action.Type)
        {
            case OvsActionAttribute.Output:
                KeyValueText.AppendPort(text, Number(payload), ports);
                break;
            case OvsActionAttribute.Userspace:
                UserspaceActionText.Append(text, payload, ports);
                break;
            case OvsActionAttribute.Set:
                AppendSet(text, payload);
                break;
            case OvsActionAttribute.SetMasked:
                AppendSetMasked(text, payload);
                break;
            case OvsActionAttribute.PushVlan:
                AppendPushVlan(text, payload);
                break;
            case OvsActionAttribute.PopVlan:
                text.Append("pop_vlan");
                break;
            case OvsActionAttribute.Sample:
                AppendSample(text, payload, ports, depth);
                break;
            case OvsActionAttribute.Recirculate:
                text.Append("recirc(").AppendNumber(Number(payload)).Append(')');
                break;
            case OvsActionAttribute.Hash:
                AppendHash(text, payload);
                break;
            case OvsActionAttribute.PushMpls:
                AppendMpls(text.Append("push_mpls("), payload);
                break;
            case OvsActionAttribute.AddMpls:
                AppendMpls(text.Append("add_mpls("), payload);
                break;
            case OvsActionAttribute.PopMpls:
                text.Append("pop_mpls(eth_type=").AppendPadded(BinaryPrimitives.ReadUInt16BigEndian(payload), 1).Append(')');
                break;
            case OvsActionAttribute.Conntrack:
                ConntrackActionText.Append(text, payload);
                break;
            case OvsActionAttribute.ConntrackClear:
                text.Append("ct_clear");
                break;
            case OvsActionAttribute.Truncate:
                text.Append("trunc(").Append(Number(payload)).Append(')');
                break;
            case OvsActionAttribute.PushEthernet:
                AddressText.AppendEthernet(text.Append("push_eth(src="), payload[..6]);
                AddressText.AppendEthernet(text.Append(",dst="), payload[6..]);
                text.Append(')');
                break;
            case OvsActionAttribute.PopEthernet:
                text.Append("pop_eth");
                break;
            case OvsActionAttribute.PushNsh:
                TunnelText.TryFind(payload, (int)OvsKeyAttribute.Nsh, out ReadOnlySpan<byte> nsh);
                NshText.AppendPush(text.Append("push_nsh("), nsh);
                text.Append(')');
                break;
            case OvsActionAttribute.PopNsh:
                text.Append("pop_nsh()");
                break;
            case OvsActionAttribute.Meter:
                text.Append("meter(").Append(Number(payload)).Append(')');
                break;
            case OvsActionAttribute.Clone:
                Append(text.Append("clone("), payload, ports, depth + 1);
                text.Append(')');
                break;
            case OvsActionAttribute.CheckPacketLength:
                AppendCheckLength(text, payload, ports, depth);
                break;
            case OvsActionAttribute.DecrementTtl:
                TunnelText.TryFind(payload, DecrementTtlAction, out ReadOnlySpan<byte> expired);
                Append(text.Append("dec_ttl(le_1("), expired, ports, depth + 1);
                text.Append("))");
                break;
            case OvsActionAttribute.Drop:
                text.Append("drop(").Append(Number(payload)).Append(')');
                break;
            default:
                AppendRaw(text, action);
                break;
        }
    }

    /// <summary>Bytes of the payload, -1 if it varies or the action is not known.</summary>
    private static int Size(OvsActionAttribute action) => action switch
    {
        OvsActionAttribute.PopVlan or OvsActionAttribute.PopEthernet or OvsActionAttribute.PopNsh or OvsActionAttribute.ConntrackClear => 0,
        OvsActionAttribute.PopMpls => 2,
        OvsActionAttribute.Output or OvsActionAttribute.Recirculate or OvsActionAttribute.Truncate or OvsActionAttribute.Meter
            or OvsActionAttribute.Drop or OvsActionAttribute.PushVlan => 4,
        OvsActionAttribute.Hash or OvsActionAttribute.PushMpls or OvsActionAttribute.AddMpls => 8,
        OvsActionAttribute.PushEthernet => 12,
        _ => -1,
    };

    private static uint Number(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadUInt32LittleEndian(payload);

    private static void AppendRaw(StringBuilder text, NetlinkAttribute action)
    {
        text.Append("action").Append(action.Type);
        if (!action.Payload.IsEmpty)
        {
            text.Append('(').AppendBytes(action.Payload, ' ').Append(')');
        }
    }

    private static void AppendSet(StringBuilder text, ReadOnlySpan<byte> payload)
    {
        text.Append("set(");
        FlowText.FormatNetlink(text, payload, default, verbose: true);
        text.Append(')');
    }

    private static void AppendSetMasked(StringBuilder text, ReadOnlySpan<byte> payload)
    {
        text.Append("set(");
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(payload))
        {
            KeyAttributeSchema? schema = KeySchemas.Find(attribute.Type);
            int size = attribute.Payload.Length / 2;
            if (schema is { Attribute: OvsKeyAttribute.Nsh })
            {
                NshText.AppendMaskedSet(text.Append("nsh("), attribute.Payload);
                text.Append(')');
            }
            else if (schema is { IsNested: false } && attribute.Payload.Length % 2 == 0 && (schema.IsArray ? size % schema.Size == 0 && size > 0 : size == schema.Size))
            {
                KeyAttributeText.Append(text, schema, attribute.Payload[..size], attribute.Payload[size..], verbose: false, null);
            }
            else
            {
                text.Append("key").Append(attribute.Type).Append('(').AppendBytes(attribute.Payload, ' ').Append(')');
            }

            break;
        }

        text.Append(')');
    }

    private static void AppendPushVlan(StringBuilder text, ReadOnlySpan<byte> payload)
    {
        text.Append("push_vlan(");
        int tpid = BinaryPrimitives.ReadUInt16BigEndian(payload);
        if (tpid != VlanTpid)
        {
            text.Append("tpid=").AppendPadded((uint)tpid, 4).Append(',');
        }

        KeyAttributeText.AppendVlan(text, KeySchemas.Find((int)OvsKeyAttribute.Vlan)!, payload[2..], default, verbose: false);
        text.Append(')');
    }

    private static void AppendSample(StringBuilder text, ReadOnlySpan<byte> payload, IPortNames? ports, int depth)
    {
        if (!TunnelText.TryFind(payload, SampleProbability, out ReadOnlySpan<byte> probability) || probability.Length != 4
            || !TunnelText.TryFind(payload, SampleActions, out ReadOnlySpan<byte> nested))
        {
            text.Append("sample(error)");
            return;
        }

        double percent = 100.0 * Number(probability) / uint.MaxValue;
        text.Append("sample(sample=").Append(percent.ToString("F1", CultureInfo.InvariantCulture)).Append("%,actions(");
        Append(text, nested, ports, depth + 1);
        text.Append("))");
    }

    private static void AppendHash(StringBuilder text, ReadOnlySpan<byte> payload)
    {
        uint algorithm = Number(payload);
        switch (algorithm)
        {
            case HashL4:
                text.Append("hash(l4(").Append(Number(payload[4..])).Append("))");
                break;
            case HashSymmetricL4:
                text.Append("hash(sym_l4(").Append(Number(payload[4..])).Append("))");
                break;
            default:
                text.Append("hash(Unknown hash algorithm(").Append(algorithm).Append("))");
                break;
        }
    }

    private static void AppendMpls(StringBuilder text, ReadOnlySpan<byte> payload)
    {
        KeyAttributeText.AppendLabel(text, KeySchemas.Find((int)OvsKeyAttribute.Mpls)!, payload, default);
        text.Append(",eth_type=").AppendPadded(BinaryPrimitives.ReadUInt16BigEndian(payload[4..]), 1).Append(')');
    }

    private static void AppendCheckLength(StringBuilder text, ReadOnlySpan<byte> payload, IPortNames? ports, int depth)
    {
        if (!TunnelText.TryFind(payload, CheckLength, out ReadOnlySpan<byte> size) || size.Length != 2
            || !TunnelText.TryFind(payload, CheckGreater, out ReadOnlySpan<byte> greater)
            || !TunnelText.TryFind(payload, CheckLessEqual, out ReadOnlySpan<byte> lessEqual))
        {
            text.Append("check_pkt_len(error)");
            return;
        }

        text.Append("check_pkt_len(size=").Append(BinaryPrimitives.ReadUInt16LittleEndian(size)).Append(",gt(");
        Append(text, greater, ports, depth + 1);
        Append(text.Append("),le("), lessEqual, ports, depth + 1);
        text.Append("))");
    }
}
