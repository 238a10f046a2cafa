using System.Buffers.Binary;
using System.Text;

namespace Engine.Text;

/// <summary>Text of Ethernet, IPv4 and IPv6 addresses in network order, as the C library writes and reads it.</summary>
internal static class AddressText
{
    public static void AppendEthernet(StringBuilder text, scoped ReadOnlySpan<byte> address) => text.AppendBytes(address, ':');

    public static void AppendIpv4(StringBuilder text, scoped ReadOnlySpan<byte> address) =>
        text.Append(address[0]).Append('.').Append(address[1]).Append('.').Append(address[2]).Append('.').Append(address[3]);

    /// <summary>RFC 5952, with the last 32 bits as dotted quad where C's inet_ntop has it so.</summary>
    public static void AppendIpv6(StringBuilder text, scoped ReadOnlySpan<byte> address)
    {
        int bestStart = -1;
        int bestLength = 1;
        for (int start = 0; start < 8; start++)
        {
            int length = 0;
            while (start + length < 8 && Group(address, start + length) == 0)
            {
                length++;
            }

            if (length > bestLength)
            {
                bestStart = start;
                bestLength = length;
            }
        }

        // "::1.2.3.4" and "::ffff:1.2.3.4".
        bool dotted = bestStart == 0 && (bestLength == 6 || (bestLength == 5 && Group(address, 5) == 0xffff));
        int groups = dotted ? 6 : 8;
        for (int i = 0; i < groups; i++)
        {
            if (i >= bestStart && i < bestStart + bestLength && bestStart >= 0)
            {
                if (i == bestStart)
                {
                    text.Append(':');
                }

                continue;
            }

            if (i > 0)
            {
                text.Append(':');
            }

            text.AppendDigits((uint)Group(address, i), 1);
        }

        if (dotted)
        {
            text.Append(':');
            AppendIpv4(text, address[12..]);
        }
        else if (bestStart >= 0 && bestStart + bestLength == 8)
        {
            text.Append(':');
        }
    }

    /// <summary>Six pairs of hexadecimal digits. Does not move when false.</summary>
    public static bool TryTakeEthernet(ref TextCursor cursor, scoped Span<byte> address)
    {
        ReadOnlySpan<char> rest = cursor.Rest;
        int at = 0;
        for (int i = 0; i < 6; i++)
        {
            if (i > 0 && (at >= rest.Length || rest[at++] != ':'))
            {
                return false;
            }

            int first = at;
            int value = 0;
            while (at < rest.Length && at < first + 2 && HexText.Digit(rest[at]) >= 0)
            {
                value = (value << 4) | HexText.Digit(rest[at++]);
            }

            if (at == first)
            {
                return false;
            }

            address[i] = (byte)value;
        }

        cursor.Position += at;
        return true;
    }

    /// <summary>A dotted quad. Does not move when false.</summary>
    public static bool TryTakeIpv4(ref TextCursor cursor, scoped Span<byte> address)
    {
        int length = ReadIpv4(cursor.Rest, address);
        cursor.Position += length;
        return length > 0;
    }

    /// <summary>An IPv6 address as inet_pton takes it. Does not move when false.</summary>
    public static bool TryTakeIpv6(ref TextCursor cursor, scoped Span<byte> address)
    {
        ReadOnlySpan<char> rest = cursor.Rest;
        int end = 0;
        while (end < rest.Length && (HexText.Digit(rest[end]) >= 0 || rest[end] is ':' or '.'))
        {
            end++;
        }

        if (!ReadIpv6(rest[..end], address))
        {
            return false;
        }

        cursor.Position += end;
        return true;
    }

    /// <summary>A mask of <paramref name="mask"/>'s length with the first <paramref name="bits"/> set.</summary>
    public static void SetPrefix(Span<byte> mask, int bits)
    {
        for (int i = 0; i < mask.Length; i++)
        {
            int ones = Math.Max(0, Math.Min(8, bits - (i * 8)));
            mask[i] = (byte)(0xff00 >> ones);
        }
    }

    private static int Group(ReadOnlySpan<byte> address, int index) => BinaryPrimitives.ReadUInt16BigEndian(address[(index * 2)..]);

    private static int ReadIpv4(ReadOnlySpan<char> text, scoped Span<byte> address)
    {
        int at = 0;
        for (int i = 0; i < 4; i++)
        {
            if (i > 0 && (at >= text.Length || text[at++] != '.'))
            {
                return 0;
            }

            int first = at;
            int value = 0;
            while (at < text.Length && at < first + 3 && text[at] is >= '0' and <= '9')
            {
                value = (value * 10) + (text[at++] - '0');
            }

            if (at == first || value > 255)
            {
                return 0;
            }

            address[i] = (byte)value;
        }

        return at;
    }

    private static bool ReadIpv6(ReadOnlySpan<char> text, scoped Span<byte> address)
    {
        address.Clear();
        int written = 0;
        int gap = -1;
        int at = 0;
        if (text.StartsWith("::".AsSpan(), StringComparison.Ordinal))
        {
            gap = 0;
            at = 2;
        }

        while (at < text.Length)
        {
            int first = at;
            int value = 0;
            while (at < text.Length && HexText.Digit(text[at]) >= 0)
            {
                value = (value << 4) | HexText.Digit(text[at++]);
                if (at - first > 4)
                {
                    return false;
                }
            }

            if (at == first || written > 14)
            {
                return false;
            }

            if (at < text.Length && text[at] == '.')
            {
                if (written > 12 || ReadIpv4(text[first..], address[written..]) != text.Length - first)
                {
                    return false;
                }

                written += 4;
                at = text.Length;
                break;
            }

            BinaryPrimitives.WriteUInt16BigEndian(address[written..], (ushort)value);
            written += 2;
            if (at == text.Length)
            {
                break;
            }

            if (text[at++] != ':' || at == text.Length)
            {
                return false;
            }

            if (text[at] == ':')
            {
                if (gap >= 0)
                {
                    return false;
                }

                gap = written;
                at++;
            }
        }

        if (gap < 0)
        {
            return written == 16;
        }

        if (written == 16)
        {
            return false;
        }

        address[gap..written].CopyTo(address[(16 - (written - gap))..]);
        address[gap..(16 - (written - gap))].Clear();
        return true;
    }
}
