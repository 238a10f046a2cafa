using System.Text;

namespace Engine.Text;

/// <summary>Flags by name: <c>syn|ack</c>, or with a mask <c>+syn-ack</c>.</summary>
internal sealed class FlagText
{
    /// <summary>TCP flags, 12 bits; the kernel takes the four bits above them too.</summary>
    public static readonly FlagText Tcp = new("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]") { Limit = 0xffff };

    /// <summary>OVS_CS_F_*.</summary>
    public static readonly FlagText Conntrack = new("new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat");

    /// <summary>Flags of a tunnel header, in Open vSwitch's own bits.</summary>
    public static readonly FlagText Tunnel = new("oam", "df", "csum", "key");

    /// <summary>Why user space wants to see a packet.</summary>
    public static readonly FlagText SlowPath = new("cfm", "bfd", "lacp", "stp", "lldp", "action", "match");

    private readonly string[] _names;

    private FlagText(params string[] names)
    {
        _names = names;
        Limit = All;
    }

    /// <summary>All flags that have a name.</summary>
    public uint All => (1u << _names.Length) - 1;

    /// <summary>All flags that may be given as a number.</summary>
    private uint Limit { get; init; }

    /// <summary>The set flags with <paramref name="separator"/> between them; 0 for none.</summary>
    public void Append(StringBuilder text, uint flags, char separator)
    {
        if (flags == 0)
        {
            text.Append('0');
            return;
        }

        bool first = true;
        for (int bit = 0; bit < _names.Length; bit++)
        {
            if ((flags >> bit & 1) != 0)
            {
                text.Append(first ? "" : separator.ToString()).Append(_names[bit]);
                first = false;
            }
        }

        if ((flags & ~All) != 0)
        {
            text.Append(first ? "" : separator.ToString()).AppendNumber(flags & ~All);
        }
    }

    /// <summary>Each flag of the mask with + or -; 0/0 without a mask; plain when the mask is <paramref name="fullMask"/>.</summary>
    public void AppendMasked(StringBuilder text, uint flags, uint mask, uint fullMask)
    {
        if (mask == fullMask)
        {
            Append(text, flags, '|');
            return;
        }

        if (mask == 0)
        {
            text.Append("0/0");
            return;
        }

        for (int bit = 0; bit < 32; bit++)
        {
            if ((mask >> bit & 1) != 0)
            {
                text.Append((flags >> bit & 1) != 0 ? '+' : '-').Append(bit < _names.Length ? _names[bit] : "[Unknown]");
            }
        }
    }

    /// <summary>Reads flags up to, not including, the closing parenthesis.</summary>
    /// <param name="cursor">Behind the opening parenthesis.</param>
    /// <param name="separator">Between flags without a mask.</param>
    /// <param name="after">What the parenthesis belongs to, for the error.</param>
    /// <param name="flags">The flags that are set.</param>
    /// <param name="mask">The flags that were named with + or -, or the mask given as a number; null: all.</param>
    public bool TryRead(ref TextCursor cursor, char separator, string after, out uint flags, out uint? mask)
    {
        flags = 0;
        mask = null;
        if (cursor.Next is '+' or '-')
        {
            return TryReadMasked(ref cursor, after, out flags, out mask);
        }

        while (cursor.Next != ')' || cursor.AtEnd)
        {
            int start = cursor.Position;
            if (cursor.TryTakeNumber(out ulong number))
            {
                if ((number & ~(ulong)Limit) != 0)
                {
                    return cursor.Fail(start, $"flags of {after}, at most 0x{Limit:x}");
                }

                flags |= (uint)number;
                if (cursor.TryTake('/'))
                {
                    bool read = cursor.TryNumber(Limit, "\"/\"", out uint bits);
                    mask = bits;
                    return read;
                }
            }
            else if (TryTakeName(ref cursor, out uint bit))
            {
                flags |= bit;
            }
            else
            {
                return cursor.Fail($"a flag of {after}: {string.Join(", ", _names)}");
            }

            if (!cursor.TryTake(separator) && cursor.Next != ')')
            {
                return cursor.Fail($"\"{separator}\" or \")\" after a flag of {after}");
            }
        }

        return true;
    }

    private bool TryReadMasked(ref TextCursor cursor, string after, out uint flags, out uint? mask)
    {
        flags = 0;
        uint named = 0;
        while (cursor.Next is '+' or '-')
        {
            bool set = cursor.Next == '+';
            cursor.Position++;
            int start = cursor.Position;
            mask = null;
            if (!TryTakeName(ref cursor, out uint bit))
            {
                return cursor.Fail($"a flag of {after}: {string.Join(", ", _names)}");
            }

            if ((named & bit) != 0)
            {
                return cursor.Fail(start, $"each flag of {after} once");
            }

            named |= bit;
            flags |= set ? bit : 0;
        }

        mask = named;
        return cursor.Next == ')' || cursor.Fail($"\"+\", \"-\" or \")\" after a flag of {after}");
    }

    private bool TryTakeName(ref TextCursor cursor, out uint bit)
    {
        ReadOnlySpan<char> rest = cursor.Rest;
        int end = 0;
        while (end < rest.Length && (char.IsAsciiLetterOrDigit(rest[end]) || rest[end] is '[' or ']'))
        {
            end++;
        }

        for (int i = 0; i < _names.Length; i++)
        {
            if (rest[..end].Equals(_names[i].AsSpan(), StringComparison.Ordinal))
            {
                cursor.Position += end;
                bit = 1u << i;
                return true;
            }
        }

        bit = 0;
        return false;
    }
}
