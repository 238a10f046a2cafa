using System.Buffers.Binary;
using System.Text;
using Engine.Netlink;

namespace Engine.Text;

/// <summary>The userspace action: <c>userspace(pid=123,slow_path(action),actions,tunnel_out_port=7)</c>.</summary>
/// <remarks>
/// User data of 48 bytes is a cookie of Open vSwitch 3.1 (<c>struct user_action_cookie</c> in its lib/odp-util.h) and printed by its
/// meaning; the OpenFlow port and the UUID in it are not printed, and read as none and zero.
/// </remarks>
internal static class UserspaceActionText
{
    // OVS_USERSPACE_ATTR_*, linux/openvswitch.h.
    private const int Pid = 1;
    private const int UserData = 2;
    private const int EgressTunnelPort = 3;
    private const int Actions = 4;

    private const int CookieSize = 48;
    private const int CookieFlow = 1;
    private const int CookieSlowPath = 2;
    private const int CookieFlowSample = 3;
    private const int CookieIpfix = 4;
    private const int CookieController = 5;

    // Offsets in the cookie. What depends on the type starts at 24, behind the UUID.
    private const int TypeAt = 0;
    private const int InPortAt = 4;
    private const int FirstAt = 24;
    private const int SecondAt = 28;
    private const int ThirdAt = 32;
    private const int FourthAt = 36;
    private const int FifthAt = 40;
    private const int SixthAt = 44;

    private const ushort NoOpenFlowPort = 0xffff;
    private const int VlanPresent = 0x1000;

    /// <summary>Reads from behind <c>userspace(</c> to behind the closing parenthesis.</summary>
    public static bool TryRead(ref TextCursor cursor, ref NetlinkWriter actions)
    {
        if (!cursor.TryField("pid"))
        {
            return cursor.Fail("pid= in userspace");
        }

        byte[]? userData = null;
        bool hasActions = false;
        uint? tunnelPort = null;
        if (!cursor.TryNumber(uint.MaxValue, "\"pid=\"", out uint pid) || !cursor.NextField("userspace"))
        {
            return false;
        }

        while (!cursor.TryTake(')'))
        {
            int start = cursor.Position;
            bool read = true;
            ReadOnlySpan<char> word = cursor.PeekWord();
            if (word.SequenceEqual("actions".AsSpan()))
            {
                hasActions = true;
                cursor.Position += word.Length;
            }
            else if (cursor.TryField("tunnel_out_port"))
            {
                read = ActionText.TryReadPort(ref cursor, "\"tunnel_out_port=\"", out uint port);
                tunnelPort = port;
            }
            else if (userData is not null)
            {
                read = cursor.Fail("actions or tunnel_out_port= in userspace");
            }
            else if (cursor.TryOpen("userdata"))
            {
                read = (HexText.TryTakeBytes(ref cursor, out userData) || cursor.Fail("pairs of hexadecimal digits in userdata"))
                    && cursor.Expect(')', "the bytes of userdata");
            }
            else
            {
                userData = new byte[CookieSize];
                read = TryReadCookie(ref cursor, userData);
            }

            if (read && userData is { Length: > ushort.MaxValue - 64 })
            {
                return cursor.Fail(start, "less user data");
            }

            if (!read || !cursor.NextField("userspace"))
            {
                return false;
            }
        }

        int nested = actions.BeginNested((int)OvsActionAttribute.Userspace);
        actions.Put(Pid, pid);
        if (userData is not null)
        {
            actions.Put(UserData, userData);
        }

        if (tunnelPort is { } outPort)
        {
            actions.Put(EgressTunnelPort, outPort);
        }

        if (hasActions)
        {
            actions.Put(Actions, 0);
        }

        actions.EndNested(nested);
        return true;
    }

    /// <summary>Appends the action.</summary>
    public static void Append(StringBuilder text, ReadOnlySpan<byte> payload, IPortNames? ports)
    {
        // Of an attribute that is there twice the last counts, as in the kernel.
        ReadOnlySpan<byte> pid = default, userData = default, outPort = default;
        bool hasUserData = false, hasOutPort = false, hasActions = false;
        NetlinkAttributes attributes = new(payload);
        while (attributes.MoveNext())
        {
            ReadOnlySpan<byte> value = attributes.Current.Payload;
            switch (attributes.Current.Type)
            {
                case Pid:
                    pid = value;
                    break;
                case UserData:
                    userData = value;
                    hasUserData = true;
                    break;
                case EgressTunnelPort:
                    outPort = value;
                    hasOutPort = true;
                    break;
                case Actions:
                    hasActions = true;
                    break;
                default:
                    break;
            }
        }

        if (pid.Length != 4 || (hasOutPort && outPort.Length != 4) || attributes.Remaining != 0)
        {
            text.Append("userspace(error)");
            return;
        }

        text.Append("userspace(pid=").Append(BinaryPrimitives.ReadUInt32LittleEndian(pid));
        if (hasUserData && !(userData.Length == CookieSize && TryAppendCookie(text, userData, ports)))
        {
            text.Append(",userdata(").AppendBytes(userData).Append(')');
        }

        if (hasActions)
        {
            text.Append(",actions");
        }

        if (hasOutPort)
        {
            KeyValueText.AppendPort(text.Append(",tunnel_out_port="), BinaryPrimitives.ReadUInt32LittleEndian(outPort), ports);
        }

        text.Append(')');
    }

    private static bool TryReadCookie(ref TextCursor cursor, Span<byte> cookie)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(cookie[InPortAt..], NoOpenFlowPort);
        if (cursor.TryOpen("sFlow"))
        {
            cookie[TypeAt] = CookieFlow;
            return TryReadSFlow(ref cursor, cookie);
        }

        if (cursor.TryOpen("slow_path"))
        {
            cookie[TypeAt] = CookieSlowPath;
            bool read = FlagText.SlowPath.TryRead(ref cursor, ',', "slow_path", out uint reason, out uint? mask)
                && (mask is null || cursor.Fail("no mask here")) && cursor.Expect(')', "the reasons of slow_path");
            BinaryPrimitives.WriteUInt32LittleEndian(cookie[SecondAt..], reason);
            return read;
        }

        if (cursor.TryOpen("flow_sample"))
        {
            cookie[TypeAt] = CookieFlowSample;
            return TryReadFlowSample(ref cursor, cookie);
        }

        if (cursor.TryOpen("ipfix"))
        {
            cookie[TypeAt] = CookieIpfix;
            return TryReadPort(ref cursor, "output_port", cookie[FirstAt..]) && cursor.Expect(')', "the fields of ipfix");
        }

        if (cursor.TryOpen("controller"))
        {
            cookie[TypeAt] = CookieController;
            return TryReadController(ref cursor, cookie);
        }

        return cursor.Fail(
            "an argument of userspace: userdata(, sFlow(, slow_path(, flow_sample(, ipfix(, controller(, actions, tunnel_out_port=");
    }

    private static bool TryReadSFlow(ref TextCursor cursor, Span<byte> cookie)
    {
        if (!TryReadNumber(ref cursor, "vid", 0xfff, out ulong vid)
            || !TryReadNumber(ref cursor, "pcp", 7, out ulong pcp)
            || !TryReadNumber(ref cursor, "output", uint.MaxValue, out ulong output))
        {
            return false;
        }

        int tag = (int)(vid | (pcp << 13));
        BinaryPrimitives.WriteUInt16BigEndian(cookie[FirstAt..], (ushort)(tag == 0 ? 0 : tag | VlanPresent));
        BinaryPrimitives.WriteUInt32LittleEndian(cookie[SecondAt..], (uint)output);
        return cursor.Expect(')', "the fields of sFlow");
    }

    private static bool TryReadFlowSample(ref TextCursor cursor, Span<byte> cookie)
    {
        if (!TryReadNumber(ref cursor, "probability", 0xffff, out ulong probability)
            || !TryReadNumber(ref cursor, "collector_set_id", uint.MaxValue, out ulong collector)
            || !TryReadNumber(ref cursor, "obs_domain_id", uint.MaxValue, out ulong domain)
            || !TryReadNumber(ref cursor, "obs_point_id", uint.MaxValue, out ulong point)
            || !TryReadPort(ref cursor, "output_port", cookie[FifthAt..]))
        {
            return false;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(cookie[FirstAt..], (ushort)probability);
        BinaryPrimitives.WriteUInt32LittleEndian(cookie[SecondAt..], (uint)collector);
        BinaryPrimitives.WriteUInt32LittleEndian(cookie[ThirdAt..], (uint)domain);
        BinaryPrimitives.WriteUInt32LittleEndian(cookie[FourthAt..], (uint)point);
        cookie[SixthAt] = cursor.TryTake("ingress") ? (byte)1 : cursor.TryTake("egress") ? (byte)2 : (byte)0;
        return cursor.Expect(')', "the fields of flow_sample");
    }

    private static bool TryReadController(ref TextCursor cursor, Span<byte> cookie)
    {
        if (!TryReadNumber(ref cursor, "reason", 0xffff, out ulong reason)
            || !TryReadNumber(ref cursor, "dont_send", 1, out ulong dontSend)
            || !TryReadNumber(ref cursor, "continuation", 1, out ulong continuation)
            || !TryReadNumber(ref cursor, "recirc_id", uint.MaxValue, out ulong recirculation)
            || !TryReadNumber(ref cursor, "rule_cookie", ulong.MaxValue, out ulong ruleCookie)
            || !TryReadNumber(ref cursor, "controller_id", 0xffff, out ulong controller)
            || !TryReadNumber(ref cursor, "max_len", 0xffff, out ulong length))
        {
            return false;
        }

        cookie[FirstAt] = (byte)dontSend;
        cookie[FirstAt + 1] = (byte)continuation;
        BinaryPrimitives.WriteUInt16LittleEndian(cookie[(FirstAt + 2)..], (ushort)reason);
        BinaryPrimitives.WriteUInt32LittleEndian(cookie[SecondAt..], (uint)recirculation);
        BinaryPrimitives.WriteUInt64BigEndian(cookie[ThirdAt..], ruleCookie);
        BinaryPrimitives.WriteUInt16LittleEndian(cookie[FifthAt..], (ushort)controller);
        BinaryPrimitives.WriteUInt16LittleEndian(cookie[(FifthAt + 2)..], (ushort)length);
        return cursor.Expect(')', "the fields of controller");
    }

    private static bool TryReadNumber(ref TextCursor cursor, string name, ulong maximum, out ulong value)
    {
        value = 0;
        return (cursor.TryField(name) || cursor.Fail(name + "="))
            && cursor.TryNumber(maximum, KeyAttributeText.Quote(name + "="), out value)
            && (cursor.TryTake(',') || cursor.Next == ')' || cursor.Fail($"\",\" after the value of {name}"));
    }

    private static bool TryReadPort(ref TextCursor cursor, string name, Span<byte> destination)
    {
        if (!cursor.TryField(name))
        {
            return cursor.Fail(name + "=");
        }

        bool read = ActionText.TryReadPort(ref cursor, KeyAttributeText.Quote(name + "="), out uint port);
        BinaryPrimitives.WriteUInt32LittleEndian(destination, port);
        return read && (cursor.TryTake(',') || cursor.Next == ')' || cursor.Fail($"\",\" or \")\" after the value of {name}"));
    }

    private static bool TryAppendCookie(StringBuilder text, ReadOnlySpan<byte> cookie, IPortNames? ports)
    {
        switch (BinaryPrimitives.ReadUInt16LittleEndian(cookie))
        {
            case CookieFlow:
                int tag = BinaryPrimitives.ReadUInt16BigEndian(cookie[FirstAt..]);
                text.Append(",sFlow(vid=").Append(tag & 0xfff).Append(",pcp=").Append(tag >> 13)
                    .Append(",output=").Append(Number(cookie, SecondAt)).Append(')');
                return true;
            case CookieSlowPath:
                FlagText.SlowPath.Append(text.Append(",slow_path("), Number(cookie, SecondAt), ',');
                text.Append(')');
                return true;
            case CookieFlowSample:
                text.Append(",flow_sample(probability=").Append(BinaryPrimitives.ReadUInt16LittleEndian(cookie[FirstAt..]))
                    .Append(",collector_set_id=").Append(Number(cookie, SecondAt)).Append(",obs_domain_id=").Append(Number(cookie, ThirdAt))
                    .Append(",obs_point_id=").Append(Number(cookie, FourthAt)).Append(",output_port=");
                KeyValueText.AppendPort(text, Number(cookie, FifthAt), ports);
                text.Append(Number(cookie, SixthAt) switch { 1 => ",ingress", 2 => ",egress", _ => "" }).Append(')');
                return true;
            case CookieIpfix:
                KeyValueText.AppendPort(text.Append(",ipfix(output_port="), Number(cookie, FirstAt), ports);
                text.Append(')');
                return true;
            case CookieController:
                text.Append(",controller(reason=").Append(BinaryPrimitives.ReadUInt16LittleEndian(cookie[(FirstAt + 2)..]))
                    .Append(",dont_send=").Append(cookie[FirstAt] != 0 ? 1 : 0).Append(",continuation=").Append(cookie[FirstAt + 1] != 0 ? 1 : 0)
                    .Append(",recirc_id=").Append(Number(cookie, SecondAt))
                    .Append(",rule_cookie=").AppendNumber(BinaryPrimitives.ReadUInt64BigEndian(cookie[ThirdAt..]))
                    .Append(",controller_id=").Append(BinaryPrimitives.ReadUInt16LittleEndian(cookie[FifthAt..]))
                    .Append(",max_len=").Append(BinaryPrimitives.ReadUInt16LittleEndian(cookie[(FifthAt + 2)..])).Append(')');
                return true;
            default:
                return false;
        }
    }

    private static uint Number(ReadOnlySpan<byte> cookie, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(cookie[offset..]);
}
