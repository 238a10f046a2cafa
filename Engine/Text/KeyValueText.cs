using System.Text;
using Engine.Annotations;
using Engine.Flows;

namespace Engine.Text;

/// <summary>One value of a key attribute with its mask: <c>10.1.0.0/255.255.0.0</c>.</summary>
/// <remarks>An empty mask means that there is none: everything is exact, and text with a mask is an error.</remarks>
internal static class KeyValueText
{
    /// <summary>Reads the part's value, and its mask behind a slash, into the payloads. Without a slash the mask is all ones.</summary>
    /// <param name="cursor">At the value.</param>
    /// <param name="part">The part.</param>
    /// <param name="after">What stands before it, for the error.</param>
    /// <param name="key">Payload of the attribute.</param>
    /// <param name="mask">Payload of its mask, or empty.</param>
    public static bool TryRead(ref TextCursor cursor, KeyPartSchema part, string after, scoped Span<byte> key, scoped Span<byte> mask)
    {
        switch (part.Format)
        {
            case KeyFormat.EthernetAddress:
                return TryReadEthernet(ref cursor, after, Bytes(part, key), Bytes(part, mask));
            case KeyFormat.Ipv4Address:
                return TryReadIpv4(ref cursor, after, Bytes(part, key), Bytes(part, mask));
            case KeyFormat.Ipv6Address:
                return TryReadIpv6(ref cursor, after, Bytes(part, key), Bytes(part, mask));
            case KeyFormat.ConntrackLabels:
                return TryReadLabels(ref cursor, after, Bytes(part, key), Bytes(part, mask));
            case KeyFormat.FragmentType:
                return TryReadFragment(ref cursor, part, after, key, mask);
            case KeyFormat.TcpFlags:
                return TryReadFlags(ref cursor, FlagText.Tcp, part, KeySchemas.ExactMask(part), after, key, mask);
            case KeyFormat.ConntrackState:
                // The kernel refuses a mask with bits it does not know, so exact means all that there are.
                return TryReadFlags(ref cursor, FlagText.Conntrack, part, FlagText.Conntrack.All, after, key, mask);
            case KeyFormat.Port:
                return TryReadPort(ref cursor, part, after, key, mask);
            default:
                return TryReadNumber(ref cursor, part, after, key, mask);
        }
    }

    /// <summary>Appends the part's value and, when it is not all ones, its mask.</summary>
    public static void Append(StringBuilder text, KeyPartSchema part, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask, IPortNames? ports)
    {
        bool exact = IsExact(part, mask);
        switch (part.Format)
        {
            case KeyFormat.EthernetAddress:
                AddressText.AppendEthernet(text, Bytes(part, key));
                if (!exact)
                {
                    AddressText.AppendEthernet(text.Append('/'), Bytes(part, mask));
                }

                break;
            case KeyFormat.Ipv4Address:
                AddressText.AppendIpv4(text, Bytes(part, key));
                if (!exact)
                {
                    AddressText.AppendIpv4(text.Append('/'), Bytes(part, mask));
                }

                break;
            case KeyFormat.Ipv6Address:
                AddressText.AppendIpv6(text, Bytes(part, key));
                if (!exact)
                {
                    AddressText.AppendIpv6(text.Append('/'), Bytes(part, mask));
                }

                break;
            case KeyFormat.ConntrackLabels:
                AppendLabels(text, Bytes(part, key));
                if (!exact)
                {
                    AppendLabels(text.Append('/'), Bytes(part, mask));
                }

                break;
            case KeyFormat.FragmentType:
                text.Append(KeySchemas.Read(part, key) switch { 0 => "no", 1 => "first", 2 => "later", _ => "<error>" });
                break;
            case KeyFormat.TcpFlags:
                FlagText.Tcp.AppendMasked(
                    text,
                    (uint)KeySchemas.Read(part, key),
                    mask.IsEmpty ? FlagText.Tcp.All : (uint)KeySchemas.Read(part, mask) & FlagText.Tcp.All,
                    FlagText.Tcp.All);
                break;
            case KeyFormat.Port:
                AppendPort(text, (uint)KeySchemas.Read(part, key), exact ? ports : null);
                AppendMask(text, part, mask, exact);
                break;
            case KeyFormat.HexadecimalPadded:
                text.AppendPadded(KeySchemas.Read(part, key), KeySchemas.Bits(part) / 4);
                if (!exact)
                {
                    text.Append('/').AppendPadded(KeySchemas.Read(part, mask), KeySchemas.Bits(part) / 4);
                }

                break;
            case KeyFormat.Decimal:
                text.Append(KeySchemas.Read(part, key));
                AppendMask(text, part, mask, exact);
                break;
            default:
                text.AppendNumber(KeySchemas.Read(part, key));
                AppendMask(text, part, mask, exact);
                break;
        }
    }

    /// <summary>Appends the name of a port where it is known, else its number.</summary>
    public static void AppendPort(StringBuilder text, uint port, IPortNames? ports)
    {
        if (ports is not null && ports.TryGetName(port, out string name))
        {
            text.Append(name);
        }
        else
        {
            text.Append(port);
        }
    }

    /// <summary>Whether every bit of the part matters.</summary>
    public static bool IsExact(KeyPartSchema part, scoped ReadOnlySpan<byte> mask)
    {
        if (mask.IsEmpty)
        {
            return true;
        }

        if (KeySchemas.IsNumber(part))
        {
            ulong exact = KeySchemas.ExactMask(part);
            return (KeySchemas.Read(part, mask) & exact) == exact;
        }

        return IsAll(Bytes(part, mask), 0xff);
    }

    /// <summary>Whether the mask of a part has no bit, not even beyond those that the part has.</summary>
    public static bool IsUnset(KeyPartSchema part, scoped ReadOnlySpan<byte> mask) =>
        IsWildcard(part, mask) && (!KeySchemas.IsNumber(part) || KeySchemas.Read(part, mask) == 0);

    /// <summary>Whether no bit of the part matters.</summary>
    public static bool IsWildcard(KeyPartSchema part, scoped ReadOnlySpan<byte> mask)
    {
        if (mask.IsEmpty)
        {
            return false;
        }

        if (KeySchemas.IsNumber(part))
        {
            ulong bits = part.Format == KeyFormat.TcpFlags ? FlagText.Tcp.All : KeySchemas.ExactMask(part);
            return (KeySchemas.Read(part, mask) & bits) == 0;
        }

        return IsAll(Bytes(part, mask), 0);
    }

    /// <summary>Whether all bytes have one value.</summary>
    public static bool IsAll(ReadOnlySpan<byte> bytes, byte value)
    {
        foreach (byte b in bytes)
        {
            if (b != value)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>128 bits, the last byte the most significant.</summary>
    public static void AppendLabels(StringBuilder text, scoped ReadOnlySpan<byte> labels)
    {
        Span<byte> bytes = stackalloc byte[16];
        labels.CopyTo(bytes);
        bytes.Reverse();
        text.AppendBigEndian(bytes);
    }

    /// <summary>Reads 128 bits and, where a mask is wanted, their mask.</summary>
    public static bool TryReadLabels(ref TextCursor cursor, string after, scoped Span<byte> key, scoped Span<byte> mask)
    {
        if (!HexText.TryTakeBigEndian(ref cursor, key))
        {
            return cursor.Fail($"a number of up to 128 bits after {after}");
        }

        key.Reverse();
        mask.Fill(0xff);
        if (!TryTakeSlash(ref cursor, mask, out bool slash) || !slash)
        {
            return !cursor.Error.IsError;
        }

        if (!HexText.TryTakeBigEndian(ref cursor, mask))
        {
            return cursor.Fail("a mask of up to 128 bits after \"/\"");
        }

        mask.Reverse();
        return true;
    }

    /// <summary>Reads the slash before a mask.</summary>
    /// <returns>False when there is one but no mask is wanted.</returns>
    public static bool TryTakeSlash(ref TextCursor cursor, scoped ReadOnlySpan<byte> mask, out bool slash)
    {
        slash = cursor.Next == '/';
        if (slash && mask.IsEmpty)
        {
            return cursor.Fail("no mask here");
        }

        cursor.Position += slash ? 1 : 0;
        return true;
    }

    private static bool TryReadEthernet(ref TextCursor cursor, string after, scoped Span<byte> key, scoped Span<byte> mask)
    {
        if (!AddressText.TryTakeEthernet(ref cursor, key))
        {
            return cursor.Fail($"an Ethernet address after {after}");
        }

        mask.Fill(0xff);
        return TryTakeSlash(ref cursor, mask, out bool slash)
            && (!slash || AddressText.TryTakeEthernet(ref cursor, mask) || cursor.Fail("an Ethernet mask after \"/\""));
    }

    private static bool TryReadIpv4(ref TextCursor cursor, string after, scoped Span<byte> key, scoped Span<byte> mask)
    {
        if (!AddressText.TryTakeIpv4(ref cursor, key))
        {
            return cursor.Fail($"an IPv4 address after {after}");
        }

        mask.Fill(0xff);
        return TryTakeSlash(ref cursor, mask, out bool slash)
            && (!slash || AddressText.TryTakeIpv4(ref cursor, mask) || TryTakePrefix(ref cursor, mask)
                || cursor.Fail("an IPv4 mask or a prefix length from 0 to 32 after \"/\""));
    }

    private static bool TryReadIpv6(ref TextCursor cursor, string after, scoped Span<byte> key, scoped Span<byte> mask)
    {
        if (!AddressText.TryTakeIpv6(ref cursor, key))
        {
            return cursor.Fail($"an IPv6 address after {after}");
        }

        mask.Fill(0xff);
        return TryTakeSlash(ref cursor, mask, out bool slash)
            && (!slash || AddressText.TryTakeIpv6(ref cursor, mask) || TryTakePrefix(ref cursor, mask)
                || cursor.Fail("an IPv6 mask or a prefix length from 0 to 128 after \"/\""));
    }

    private static bool TryTakePrefix(ref TextCursor cursor, scoped Span<byte> mask)
    {
        int start = cursor.Position;
        if (!cursor.TryTakeNumber(out ulong bits) || bits > (ulong)mask.Length * 8)
        {
            cursor.Position = start;
            return false;
        }

        AddressText.SetPrefix(mask, (int)bits);
        return true;
    }

    private static bool TryReadFragment(ref TextCursor cursor, KeyPartSchema part, string after, scoped Span<byte> key, scoped Span<byte> mask)
    {
        ReadOnlySpan<char> word = cursor.PeekWord();
        int value = word.SequenceEqual("no".AsSpan()) ? 0 : word.SequenceEqual("first".AsSpan()) ? 1 : word.SequenceEqual("later".AsSpan()) ? 2 : -1;
        if (value < 0)
        {
            return cursor.Fail($"no, first or later after {after}");
        }

        cursor.Position += word.Length;
        Store(part, key, mask, (ulong)value, KeySchemas.ExactMask(part));
        return true;
    }

    private static bool TryReadFlags(
        ref TextCursor cursor, FlagText names, KeyPartSchema part, ulong exact, string after, scoped Span<byte> key, scoped Span<byte> mask)
    {
        int start = cursor.Position;
        if (!names.TryRead(ref cursor, '|', after, out uint flags, out uint? bits))
        {
            return false;
        }

        if (bits is not null && mask.IsEmpty)
        {
            return cursor.Fail(start, "flags without a mask here");
        }

        Store(part, key, mask, flags, bits ?? exact);
        return true;
    }

    private static bool TryReadPort(ref TextCursor cursor, KeyPartSchema part, string after, scoped Span<byte> key, scoped Span<byte> mask)
    {
        ReadOnlySpan<char> rest = cursor.Rest;
        int length = rest.IndexOf(')');
        string name = length > 0 ? rest[..length].ToString() : "";
        if (cursor.Ports is { } ports && name.Length > 0 && ports.TryGetNumber(name, out uint port))
        {
            cursor.Position += length;
            Store(part, key, mask, port, KeySchemas.ExactMask(part));
            return true;
        }

        return cursor.Next is >= '0' and <= '9'
            ? TryReadNumber(ref cursor, part, after, key, mask)
            : cursor.Fail($"the number{(cursor.Ports is null ? "" : " or name")} of a port after {after}");
    }

    private static bool TryReadNumber(ref TextCursor cursor, KeyPartSchema part, string after, scoped Span<byte> key, scoped Span<byte> mask)
    {
        ulong exact = KeySchemas.ExactMask(part);
        if (!cursor.TryNumber(exact, after, out ulong value) || !TryTakeSlash(ref cursor, mask, out bool slash))
        {
            return false;
        }

        ulong bits = exact;
        if (slash && !cursor.TryNumber(exact, "\"/\"", out bits))
        {
            return false;
        }

        Store(part, key, mask, value, bits);
        return true;
    }

    private static void Store(KeyPartSchema part, scoped Span<byte> key, scoped Span<byte> mask, ulong value, ulong bits)
    {
        KeySchemas.Write(part, key, value);
        if (!mask.IsEmpty)
        {
            KeySchemas.Write(part, mask, bits);
        }
    }

    private static void AppendMask(StringBuilder text, KeyPartSchema part, scoped ReadOnlySpan<byte> mask, bool exact)
    {
        if (!exact)
        {
            text.Append('/').AppendNumber(KeySchemas.Read(part, mask));
        }
    }

    private static Span<byte> Bytes(KeyPartSchema part, Span<byte> payload) =>
        payload.IsEmpty ? payload : payload.Slice(part.PayloadOffset, part.PayloadSize);

    private static ReadOnlySpan<byte> Bytes(KeyPartSchema part, ReadOnlySpan<byte> payload) =>
        payload.IsEmpty ? payload : payload.Slice(part.PayloadOffset, part.PayloadSize);
}
