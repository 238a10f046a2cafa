using System.Buffers.Binary;
using System.Text;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Text;

/// <summary>The ovs-dpctl text form of a flow's key and mask, both ways: <c>recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(src=10.0.0.0/255.0.0.0,frag=no)</c>.</summary>
/// <remarks>
/// <para>The text names netlink key attributes, so it is read into and printed from OVS_KEY_ATTR_* bytes; names, places and
/// formats come from <see cref="FlowKeySchema"/>. Printed as Open vSwitch 3.1 prints it (<c>odp_flow_format</c> in its
/// lib/odp-util.c), but for a comma that it forgets behind a leading <c>eth()</c>.</para>
/// <para>Threads: no state.</para>
/// </remarks>
public static partial class FlowText
{
    /// <summary>Bytes that hold the netlink attributes of any key or mask that the kernel takes, with room to spare.</summary>
    public const int MaximumNetlinkSize = 4096;

    private const string UfidPrefix = "ufid:";

    /// <summary>Reads a key with its mask, in any form that ovs-dpctl prints or takes.</summary>
    /// <param name="text">The whole text; it may start with a UFID, which is passed over.</param>
    /// <param name="key">The key, not masked; undefined when false.</param>
    /// <param name="mask">
    /// The mask; undefined when false. A value without mask is matched exactly, what is left out is not matched. Attributes that a key
    /// must have and terse text leaves out are added.
    /// </param>
    /// <param name="error">Where and what, also when the kernel would refuse the key or the mask.</param>
    /// <param name="ports">Ports that in_port may name; null: numbers only.</param>
    /// <returns>False with an <paramref name="error"/>.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, ref FlowKey key, ref FlowKey mask, out TextError error, IPortNames? ports = null)
    {
        TextCursor cursor = new(text, ports);
        bool read = TryReadFlowKey(ref cursor, out _, ref key, ref mask) && ExpectEnd(ref cursor);
        error = cursor.Error;
        return read;
    }

    /// <summary>Reads a key with its mask as netlink attributes, as ovs-dpctl sends them.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="key">Gets the payload of OVS_FLOW_ATTR_KEY.</param>
    /// <param name="mask">Gets the payload of OVS_FLOW_ATTR_MASK.</param>
    /// <param name="error">Where and what.</param>
    /// <param name="ports">Ports that in_port may name; null: numbers only.</param>
    /// <param name="keyMap">Gets the place of each attribute of the key.</param>
    /// <param name="maskMap">Gets the place of each attribute of the mask.</param>
    /// <returns>False with an <paramref name="error"/>.</returns>
    public static bool TryParseNetlink(
        ReadOnlySpan<char> text,
        ref NetlinkWriter key,
        ref NetlinkWriter mask,
        out TextError error,
        IPortNames? ports = null,
        TextMap? keyMap = null,
        TextMap? maskMap = null)
    {
        TextCursor cursor = new(text, ports);
        bool read = TryReadUfid(ref cursor, out _) && TryReadKey(ref cursor, ref key, ref mask, keyMap, maskMap) && ExpectEnd(ref cursor);
        error = cursor.Error;
        return read;
    }

    /// <summary>Appends a key with its mask.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="key">The key of the flow.</param>
    /// <param name="mask">Its mask.</param>
    /// <param name="verbose">True: all attributes, as <c>ovs-dpctl -m dump-flows</c>. False: without those that are not matched.</param>
    /// <param name="ports">Names for in_port; null: numbers.</param>
    public static void Format(StringBuilder text, in FlowKey key, in FlowKey mask, bool verbose, IPortNames? ports = null)
    {
        Span<byte> keyBytes = stackalloc byte[MaximumNetlinkSize];
        Span<byte> maskBytes = stackalloc byte[MaximumNetlinkSize];
        NetlinkWriter keyWriter = new(keyBytes);
        NetlinkWriter maskWriter = new(maskBytes);
        FlowKey matched = key;
        if (mask.MplsLabelsMask == 0)
        {
            // As in a masked key. Labels without a mask of theirs would read as if they mattered.
            matched.MplsLabelsMask = 0;
        }

        FlowKey.WriteNetlink(in matched, ref keyWriter);
        FlowKey.WriteNetlinkMask(in matched, in mask, ref maskWriter);
        AppendLevel(text, keyWriter.Written, maskWriter.Written, hasMask: true, verbose, ports, depth: 0);
    }

    /// <summary>Appends a key with its mask, given as netlink attributes.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="key">Payload of OVS_FLOW_ATTR_KEY.</param>
    /// <param name="mask">Payload of OVS_FLOW_ATTR_MASK; empty: everything is exact.</param>
    /// <param name="verbose">True: all attributes. False: without those that are not matched.</param>
    /// <param name="ports">Names for in_port; null: numbers.</param>
    public static void FormatNetlink(StringBuilder text, ReadOnlySpan<byte> key, ReadOnlySpan<byte> mask, bool verbose, IPortNames? ports = null)
    {
        if (key.IsEmpty)
        {
            text.Append("<empty>");
            return;
        }

        AppendLevel(text, key, mask, !mask.IsEmpty, verbose, ports, depth: 0);
    }

    /// <summary>Reads a UFID, if there is one, and a key with its mask. Stops behind the last attribute.</summary>
    internal static bool TryReadFlowKey(ref TextCursor cursor, out Ufid ufid, ref FlowKey key, ref FlowKey mask, bool assumesEthernet = false)
    {
        if (!TryReadUfid(ref cursor, out ufid))
        {
            return false;
        }

        NetlinkWriter keyWriter = new(new byte[MaximumNetlinkSize]);
        NetlinkWriter maskWriter = new(new byte[MaximumNetlinkSize]);
        TextMap keyMap = new();
        TextMap maskMap = new();
        if (!TryReadKey(ref cursor, ref keyWriter, ref maskWriter, keyMap, maskMap))
        {
            return false;
        }

        if (assumesEthernet && SaysNothingOfTheLink(keyWriter.Written))
        {
            keyWriter.Put((int)OvsKeyAttribute.Ethernet, KeySchemas.Find((int)OvsKeyAttribute.Ethernet)!.Size).Clear();
        }

        // First the key alone, to know whether key or mask is at fault.
        Refusal refusal = FlowKey.TryParseNetlink(keyWriter.Written, out key);
        if (refusal.IsRefused)
        {
            return cursor.Refuse(Locate(in cursor, keyMap, in refusal), refusal);
        }

        refusal = FlowKey.TryParseNetlink(keyWriter.Written, maskWriter.Written, out key, out mask);
        return !refusal.IsRefused || cursor.Refuse(Locate(in cursor, maskMap, in refusal), refusal);
    }

    // Neither eth() nor a recirculation id: a packet that comes round again may have lost its Ethernet header.
    private static bool SaysNothingOfTheLink(ReadOnlySpan<byte> key)
    {
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(key))
        {
            switch ((OvsKeyAttribute)attribute.Type)
            {
                case OvsKeyAttribute.Ethernet:
                    return false;
                case OvsKeyAttribute.RecirculationId when attribute.Read<uint>() != 0:
                    return false;
                default:
                    break;
            }
        }

        return true;
    }

    /// <summary>Reads a UFID with its prefix, if there is one.</summary>
    internal static bool TryReadUfid(ref TextCursor cursor, out Ufid ufid)
    {
        ufid = default;
        cursor.SkipDelimiters();
        if (!cursor.TryTake(UfidPrefix))
        {
            return true;
        }

        int length = Math.Min(UfidText.Length, cursor.Rest.Length);
        if (!UfidText.TryParse(cursor.Rest[..length], out ufid))
        {
            return cursor.Fail("a UFID, 8-4-4-4-12 hexadecimal digits, after \"ufid:\"");
        }

        cursor.Position += length;
        return true;
    }

    /// <summary>Reads attributes into key and mask until something else comes, and adds what the kernel needs.</summary>
    internal static bool TryReadKey(ref TextCursor cursor, ref NetlinkWriter key, ref NetlinkWriter mask, TextMap? keyMap, TextMap? maskMap)
    {
        int start = cursor.Position;
        if (!TryReadLevel(ref cursor, ref key, ref mask, depth: 0, keyMap, maskMap))
        {
            return false;
        }

        return !(key.Overflowed || mask.Overflowed) || cursor.Fail(start, "a shorter key");
    }

    // A refusal that is about the whole still names an attribute: the first one of that name in the text is pointed at.
    private static int Locate(in TextCursor cursor, TextMap map, in Refusal refusal)
    {
        if (refusal.Offset < 0 && refusal.Reason is { } reason)
        {
            foreach (KeyAttributeSchema attribute in FlowKeySchema.Attributes)
            {
                int offset = cursor.Text.IndexOf((attribute.Name + "(").AsSpan(), StringComparison.Ordinal);
                if (offset >= 0 && reason.Contains(" " + attribute.Name + " ", StringComparison.Ordinal))
                {
                    return offset;
                }
            }
        }

        return map.TextOffset(refusal.Offset);
    }

    private static bool ExpectEnd(ref TextCursor cursor)
    {
        cursor.SkipDelimiters();
        return cursor.AtEnd || cursor.Fail("a key attribute such as eth_type(0x0800)");
    }

    private static bool TryReadLevel(ref TextCursor cursor, ref NetlinkWriter key, ref NetlinkWriter mask, int depth, TextMap? keyMap, TextMap? maskMap)
    {
        int keyStart = key.Length;
        ulong seen = 0;
        bool isEthernet = false;
        while (true)
        {
            int end = cursor.Position;
            cursor.SkipDelimiters();
            int start = cursor.Position;
            if (depth > 0 && cursor.Next == ')')
            {
                break;
            }

            keyMap?.Add(key.Length, start);
            maskMap?.Add(mask.Length, start);
            int number;
            bool read;
            if (KeySchemas.FindHere(in cursor) is { } attribute)
            {
                number = (int)attribute.Attribute;
                cursor.Position += attribute.Name.Length + 1;
                read = TryReadAttribute(ref cursor, attribute, ref key, ref mask, depth, keyMap, maskMap);
            }
            else if (cursor.TryOpen("packet_type"))
            {
                number = (int)OvsKeyAttribute.PacketType;
                isEthernet = true;
                read = TryReadPacketType(ref cursor);
            }
            else if (IsRawAttribute(in cursor))
            {
                read = TryReadRaw(ref cursor, ref key, ref mask, out number);
            }
            else if (seen == 0 || depth > 0)
            {
                return cursor.Fail("a key attribute such as eth_type(0x0800)");
            }
            else
            {
                cursor.Position = end;
                break;
            }

            if (!read)
            {
                return false;
            }

            if (number < 64)
            {
                if ((seen >> number & 1) != 0)
                {
                    return cursor.Fail(start, "each key attribute once");
                }

                seen |= 1ul << number;
            }
        }

        if (isEthernet && (seen >> (int)OvsKeyAttribute.Ethernet & 1) == 0)
        {
            key.Put((int)OvsKeyAttribute.Ethernet, KeySchemas.Find((int)OvsKeyAttribute.Ethernet)!.Size).Clear();
        }

        Complete(ref key, keyStart, seen);
        return true;
    }

    private static bool TryReadAttribute(
        ref TextCursor cursor, KeyAttributeSchema attribute, ref NetlinkWriter key, ref NetlinkWriter mask, int depth, TextMap? keyMap, TextMap? maskMap)
    {
        int number = (int)attribute.Attribute;
        switch (attribute.Attribute)
        {
            case OvsKeyAttribute.Tunnel:
                return TunnelText.TryRead(ref cursor, attribute, ref key, ref mask, hasMask: true, keyMap, maskMap);
            case OvsKeyAttribute.Nsh:
                return NshText.TryRead(ref cursor, ref key, ref mask);
            case OvsKeyAttribute.Encap:
                return TryReadEncap(ref cursor, ref key, ref mask, depth, keyMap, maskMap);
            case OvsKeyAttribute.EtherType when cursor.IsAt("0/0x"):
                // What is printed for a frame without type: the mask has the attribute, the key has not.
                cursor.Position += 2;
                if (!cursor.TryNumber(0xffff, "\"/\"", out uint typeMask))
                {
                    return false;
                }

                mask.Put(number, BinaryPrimitives.ReverseEndianness((ushort)typeMask));
                return cursor.Expect(')', "the value of eth_type");
            default:
                Span<byte> keyBytes = stackalloc byte[KeyAttributeText.MaximumSize];
                Span<byte> maskBytes = stackalloc byte[KeyAttributeText.MaximumSize];
                int size = attribute.Size;
                if (attribute.IsArray && cursor.TryTake(KeyAttributeText.NoElement))
                {
                    // A flow that matches no label is printed so: one that does not matter says the same.
                    keyBytes.Clear();
                    maskBytes.Clear();
                }
                else if (!KeyAttributeText.TryRead(ref cursor, attribute, keyBytes, maskBytes, out size))
                {
                    return false;
                }

                key.Put(number, keyBytes[..size]);
                mask.Put(number, maskBytes[..size]);
                return true;
        }
    }

    private static bool TryReadEncap(ref TextCursor cursor, ref NetlinkWriter key, ref NetlinkWriter mask, int depth, TextMap? keyMap, TextMap? maskMap)
    {
        if (depth + 1 == TextCursor.MaximumDepth)
        {
            return cursor.Fail($"at most {TextCursor.MaximumDepth - 1} levels of encap");
        }

        int keyStart = key.BeginNested((int)OvsKeyAttribute.Encap);
        int maskStart = mask.BeginNested((int)OvsKeyAttribute.Encap);
        if (!TryReadLevel(ref cursor, ref key, ref mask, depth + 1, keyMap, maskMap))
        {
            return false;
        }

        key.EndNested(keyStart);
        mask.EndNested(maskStart);
        return cursor.Expect(')', "the attributes of encap");
    }

    // Only user space's own datapath has it. An Ethernet packet needs no word about it in the kernel's form; others have another one.
    private static bool TryReadPacketType(ref TextCursor cursor) =>
        cursor.TryTake("ns=0,id=0)") || cursor.Fail("packet_type(ns=0,id=0), or no packet_type and no eth for packets without Ethernet header");

    private static bool IsRawAttribute(in TextCursor cursor)
    {
        ReadOnlySpan<char> word = cursor.PeekWord();
        ReadOnlySpan<char> rest = cursor.Rest;
        return word.Length > 3 && word.StartsWith("key".AsSpan(), StringComparison.Ordinal) && word[3] is >= '0' and <= '9'
            && rest.Length > word.Length && rest[word.Length] == '(';
    }

    // key32(00 00/ff ff): an attribute that Open vSwitch does not know.
    private static bool TryReadRaw(ref TextCursor cursor, ref NetlinkWriter key, ref NetlinkWriter mask, out int number)
    {
        cursor.Position += 3;
        bool read = cursor.TryNumber(NetlinkAttribute.TypeMask, "\"key\"", out uint type) && cursor.Expect('(', "the number of an attribute");
        number = (int)type;
        if (!read)
        {
            return false;
        }

        if (!HexText.TryTakeBytes(ref cursor, out byte[] bytes))
        {
            return cursor.Fail("pairs of hexadecimal digits");
        }

        byte[] bits = new byte[bytes.Length];
        bits.AsSpan().Fill(0xff);
        if (cursor.TryTake('/'))
        {
            int start = cursor.Position;
            if (!HexText.TryTakeBytes(ref cursor, out bits) || bits.Length != bytes.Length)
            {
                return cursor.Fail(start, $"{bytes.Length} pairs of hexadecimal digits after \"/\"");
            }
        }

        key.Put(number, bytes);
        mask.Put(number, bits);
        return cursor.Expect(')', "the bytes of the attribute");
    }

    // Terse text leaves out attributes that are not matched at all. The kernel wants those that the others call for: a TCP
    // key must have ports and flags. They are added to the key as zeros, and not to the mask.
    private static void Complete(ref NetlinkWriter key, int levelStart, ulong seen)
    {
        if (key.Overflowed)
        {
            return;
        }

        if (Has(seen, OvsKeyAttribute.Encap) && !Has(seen, OvsKeyAttribute.Vlan))
        {
            key.Put((int)OvsKeyAttribute.Vlan, BinaryPrimitives.ReverseEndianness((ushort)0x1000));
            return;
        }

        int etherType = -1;
        int protocol = -1;
        int icmpType = -1;
        bool isLaterFragment = false;
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(key.Written[levelStart..]))
        {
            switch ((OvsKeyAttribute)attribute.Type)
            {
                case OvsKeyAttribute.EtherType:
                    etherType = (int)Value(attribute, "");
                    break;
                case OvsKeyAttribute.Ipv4:
                case OvsKeyAttribute.Ipv6:
                    protocol = (int)Value(attribute, "proto");
                    isLaterFragment = Value(attribute, "frag") == 2;
                    break;
                case OvsKeyAttribute.Icmp:
                case OvsKeyAttribute.Icmpv6:
                    icmpType = (int)Value(attribute, "type");
                    break;
                default:
                    break;
            }
        }

        Span<byte> zeros = stackalloc byte[KeyAttributeText.MaximumSize];
        zeros.Clear();
        foreach (KeyAttributeSchema attribute in FlowKeySchema.Attributes)
        {
            if (!attribute.IsRequired || attribute.IsNested || Has(seen, attribute.Attribute) || !Contains(attribute.EtherTypes.AsSpan(), etherType))
            {
                continue;
            }

            bool applies = attribute.IpProtocol == 0 || (attribute.IpProtocol == protocol && !isLaterFragment);
            if (applies && (attribute.IcmpTypes.IsEmpty || Contains(attribute.IcmpTypes.AsSpan(), icmpType)))
            {
                key.Put((int)attribute.Attribute, zeros[..attribute.Size]);
            }
        }
    }

    private static bool Has(ulong seen, OvsKeyAttribute attribute) => (seen >> (int)attribute & 1) != 0;

    private static bool Contains(ReadOnlySpan<ushort> values, int value)
    {
        foreach (ushort candidate in values)
        {
            if (candidate == value)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Contains(ReadOnlySpan<byte> values, int value)
    {
        foreach (byte candidate in values)
        {
            if (candidate == value)
            {
                return true;
            }
        }

        return false;
    }

    private static ulong Value(NetlinkAttribute attribute, string name)
    {
        foreach (KeyPartSchema part in KeySchemas.Find(attribute.Type)!.Parts)
        {
            if (part.Name == name)
            {
                return KeySchemas.Read(part, attribute.Payload);
            }
        }

        return 0;
    }
}
