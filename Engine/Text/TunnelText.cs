using System.Buffers.Binary;
using Engine.Annotations;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Text;

/// <summary>The tunnel attribute: <c>tunnel(tun_id=0x5,src=1.1.1.1,dst=2.2.2.2,ttl=64,geneve({class=0x102,type=0x80,len=4,0xa}),flags(key))</c>.</summary>
/// <remarks>In the text <c>key</c> is a flag; in netlink it is told by the attribute of the tunnel id.</remarks>
internal static partial class TunnelText
{
    private const uint OamFlag = 1;
    private const uint DontFragmentFlag = 2;
    private const uint ChecksumFlag = 4;
    private const uint KeyFlag = 8;
    private const int VxlanGbp = 1;
    private const int GeneveHeader = 4;
    private const int ErspanSize = 12;

    /// <summary>Reads from behind the opening parenthesis to behind the closing one.</summary>
    /// <param name="cursor">Behind the opening parenthesis.</param>
    /// <param name="attribute">The schema of the tunnel attribute.</param>
    /// <param name="key">Gets the nested attributes.</param>
    /// <param name="mask">Gets those of the mask.</param>
    /// <param name="hasMask">Whether masks are wanted; if not, they are refused and <paramref name="mask"/> is left alone.</param>
    /// <param name="keyMap">Gets the place of each attribute.</param>
    /// <param name="maskMap">Gets the place of each attribute of the mask.</param>
    public static bool TryRead(
        ref TextCursor cursor,
        KeyAttributeSchema attribute,
        ref NetlinkWriter key,
        ref NetlinkWriter mask,
        bool hasMask,
        TextMap? keyMap,
        TextMap? maskMap)
    {
        ulong seen = 0;
        bool hasTtl = false;
        Span<byte> keyBytes = stackalloc byte[16];
        Span<byte> maskBytes = stackalloc byte[16];
        int keyStart = key.BeginNested((int)OvsKeyAttribute.Tunnel);
        int maskStart = hasMask ? mask.BeginNested((int)OvsKeyAttribute.Tunnel) : 0;
        cursor.SkipSpaces();
        while (!cursor.TryTake(')'))
        {
            int start = cursor.Position;
            keyMap?.Add(key.Length, start);
            maskMap?.Add(mask.Length, start);
            int field;
            if (FindPart(ref cursor, attribute) is { } part)
            {
                field = part.NestedAttribute;
                hasTtl |= field == (int)OvsTunnelKeyAttribute.Ttl;
                if (!KeyValueText.TryRead(ref cursor, part, KeyAttributeText.Quote(part.Name + "="), keyBytes, hasMask ? maskBytes : default))
                {
                    return false;
                }

                key.Put(field, keyBytes[..part.PayloadSize]);
                if (hasMask)
                {
                    mask.Put(field, maskBytes[..part.PayloadSize]);
                }
            }
            else if (cursor.TryOpen("flags"))
            {
                field = (int)OvsTunnelKeyAttribute.DontFragment;
                if (!TryReadFlags(ref cursor, ref key, ref mask, hasMask))
                {
                    return false;
                }
            }
            else if (cursor.TryOpen("geneve"))
            {
                field = (int)OvsTunnelKeyAttribute.GeneveOptions;
                if (!TryReadGeneve(ref cursor, ref key, ref mask, hasMask))
                {
                    return false;
                }
            }
            else if (cursor.TryOpen("vxlan"))
            {
                field = (int)OvsTunnelKeyAttribute.VxlanOptions;
                if (!TryReadVxlan(ref cursor, ref key, ref mask, hasMask))
                {
                    return false;
                }
            }
            else if (cursor.TryOpen("erspan"))
            {
                field = (int)OvsTunnelKeyAttribute.ErspanOptions;
                if (!TryReadErspan(ref cursor, ref key, ref mask, hasMask))
                {
                    return false;
                }
            }
            else
            {
                return cursor.Fail(
                    "a field of tunnel: tun_id=, src=, dst=, ipv6_src=, ipv6_dst=, tos=, ttl=, tp_src=, tp_dst=, geneve(, vxlan(, erspan(, flags(");
            }

            if ((seen >> field & 1) != 0)
            {
                return cursor.Fail(start, "each field of tunnel once");
            }

            seen |= 1ul << field;
            if (!cursor.NextField("tunnel"))
            {
                return false;
            }
        }

        if (hasMask && !hasTtl)
        {
            // The kernel refuses a key without it, and dump-flows leaves it out when it is not matched.
            key.Put((int)OvsTunnelKeyAttribute.Ttl, (byte)0);
        }

        key.EndNested(keyStart);
        if (hasMask)
        {
            mask.EndNested(maskStart);
        }

        return true;
    }

    /// <summary>Finds an attribute in a run of attributes.</summary>
    public static bool TryFind(ReadOnlySpan<byte> attributes, int type, out ReadOnlySpan<byte> payload)
    {
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(attributes))
        {
            if (attribute.Type == type)
            {
                payload = attribute.Payload;
                return true;
            }
        }

        payload = default;
        return false;
    }

    private static KeyPartSchema? FindPart(ref TextCursor cursor, KeyAttributeSchema attribute)
    {
        foreach (KeyPartSchema part in attribute.Parts)
        {
            if (part.NestedAttribute >= 0 && part.Format is not (KeyFormat.TunnelFlags or KeyFormat.TunnelOptions) && cursor.TryField(part.Name))
            {
                return part;
            }
        }

        return null;
    }

    private static bool TryReadFlags(ref TextCursor cursor, ref NetlinkWriter key, ref NetlinkWriter mask, bool hasMask)
    {
        int start = cursor.Position;
        if (!FlagText.Tunnel.TryRead(ref cursor, '|', "tunnel", out uint flags, out uint? bits))
        {
            return false;
        }

        if (bits is not null && !hasMask)
        {
            return cursor.Fail(start, "flags without a mask here");
        }

        PutFlags(ref key, flags);
        if (hasMask)
        {
            PutFlags(ref mask, bits ?? FlagText.Tunnel.All);
        }

        return cursor.Expect(')', "the flags of tunnel");
    }

    private static void PutFlags(ref NetlinkWriter writer, uint flags)
    {
        if ((flags & DontFragmentFlag) != 0)
        {
            writer.Put((int)OvsTunnelKeyAttribute.DontFragment, 0);
        }

        if ((flags & ChecksumFlag) != 0)
        {
            writer.Put((int)OvsTunnelKeyAttribute.Checksum, 0);
        }

        if ((flags & OamFlag) != 0)
        {
            writer.Put((int)OvsTunnelKeyAttribute.Oam, 0);
        }
    }

    // gbp(id=1,flags=0x8): 16 bits of policy, 8 of flags.
    private static bool TryReadVxlan(ref TextCursor cursor, ref NetlinkWriter key, ref NetlinkWriter mask, bool hasMask)
    {
        if (!cursor.TryOpen("gbp"))
        {
            return cursor.Fail("gbp( after \"vxlan(\"");
        }

        ulong id = 0;
        ulong idMask = 0;
        ulong flags = 0;
        ulong flagsMask = 0;
        while (!cursor.TryTake(')'))
        {
            bool read = cursor.TryField("id") ? TryReadNumber(ref cursor, 0xffff, "\"id=\"", hasMask, out id, out idMask)
                : cursor.TryField("flags") ? TryReadNumber(ref cursor, 0xff, "\"flags=\"", hasMask, out flags, out flagsMask)
                : cursor.Fail("a field of gbp: id=, flags=");
            if (!read || !cursor.NextField("gbp"))
            {
                return false;
            }
        }

        PutVxlan(ref key, (uint)(id | (flags << 16)));
        if (hasMask)
        {
            PutVxlan(ref mask, (uint)(idMask | (flagsMask << 16)));
        }

        return cursor.Expect(')', "gbp()");
    }

    private static void PutVxlan(ref NetlinkWriter writer, uint gbp)
    {
        int start = writer.BeginNested((int)OvsTunnelKeyAttribute.VxlanOptions);
        writer.Put(VxlanGbp, gbp);
        writer.EndNested(start);
    }

    // struct erspan_metadata: version in host order, then the index (version 1), or timestamp, group and two bytes of bits (version 2).
    private static bool TryReadErspan(ref TextCursor cursor, ref NetlinkWriter key, ref NetlinkWriter mask, bool hasMask)
    {
        Span<byte> bytes = stackalloc byte[ErspanSize];
        Span<byte> bits = stackalloc byte[ErspanSize];
        bytes.Clear();
        bits.Fill(0xff);
        ulong version = 0;
        while (!cursor.TryTake(')'))
        {
            ulong value;
            ulong valueMask;
            bool read;
            if (cursor.TryField("ver"))
            {
                int start = cursor.Position;
                read = TryReadNumber(ref cursor, 0xff, "\"ver=\"", hasMask, out version, out valueMask);
                read = read && (version is 1 or 2 || cursor.Fail(start, "version 1 or 2 after \"ver=\""));
                bytes[0] = (byte)version;
                bits[..4].Fill(valueMask == 0 ? (byte)0 : (byte)0xff);
                bits[0] = (byte)valueMask;
            }
            else if (version == 1 && cursor.TryField("idx"))
            {
                read = TryReadNumber(ref cursor, uint.MaxValue, "\"idx=\"", hasMask, out value, out valueMask);
                BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], (uint)value);
                BinaryPrimitives.WriteUInt32BigEndian(bits[4..], (uint)valueMask);
            }
            else if (version == 2 && cursor.TryField("dir"))
            {
                read = TryReadNumber(ref cursor, 1, "\"dir=\"", hasMask, out value, out valueMask);
                bytes[11] |= (byte)(value << 3);
                bits[11] = (byte)((bits[11] & ~8) | (int)(valueMask << 3));
            }
            else if (version == 2 && cursor.TryField("hwid"))
            {
                read = TryReadNumber(ref cursor, 0x3f, "\"hwid=\"", hasMask, out value, out valueMask);
                bytes[11] |= (byte)(value << 4);
                bytes[10] |= (byte)(value >> 4);
                bits[11] = (byte)((bits[11] & 0x0f) | (int)(valueMask << 4));
            }
            else
            {
                read = cursor.Fail(version switch
                {
                    1 => "a field of erspan: ver=, idx=",
                    2 => "a field of erspan: ver=, dir=, hwid=",
                    _ => "ver= first in erspan",
                });
            }

            if (!read || !cursor.NextField("erspan"))
            {
                return false;
            }
        }

        key.Put((int)OvsTunnelKeyAttribute.ErspanOptions, bytes);
        if (hasMask)
        {
            mask.Put((int)OvsTunnelKeyAttribute.ErspanOptions, bits);
        }

        return true;
    }

    // {class=0x102,type=0x80,len=4,0xa/0xff} for each option.
    private static bool TryReadGeneve(ref TextCursor cursor, ref NetlinkWriter key, ref NetlinkWriter mask, bool hasMask)
    {
        Span<byte> bytes = stackalloc byte[TunnelOptions.Length];
        Span<byte> bits = stackalloc byte[TunnelOptions.Length];
        int length = 0;
        while (cursor.Next == '{')
        {
            int start = cursor.Position;
            if (length + GeneveHeader >= TunnelOptions.Length)
            {
                return cursor.Fail(start, "at most 252 bytes of Geneve options");
            }

            cursor.Position++;
            if (!TryReadGeneveOption(ref cursor, bytes[length..], bits[length..], hasMask, out int size))
            {
                return false;
            }

            length += size;
            if (cursor.Next == ',' && cursor.Rest.Length > 1 && cursor.Rest[1] == '{')
            {
                cursor.Position++;
            }
        }

        if (!cursor.TryTake(')'))
        {
            return cursor.Fail("\"{\" or \")\" in geneve");
        }

        key.Put((int)OvsTunnelKeyAttribute.GeneveOptions, bytes[..length]);
        if (hasMask)
        {
            mask.Put((int)OvsTunnelKeyAttribute.GeneveOptions, bits[..length]);
        }

        return true;
    }

    private static bool TryReadGeneveOption(ref TextCursor cursor, scoped Span<byte> bytes, scoped Span<byte> bits, bool hasMask, out int size)
    {
        size = GeneveHeader;
        ulong type = 0;
        ulong typeMask = 0;
        ulong length = 0;
        ulong lengthMask = 0;
        ulong optionClass = 0;
        ulong classMask = 0;
        bool hasData = false;
        while (!cursor.TryTake('}'))
        {
            bool read = true;
            if (cursor.TryField("class"))
            {
                read = TryReadNumber(ref cursor, 0xffff, "\"class=\"", hasMask, out optionClass, out classMask);
            }
            else if (cursor.TryField("type"))
            {
                read = TryReadNumber(ref cursor, 0xff, "\"type=\"", hasMask, out type, out typeMask);
            }
            else if (cursor.TryField("len"))
            {
                int start = cursor.Position;
                read = TryReadNumber(ref cursor, 0xff, "\"len=\"", hasMask, out length, out lengthMask);
                if (!read)
                {
                    return false;
                }

                if (length % 4 != 0 || length > 124 || (int)length > bytes.Length - GeneveHeader - 4)
                {
                    return cursor.Fail(start, "a multiple of 4 up to 124, and at most 252 bytes of Geneve options");
                }

                size = GeneveHeader + (int)length;
                bytes[GeneveHeader..size].Clear();
                bits[GeneveHeader..size].Clear();
            }
            else if (length > 0 && !hasData && cursor.Next is >= '0' and <= '9')
            {
                hasData = true;
                read = TryReadGeneveData(ref cursor, bytes[GeneveHeader..size], bits[GeneveHeader..size], hasMask);
            }
            else
            {
                read = cursor.Fail("a field of a Geneve option: class=, type=, len=, or its data as a number after len=");
            }

            if (!read)
            {
                return false;
            }

            if (!cursor.TryTake(',') && cursor.Next != '}')
            {
                return cursor.Fail("\",\" or \"}\" in a Geneve option");
            }
        }

        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)optionClass);
        bytes[2] = (byte)type;
        bytes[3] = (byte)(length / 4);
        BinaryPrimitives.WriteUInt16BigEndian(bits, (ushort)classMask);
        bits[2] = (byte)typeMask;
        bits[3] = (byte)(lengthMask & 0x1f);
        return true;
    }

    private static bool TryReadGeneveData(ref TextCursor cursor, scoped Span<byte> bytes, scoped Span<byte> bits, bool hasMask)
    {
        if (!HexText.TryTakeBigEndian(ref cursor, bytes))
        {
            return cursor.Fail($"a number of at most {bytes.Length} bytes as the data of the Geneve option");
        }

        bits.Fill(0xff);
        if (!KeyValueText.TryTakeSlash(ref cursor, hasMask ? bits : default, out bool slash))
        {
            return false;
        }

        return !slash || HexText.TryTakeBigEndian(ref cursor, bits) || cursor.Fail($"a mask of at most {bits.Length} bytes after \"/\"");
    }

    private static bool TryReadNumber(ref TextCursor cursor, ulong maximum, string after, bool hasMask, out ulong value, out ulong mask)
    {
        mask = maximum;
        if (!cursor.TryNumber(maximum, after, out value))
        {
            return false;
        }

        if (cursor.Next != '/')
        {
            return true;
        }

        if (!hasMask)
        {
            return cursor.Fail("no mask here");
        }

        cursor.Position++;
        return cursor.TryNumber(maximum, "\"/\"", out mask);
    }
}
