using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Text;

// Printing.
public static partial class ActionText
{
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
