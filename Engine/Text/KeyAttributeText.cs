using System.Text;
using Engine.Annotations;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Text;

/// <summary>One key attribute that is not made of attributes: <c>ipv4(src=10.1.0.0/255.255.0.0,frag=no)</c>.</summary>
internal static class KeyAttributeText
{
    /// <summary>Most labels of an MPLS attribute, as the kernel keeps.</summary>
    public const int MaximumLabels = 3;

    /// <summary>Bytes that hold the payload of any attribute read here.</summary>
    public const int MaximumSize = 64;

    /// <summary>What stands between the parentheses of an array without elements, the closing one of which is left out.</summary>
    public const string NoElement = "(bad key length 0)";

    private const int VlanPresent = 0x10;

    /// <summary>Reads an attribute from behind its opening parenthesis to behind its closing one.</summary>
    /// <param name="cursor">Behind the opening parenthesis.</param>
    /// <param name="attribute">The attribute.</param>
    /// <param name="key">Gets the payload; <see cref="MaximumSize"/> bytes.</param>
    /// <param name="mask">Gets the mask; as long, or empty to refuse masks.</param>
    /// <param name="size">Bytes of the payload.</param>
    public static bool TryRead(ref TextCursor cursor, KeyAttributeSchema attribute, scoped Span<byte> key, scoped Span<byte> mask, out int size)
    {
        key.Clear();
        mask.Clear();
        size = attribute.Size;
        if (attribute.Parts.Length == 1 && attribute.Parts[0].Name.Length == 0)
        {
            string open = attribute.Name + "(";
            return KeyValueText.TryRead(ref cursor, attribute.Parts[0], Quote(open), key, mask) && cursor.Expect(')', $"the value of {attribute.Name}");
        }

        if (attribute.Attribute == OvsKeyAttribute.Vlan)
        {
            // A tag is there and matched, unless cfi says otherwise.
            key[0] = VlanPresent;
            if (!mask.IsEmpty)
            {
                mask[0] = VlanPresent;
            }
        }

        return attribute.IsArray
            ? TryReadArray(ref cursor, attribute, key, mask, out size)
            : TryReadFields(ref cursor, attribute, key, mask);
    }

    /// <summary>Appends an attribute.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="attribute">The attribute.</param>
    /// <param name="key">Payload, of the right size.</param>
    /// <param name="mask">Mask, of the same size; empty: everything is exact.</param>
    /// <param name="verbose">Whether parts that are not matched are shown too.</param>
    /// <param name="ports">Names of ports; null: numbers.</param>
    public static void Append(
        StringBuilder text, KeyAttributeSchema attribute, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask, bool verbose, IPortNames? ports)
    {
        text.Append(attribute.Name).Append('(');
        if (attribute.Attribute == OvsKeyAttribute.Vlan)
        {
            AppendVlan(text, attribute, key, mask, verbose);
        }
        else if (attribute.IsArray)
        {
            AppendArray(text, attribute, key, mask);
        }
        else if (attribute.Attribute == OvsKeyAttribute.ConntrackState)
        {
            AppendConntrackState(text, attribute.Parts[0], key, mask, verbose);
        }
        else if (attribute.Parts.Length == 1 && attribute.Parts[0].Name.Length == 0)
        {
            KeyValueText.Append(text, attribute.Parts[0], key, mask, ports);
        }
        else
        {
            AppendFields(text, attribute, key, mask, verbose, ports);
        }

        text.Append(')');
    }

    /// <summary>Appends the tag control information of a VLAN: <c>vid=5,pcp=0</c>.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="attribute">The schema of the vlan attribute.</param>
    /// <param name="key">The tag, network order.</param>
    /// <param name="mask">Its mask; empty: exact.</param>
    /// <param name="verbose">Whether parts that are not matched are shown too.</param>
    public static void AppendVlan(StringBuilder text, KeyAttributeSchema attribute, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask, bool verbose)
    {
        bool first = true;
        foreach (KeyPartSchema part in attribute.Parts)
        {
            ulong value = KeySchemas.Read(part, key);
            bool shown = part.Name == "cfi" ? value == 0 : verbose || value != 0 || !KeyValueText.IsWildcard(part, mask);
            if (!shown)
            {
                continue;
            }

            text.Append(first ? "" : ",").Append(part.Name).Append('=').Append(value);
            first = false;
            if (part.Name != "cfi" && !KeyValueText.IsExact(part, mask))
            {
                // Open vSwitch writes 0x0 here, not 0.
                text.Append('/').AppendPadded(KeySchemas.Read(part, mask), 1);
            }
        }
    }

    /// <summary>Whether no bit of the attribute is matched. Padding of the payload is not looked at.</summary>
    public static bool IsWildcard(KeyAttributeSchema attribute, scoped ReadOnlySpan<byte> mask)
    {
        if (attribute.IsArray)
        {
            return KeyValueText.IsAll(mask, 0);
        }

        foreach (KeyPartSchema part in attribute.Parts)
        {
            if (!KeyValueText.IsWildcard(part, mask))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether every bit of the attribute is matched. Padding of the payload is not looked at.</summary>
    public static bool IsExact(KeyAttributeSchema attribute, scoped ReadOnlySpan<byte> mask)
    {
        if (attribute.IsArray || attribute.Attribute == OvsKeyAttribute.ConntrackState)
        {
            return KeyValueText.IsAll(mask, 0xff);
        }

        foreach (KeyPartSchema part in attribute.Parts)
        {
            if (!KeyValueText.IsExact(part, mask))
            {
                return false;
            }
        }

        return true;
    }

    public static string Quote(string literal) => "\"" + literal + "\"";

    private static bool TryReadFields(ref TextCursor cursor, KeyAttributeSchema attribute, scoped Span<byte> key, scoped Span<byte> mask)
    {
        uint seen = 0;
        cursor.SkipSpaces();
        while (!cursor.TryTake(')'))
        {
            int index = FindField(ref cursor, attribute, out string name);
            if (index < 0)
            {
                return cursor.Fail(FieldNames(attribute));
            }

            if ((seen >> index & 1) != 0)
            {
                return cursor.Fail(cursor.Position - name.Length - 1, $"each field of {attribute.Name} once");
            }

            seen |= 1u << index;
            if (!KeyValueText.TryRead(ref cursor, attribute.Parts[index], Quote(name + "="), key, mask) || !cursor.NextField(attribute.Name))
            {
                return false;
            }
        }

        return true;
    }

    // The entry of a label stack ends where one of its fields comes for the second time.
    private static bool TryReadArray(ref TextCursor cursor, KeyAttributeSchema attribute, scoped Span<byte> key, scoped Span<byte> mask, out int size)
    {
        size = attribute.Size;
        int entry = 0;
        uint seen = 0;
        cursor.SkipSpaces();
        while (!cursor.TryTake(')'))
        {
            int start = cursor.Position;
            int index = FindField(ref cursor, attribute, out string name);
            if (index < 0)
            {
                return cursor.Fail(FieldNames(attribute));
            }

            if ((seen >> index & 1) != 0)
            {
                seen = 0;
                entry++;
                if (entry == MaximumLabels)
                {
                    return cursor.Fail(start, $"at most {MaximumLabels} labels in {attribute.Name}");
                }
            }

            seen |= 1u << index;
            int offset = entry * attribute.Size;
            if (!KeyValueText.TryRead(ref cursor, attribute.Parts[index], Quote(name + "="), key[offset..], mask.IsEmpty ? mask : mask[offset..])
                || !cursor.NextField(attribute.Name))
            {
                return false;
            }
        }

        size = attribute.Size * (entry + 1);
        return true;
    }

    // Goes behind the name and the equals sign. Of an array, the fields of the first entry.
    private static int FindField(ref TextCursor cursor, KeyAttributeSchema attribute, out string name)
    {
        for (int i = 0; i < attribute.Parts.Length; i++)
        {
            KeyPartSchema part = attribute.Parts[i];
            name = part.Name;
            if (cursor.TryField(name))
            {
                return i;
            }

            name = KeySchemas.PrintedName(attribute, part);
            if (cursor.TryField(name))
            {
                return i;
            }
        }

        name = "";
        return -1;
    }

    private static string FieldNames(KeyAttributeSchema attribute)
    {
        List<string> names = [];
        foreach (KeyPartSchema part in KeySchemas.PartsInTextOrder(attribute))
        {
            if (part.Format != KeyFormat.Hidden && !names.Contains(part.Name + "="))
            {
                names.Add(part.Name + "=");
            }
        }

        return $"a field of {attribute.Name}: {string.Join(", ", names)}";
    }

    private static void AppendFields(
        StringBuilder text, KeyAttributeSchema attribute, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask, bool verbose, IPortNames? ports)
    {
        bool first = true;
        foreach (KeyPartSchema part in KeySchemas.PartsInTextOrder(attribute))
        {
            bool wildcard = KeyValueText.IsUnset(part, mask);
            if (part.Format == KeyFormat.FragmentType)
            {
                // An enumeration: half a mask has no meaning, and no mask leaves nothing to say.
                if (!wildcard && !KeyValueText.IsExact(part, mask))
                {
                    text.Append(first ? "" : ",").Append("error: partial mask not supported for frag (").AppendNumber(KeySchemas.Read(part, mask)).Append(')');
                    first = false;
                    continue;
                }

                if (wildcard)
                {
                    continue;
                }
            }

            if (verbose || !wildcard)
            {
                text.Append(first ? "" : ",").Append(KeySchemas.PrintedName(attribute, part)).Append('=');
                KeyValueText.Append(text, part, key, mask, ports);
                first = false;
            }
        }
    }

    /// <summary>Appends an array whose elements cannot be printed beside their masks, as Open vSwitch does: one parenthesis short.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="attribute">The schema of the attribute.</param>
    /// <param name="size">Bytes of the key.</param>
    /// <param name="maskSize">Bytes of the mask.</param>
    public static void AppendBadArray(StringBuilder text, KeyAttributeSchema attribute, int size, int maskSize)
    {
        text.Append(attribute.Name).Append('(');
        if (size == 0)
        {
            text.Append(NoElement);
        }
        else if (size % attribute.Size != 0)
        {
            text.Append("(bad key length ").Append(size).Append(')');
        }
        else
        {
            text.Append("(key length ").Append(size).Append(" != mask length ").Append(maskSize).Append(')');
        }
    }

    private static void AppendArray(StringBuilder text, KeyAttributeSchema attribute, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask)
    {
        bool exact = mask.IsEmpty || KeyValueText.IsAll(mask, 0xff);
        for (int offset = 0; offset + attribute.Size <= key.Length; offset += attribute.Size)
        {
            text.Append(offset == 0 ? "" : ",");
            AppendLabel(text, attribute, key[offset..], exact ? default : mask[offset..]);
        }
    }

    /// <summary>Appends a label stack entry: <c>label=100,tc=0,ttl=64,bos=1</c>.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="attribute">The schema of the mpls attribute.</param>
    /// <param name="key">The entry, network order.</param>
    /// <param name="mask">Its mask; empty: no masks are shown.</param>
    public static void AppendLabel(StringBuilder text, KeyAttributeSchema attribute, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask)
    {
        bool first = true;
        foreach (KeyPartSchema part in attribute.Parts)
        {
            if (part.PayloadOffset != 0)
            {
                continue;
            }

            text.Append(first ? "" : ",").Append(part.Name).Append('=').Append(KeySchemas.Read(part, key));
            first = false;
            if (!mask.IsEmpty)
            {
                // Open vSwitch leaves out 0x where a field has few bits.
                text.Append(KeySchemas.Bits(part) < 8 ? "/" : "/0x").AppendDigits(KeySchemas.Read(part, mask), 1);
            }
        }
    }

    private static void AppendConntrackState(StringBuilder text, KeyPartSchema part, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask, bool verbose)
    {
        uint flags = (uint)KeySchemas.Read(part, key);
        if (verbose)
        {
            text.AppendNumber(flags);
            if (!KeyValueText.IsExact(part, mask))
            {
                text.Append('/').AppendNumber(KeySchemas.Read(part, mask));
            }
        }
        else
        {
            FlagText.Conntrack.AppendMasked(text, flags, mask.IsEmpty ? uint.MaxValue : (uint)KeySchemas.Read(part, mask), uint.MaxValue);
        }
    }
}
