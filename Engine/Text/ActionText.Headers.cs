using System.Buffers.Binary;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Text;

// Reading of the actions that push, pop and set headers.
public static partial class ActionText
{
    private const int VlanPresent = 0x1000;

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
}
