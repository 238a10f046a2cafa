using System.Text;

namespace Engine.Text;

/// <summary>Hexadecimal text of bytes and numbers, as Open vSwitch writes it.</summary>
internal static class HexText
{
    private const string Digits = "0123456789abcdef";

    /// <summary>Value of a hexadecimal digit, -1 if it is none.</summary>
    public static int Digit(char c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'f' => c - 'a' + 10,
        >= 'A' and <= 'F' => c - 'A' + 10,
        _ => -1,
    };

    /// <summary>A number as C's <c>%#x</c>: zero is plain 0.</summary>
    public static StringBuilder AppendNumber(this StringBuilder text, ulong value) =>
        value == 0 ? text.Append('0') : text.Append("0x").AppendDigits(value, 1);

    /// <summary>A number as <c>0x%0Nx</c>, N being <paramref name="digits"/>.</summary>
    public static StringBuilder AppendPadded(this StringBuilder text, ulong value, int digits) => text.Append("0x").AppendDigits(value, digits);

    /// <summary>At least <paramref name="digits"/> digits.</summary>
    public static StringBuilder AppendDigits(this StringBuilder text, ulong value, int digits)
    {
        int count = 1;
        while (count < 16 && (value >> (count * 4)) != 0)
        {
            count++;
        }

        for (int i = Math.Max(count, digits) - 1; i >= 0; i--)
        {
            text.Append(i >= 16 ? '0' : Digits[(int)(value >> (i * 4)) & 15]);
        }

        return text;
    }

    /// <summary>Two digits each.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="separator">Between two bytes; NUL for nothing.</param>
    public static StringBuilder AppendBytes(this StringBuilder text, scoped ReadOnlySpan<byte> bytes, char separator = '\0')
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            if (i > 0 && separator != '\0')
            {
                text.Append(separator);
            }

            text.Append(Digits[bytes[i] >> 4]).Append(Digits[bytes[i] & 15]);
        }

        return text;
    }

    /// <summary>Bytes as one big-endian number without leading zeros: 0x1002, or 0.</summary>
    public static StringBuilder AppendBigEndian(this StringBuilder text, scoped ReadOnlySpan<byte> bytes)
    {
        int first = 0;
        while (first < bytes.Length && bytes[first] == 0)
        {
            first++;
        }

        return first == bytes.Length ? text.Append('0') : text.Append("0x").AppendDigits(bytes[first], 1).AppendBytes(bytes[(first + 1)..]);
    }

    /// <summary>Reads a number, hexadecimal of any length or decimal of up to 64 bits, into all of <paramref name="bytes"/>, big-endian.</summary>
    /// <returns>False without moving if there is none or it does not fit.</returns>
    public static bool TryTakeBigEndian(ref TextCursor cursor, scoped Span<byte> bytes)
    {
        int start = cursor.Position;
        ReadOnlySpan<char> rest = cursor.Rest;
        bytes.Clear();
        if (rest.Length < 3 || rest[0] != '0' || rest[1] is not ('x' or 'X') || Digit(rest[2]) < 0)
        {
            if (!cursor.TryTakeNumber(out ulong number))
            {
                return false;
            }

            for (int i = bytes.Length - 1; i >= 0; i--)
            {
                bytes[i] = (byte)number;
                number >>= 8;
            }

            if (number != 0)
            {
                cursor.Position = start;
            }

            return number == 0;
        }

        int end = 2;
        while (end < rest.Length && Digit(rest[end]) >= 0)
        {
            end++;
        }

        int first = 2;
        while (first < end && rest[first] == '0')
        {
            first++;
        }

        if (end - first > bytes.Length * 2)
        {
            return false;
        }

        for (int i = 0; i < end - first; i++)
        {
            bytes[bytes.Length - 1 - (i / 2)] |= (byte)(Digit(rest[end - 1 - i]) << (i % 2 * 4));
        }

        cursor.Position = start + end;
        return true;
    }

    /// <summary>Takes pairs of digits, with or without spaces between them, until something else comes.</summary>
    /// <returns>False without moving if the last pair is not whole.</returns>
    public static bool TryTakeBytes(ref TextCursor cursor, out byte[] bytes)
    {
        ReadOnlySpan<char> rest = cursor.Rest;
        int digits = 0;
        int end = 0;
        for (int i = 0; i < rest.Length; i++)
        {
            if (Digit(rest[i]) >= 0)
            {
                digits++;
                end = i + 1;
            }
            else if (rest[i] != ' ' || digits % 2 != 0)
            {
                break;
            }
        }

        bytes = [];
        if (digits % 2 != 0)
        {
            return false;
        }

        bytes = new byte[digits / 2];
        int at = 0;
        for (int i = 0; i < end; i++)
        {
            if (Digit(rest[i]) is int digit && digit >= 0)
            {
                bytes[at / 2] |= (byte)(digit << (at % 2 == 0 ? 4 : 0));
                at++;
            }
        }

        cursor.Position += end;
        return true;
    }
}
