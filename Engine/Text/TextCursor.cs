using Engine.Primitives;

namespace Engine.Text;

/// <summary>A place in a text that is being read. Keeps the first error; after an error every read fails.</summary>
internal ref struct TextCursor
{
    /// <summary>Levels of parentheses that actions or keys may be nested in each other, as in Open vSwitch.</summary>
    public const int MaximumDepth = 32;

    private TextError _error;

    public TextCursor(ReadOnlySpan<char> text, IPortNames? ports)
    {
        Text = text;
        Ports = ports;
    }

    public readonly ReadOnlySpan<char> Text { get; }

    public readonly IPortNames? Ports { get; }

    /// <summary>Offset of the next character.</summary>
    public int Position { get; set; }

    public readonly TextError Error => _error;

    public readonly bool AtEnd => Position >= Text.Length;

    /// <summary>The next character; NUL at the end.</summary>
    public readonly char Next => AtEnd ? '\0' : Text[Position];

    public readonly ReadOnlySpan<char> Rest => Text[Position..];

    public static bool IsDelimiter(char c) => c is ',' or ' ' or '\t' or '\r' or '\n';

    public static bool IsSpace(char c) => c is ' ' or '\t' or '\r' or '\n';

    /// <summary>Notes an error here, unless there is one already.</summary>
    /// <returns>False.</returns>
    public bool Fail(string expected) => Fail(Position, expected);

    /// <summary>Notes an error at <paramref name="offset"/>, unless there is one already.</summary>
    /// <returns>False.</returns>
    public bool Fail(int offset, string expected)
    {
        if (!_error.IsError)
        {
            _error = new TextError(offset, "expected " + expected);
        }

        return false;
    }

    /// <summary>Notes that the kernel would refuse what was read, unless there is an error already.</summary>
    /// <returns>False.</returns>
    public bool Refuse(int offset, in Refusal refusal)
    {
        if (!_error.IsError)
        {
            _error = new TextError(offset, refusal.Reason ?? "refused");
        }

        return false;
    }

    public void SkipDelimiters()
    {
        while (!AtEnd && IsDelimiter(Text[Position]))
        {
            Position++;
        }
    }

    public void SkipSpaces()
    {
        while (!AtEnd && IsSpace(Text[Position]))
        {
            Position++;
        }
    }

    public readonly bool IsAt(string literal) => Rest.StartsWith(literal.AsSpan(), StringComparison.Ordinal);

    public bool TryTake(char c)
    {
        if (Next != c || AtEnd)
        {
            return false;
        }

        Position++;
        return true;
    }

    public bool TryTake(string literal)
    {
        if (!IsAt(literal))
        {
            return false;
        }

        Position += literal.Length;
        return true;
    }

    public bool Expect(char c, string after) => TryTake(c) || Fail($"\"{c}\" after {after}");

    /// <summary>The word here: letters, digits and underscores. Does not move.</summary>
    public readonly ReadOnlySpan<char> PeekWord()
    {
        int end = Position;
        while (end < Text.Length && (char.IsAsciiLetterOrDigit(Text[end]) || Text[end] == '_'))
        {
            end++;
        }

        return Text[Position..end];
    }

    /// <summary>Whether the next thing is <paramref name="name"/> with an opening parenthesis; if so, goes behind it.</summary>
    public bool TryOpen(string name)
    {
        ReadOnlySpan<char> rest = Rest;
        if (rest.Length <= name.Length || rest[name.Length] != '(' || !rest.StartsWith(name.AsSpan(), StringComparison.Ordinal))
        {
            return false;
        }

        Position += name.Length + 1;
        return true;
    }

    /// <summary>Whether the next thing is <paramref name="name"/> with an equals sign; if so, goes behind it.</summary>
    public bool TryField(string name)
    {
        ReadOnlySpan<char> rest = Rest;
        if (rest.Length <= name.Length || rest[name.Length] != '=' || !rest.StartsWith(name.AsSpan(), StringComparison.Ordinal))
        {
            return false;
        }

        Position += name.Length + 1;
        return true;
    }

    /// <summary>After a field of a list in parentheses: goes behind the comma, or to the closing parenthesis.</summary>
    /// <param name="fields">What the list takes, for the error.</param>
    public bool NextField(string fields)
    {
        SkipSpaces();
        if (TryTake(','))
        {
            SkipSpaces();
            return true;
        }

        return Next == ')' || Fail($"\",\" or \")\" after a field of {fields}");
    }

    /// <summary>Reads a number, decimal or hexadecimal with 0x.</summary>
    /// <param name="maximum">Largest value.</param>
    /// <param name="after">What stands before it, for the error.</param>
    /// <param name="value">The number.</param>
    public bool TryNumber(ulong maximum, string after, out ulong value)
    {
        int start = Position;
        if (TryTakeNumber(out value) && value <= maximum)
        {
            return true;
        }

        value = 0;
        Position = start;
        string limit = maximum switch
        {
            ulong.MaxValue => "a number of up to 64 bits",
            uint.MaxValue => "a number of up to 32 bits",
            _ => "a number from 0 to " + maximum.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        return Fail($"{limit} after {after}");
    }

    public bool TryNumber(ulong maximum, string after, out uint value)
    {
        bool read = TryNumber(maximum, after, out ulong wide);
        value = (uint)wide;
        return read;
    }

    /// <summary>Takes a number without noting an error. A leading zero is refused: C would take the rest for octal.</summary>
    public bool TryTakeNumber(out ulong value)
    {
        value = 0;
        int at = Position;
        bool hexadecimal = at + 2 < Text.Length && Text[at] == '0' && Text[at + 1] is 'x' or 'X';
        if (hexadecimal)
        {
            at += 2;
        }

        int first = at;
        uint radix = hexadecimal ? 16u : 10u;
        while (at < Text.Length && HexText.Digit(Text[at]) is int digit && digit >= 0 && digit < radix)
        {
            if (value > (ulong.MaxValue - (uint)digit) / radix)
            {
                return false;
            }

            value = (value * radix) + (uint)digit;
            at++;
        }

        if (at == first || (!hexadecimal && Text[first] == '0' && at > first + 1))
        {
            return false;
        }

        Position = at;
        return true;
    }
}
