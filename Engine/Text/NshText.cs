using System.Text;
using Engine.Annotations;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Text;

/// <summary>The network service header: <c>nsh(flags=0,ttl=63,mdtype=1,np=3,spi=0x123456,si=254,c1=0x1,c2=0x2,c3=0x3,c4=0x4)</c>.</summary>
internal static class NshText
{
    /// <summary>struct ovs_nsh_key_base.</summary>
    public const int BaseSize = 8;

    /// <summary>struct ovs_nsh_key_md1.</summary>
    public const int ContextSize = 16;

    private const int FlagsOffset = 0, TimeToLiveOffset = 1, MetadataTypeOffset = 2;

    /// <summary>Reads fields from behind an opening parenthesis to behind the closing one.</summary>
    /// <param name="cursor">Behind the opening parenthesis.</param>
    /// <param name="name">What the parenthesis belongs to, for errors.</param>
    /// <param name="key">Gets base and context headers; <see cref="BaseSize"/> + <see cref="ContextSize"/> bytes, which hold the defaults.</param>
    /// <param name="mask">Gets their masks; empty to refuse masks.</param>
    /// <param name="metadata">Gets the second type of metadata; null to refuse it.</param>
    /// <param name="hasContext">Whether a context header was given.</param>
    /// <param name="metadataLength">Bytes of <paramref name="metadata"/>.</param>
    public static bool TryReadFields(
        ref TextCursor cursor, string name, scoped Span<byte> key, scoped Span<byte> mask, byte[]? metadata, out bool hasContext, out int metadataLength)
    {
        KeyAttributeSchema attribute = KeySchemas.Find((int)OvsKeyAttribute.Nsh)!;
        uint seen = 0;
        hasContext = false;
        metadataLength = 0;
        int contextAt = -1;
        cursor.SkipSpaces();
        while (!cursor.TryTake(')'))
        {
            int start = cursor.Position;
            if (metadata is not null && cursor.TryField("md2"))
            {
                if (!TryReadMetadata(ref cursor, metadata, out metadataLength) || !cursor.NextField(name))
                {
                    return false;
                }

                continue;
            }

            int index = 0;
            while (index < attribute.Parts.Length && !cursor.TryField(attribute.Parts[index].Name))
            {
                index++;
            }

            if (index == attribute.Parts.Length)
            {
                return cursor.Fail($"a field of {name}: flags=, ttl=, mdtype=, np=, spi=, si=, c1=, c2=, c3=, c4={(metadata is null ? "" : ", md2=")}");
            }

            KeyPartSchema part = attribute.Parts[index];
            if ((seen >> index & 1) != 0)
            {
                return cursor.Fail(start, $"each field of {name} once");
            }

            seen |= 1u << index;
            int offset = 0;
            if (part.NestedAttribute == (int)OvsNshKeyAttribute.Md1)
            {
                offset = BaseSize;
                hasContext = true;
                contextAt = contextAt < 0 ? start : contextAt;
            }

            if (!KeyValueText.TryRead(ref cursor, part, KeyAttributeText.Quote(part.Name + "="), key[offset..], mask.IsEmpty ? mask : mask[offset..])
                || !cursor.NextField(name))
            {
                return false;
            }
        }

        bool typeGiven = TypeGiven(attribute, seen);
        if (hasContext && !typeGiven)
        {
            key[MetadataTypeOffset] = 1;
        }

        if (hasContext && key[MetadataTypeOffset] != 1)
        {
            // Open vSwitch prints context headers of zeros for other types too.
            if (metadata is null && KeyValueText.IsAll(key[BaseSize..], 0))
            {
                hasContext = false;
                return true;
            }

            return cursor.Fail(contextAt, "context headers only with mdtype=1");
        }

        return true;
    }

    /// <summary>Reads an nsh attribute into key and mask.</summary>
    public static bool TryRead(ref TextCursor cursor, ref NetlinkWriter key, ref NetlinkWriter mask)
    {
        Span<byte> bytes = stackalloc byte[BaseSize + ContextSize];
        Span<byte> bits = stackalloc byte[BaseSize + ContextSize];
        bytes.Clear();
        bits.Clear();
        if (!TryReadFields(ref cursor, "nsh", bytes, bits, null, out _, out _))
        {
            return false;
        }

        bool hasContext = bytes[MetadataTypeOffset] == 1;
        Put(ref key, bytes, hasContext);
        Put(ref mask, bits, hasContext);
        return true;
    }

    /// <summary>Reads the nsh attribute of a set action.</summary>
    /// <param name="cursor">Behind the opening parenthesis.</param>
    /// <param name="actions">Gets OVS_KEY_ATTR_NSH.</param>
    /// <param name="masked">Whether each nested attribute carries its mask behind the value.</param>
    public static bool TryReadSet(ref TextCursor cursor, ref NetlinkWriter actions, out bool masked)
    {
        Span<byte> bytes = stackalloc byte[BaseSize + ContextSize];
        Span<byte> bits = stackalloc byte[BaseSize + ContextSize];
        bytes.Clear();
        bits.Clear();
        masked = false;
        if (!TryReadFields(ref cursor, "nsh", bytes, bits, null, out bool hasContext, out _))
        {
            return false;
        }

        masked = !KeyValueText.IsAll(bits[..BaseSize], 0xff) || (hasContext && !KeyValueText.IsAll(bits[BaseSize..], 0xff));
        if (!masked)
        {
            Put(ref actions, bytes, hasContext);
            return true;
        }

        int start = actions.BeginNested((int)OvsKeyAttribute.Nsh);
        PutMasked(ref actions, (int)OvsNshKeyAttribute.Base, bytes[..BaseSize], bits[..BaseSize]);
        if (hasContext)
        {
            PutMasked(ref actions, (int)OvsNshKeyAttribute.Md1, bytes[BaseSize..], bits[BaseSize..]);
        }

        actions.EndNested(start);
        return true;
    }

    /// <summary>Reads what push_nsh pushes, from behind its opening parenthesis, and writes OVS_KEY_ATTR_NSH.</summary>
    public static bool TryReadPush(ref TextCursor cursor, ref NetlinkWriter actions)
    {
        // As in Open vSwitch: TTL 63, metadata type 1, next protocol Ethernet, service index 255.
        Span<byte> bytes = stackalloc byte[BaseSize + ContextSize];
        bytes.Clear();
        bytes[1] = 63;
        bytes[MetadataTypeOffset] = 1;
        bytes[3] = 3;
        bytes[7] = 255;
        byte[] metadata = new byte[256];
        int start = cursor.Position;
        if (!TryReadFields(ref cursor, "push_nsh", bytes, default, metadata, out _, out int length))
        {
            return false;
        }

        if (bytes[MetadataTypeOffset] is not (1 or 2) || (length > 0 && bytes[MetadataTypeOffset] != 2))
        {
            return cursor.Fail(start, "mdtype=1 with c1 to c4, or mdtype=2 with md2");
        }

        int nested = actions.BeginNested((int)OvsKeyAttribute.Nsh);
        actions.Put((int)OvsNshKeyAttribute.Base, bytes[..BaseSize]);
        if (bytes[MetadataTypeOffset] == 1)
        {
            actions.Put((int)OvsNshKeyAttribute.Md1, bytes[BaseSize..]);
        }
        else if (length > 0)
        {
            actions.Put((int)OvsNshKeyAttribute.Md2, metadata.AsSpan(0, length));
        }

        actions.EndNested(nested);
        return true;
    }

    /// <summary>Appends the fields of a key with its mask, both given as nested attributes.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="key">Payload.</param>
    /// <param name="mask">Payload of the mask.</param>
    /// <param name="hasMask">Whether there is a mask; if not, everything is exact.</param>
    public static void Append(StringBuilder text, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask, bool hasMask)
    {
        Span<byte> bytes = stackalloc byte[BaseSize + ContextSize];
        Span<byte> bits = stackalloc byte[BaseSize + ContextSize];
        bytes.Clear();
        bits.Fill(byte.MaxValue);
        bool hasBase = Copy(key, (int)OvsNshKeyAttribute.Base, bytes[..BaseSize]);
        if (hasBase)
        {
            Copy(mask, (int)OvsNshKeyAttribute.Base, bits[..BaseSize]);
        }

        bool hasContext = Copy(key, (int)OvsNshKeyAttribute.Md1, bytes[BaseSize..]);
        if (hasContext)
        {
            Copy(mask, (int)OvsNshKeyAttribute.Md1, bits[BaseSize..]);
        }

        AppendFields(text, bytes, bits, hasBase, hasContext, hasMask);
    }

    /// <summary>Appends the fields of a masked set action: each nested attribute carries its mask behind the value.</summary>
    public static void AppendMaskedSet(StringBuilder text, scoped ReadOnlySpan<byte> nested)
    {
        Span<byte> bytes = stackalloc byte[BaseSize + ContextSize];
        Span<byte> bits = stackalloc byte[BaseSize + ContextSize];
        Span<byte> both = stackalloc byte[2 * ContextSize];
        bytes.Clear();
        bits.Fill(byte.MaxValue);
        if (Copy(nested, (int)OvsNshKeyAttribute.Base, both[..(2 * BaseSize)]))
        {
            both[..BaseSize].CopyTo(bytes);
            both[BaseSize..(2 * BaseSize)].CopyTo(bits);
        }

        if (Copy(nested, (int)OvsNshKeyAttribute.Md1, both))
        {
            both[..ContextSize].CopyTo(bytes[BaseSize..]);
            both[ContextSize..].CopyTo(bits[BaseSize..]);
        }

        AppendFields(text, bytes, bits, hasBase: true, hasContext: true, hasMask: true);
    }

    /// <summary>Appends what push_nsh pushes, given as the payload of OVS_KEY_ATTR_NSH.</summary>
    public static void AppendPush(StringBuilder text, scoped ReadOnlySpan<byte> nested)
    {
        Span<byte> bytes = stackalloc byte[BaseSize + ContextSize];
        bytes.Clear();
        Copy(nested, (int)OvsNshKeyAttribute.Base, bytes[..BaseSize]);
        Copy(nested, (int)OvsNshKeyAttribute.Md1, bytes[BaseSize..]);

        // What the header has room for (RFC 8300, 2.2).
        bytes[FlagsOffset] &= 0x03;
        bytes[TimeToLiveOffset] &= 0x3f;
        AppendFields(text, bytes, default, hasBase: true, hasContext: bytes[MetadataTypeOffset] == 1, hasMask: false);
        if (bytes[MetadataTypeOffset] == 2)
        {
            TunnelText.TryFind(nested, (int)OvsNshKeyAttribute.Md2, out ReadOnlySpan<byte> metadata);
            text.Append(",md2=").AppendBigEndian(metadata);
        }
        else if (bytes[MetadataTypeOffset] != 1)
        {
            text.Append(",<error: unknown mdtype>");
        }
    }

    private static bool TypeGiven(KeyAttributeSchema attribute, uint seen)
    {
        for (int i = 0; i < attribute.Parts.Length; i++)
        {
            KeyPartSchema part = attribute.Parts[i];
            if (part.NestedAttribute == (int)OvsNshKeyAttribute.Base && part.PayloadOffset == MetadataTypeOffset)
            {
                return (seen >> i & 1) != 0;
            }
        }

        return false;
    }

    // Right-aligned in as many 32-bit words as it takes: what Open vSwitch prints has lost its leading zeros.
    private static bool TryReadMetadata(ref TextCursor cursor, byte[] metadata, out int length)
    {
        length = 0;
        int start = cursor.Position;
        if (!HexText.TryTakeBigEndian(ref cursor, metadata))
        {
            return cursor.Fail($"a number of at most {metadata.Length} bytes after \"md2=\"");
        }

        int digits = cursor.Position - start - 2;
        length = digits <= 0 ? 0 : Math.Min(metadata.Length, (digits + 7) / 8 * 4);
        metadata.AsSpan(metadata.Length - length).CopyTo(metadata);
        return true;
    }

    private static void Put(ref NetlinkWriter writer, scoped ReadOnlySpan<byte> bytes, bool hasContext)
    {
        int start = writer.BeginNested((int)OvsKeyAttribute.Nsh);
        writer.Put((int)OvsNshKeyAttribute.Base, bytes[..BaseSize]);
        if (hasContext)
        {
            writer.Put((int)OvsNshKeyAttribute.Md1, bytes[BaseSize..]);
        }

        writer.EndNested(start);
    }

    private static void PutMasked(ref NetlinkWriter writer, int type, scoped ReadOnlySpan<byte> bytes, scoped ReadOnlySpan<byte> bits)
    {
        Span<byte> payload = writer.Put(type, bytes.Length * 2);
        if (!payload.IsEmpty)
        {
            bytes.CopyTo(payload);
            bits.CopyTo(payload[bytes.Length..]);
        }
    }

    private static bool Copy(ReadOnlySpan<byte> attributes, int type, scoped Span<byte> destination)
    {
        if (!TunnelText.TryFind(attributes, type, out ReadOnlySpan<byte> payload) || payload.Length != destination.Length)
        {
            return false;
        }

        payload.CopyTo(destination);
        return true;
    }

    private static void AppendFields(StringBuilder text, scoped ReadOnlySpan<byte> bytes, scoped ReadOnlySpan<byte> bits, bool hasBase, bool hasContext, bool hasMask)
    {
        KeyAttributeSchema attribute = KeySchemas.Find((int)OvsKeyAttribute.Nsh)!;
        int start = text.Length;
        foreach (KeyPartSchema part in attribute.Parts)
        {
            bool isContext = part.NestedAttribute == (int)OvsNshKeyAttribute.Md1;
            int offset = isContext ? BaseSize : 0;

            // With a mask, Open vSwitch prints what is not there as zeros, and what has no mask as if it mattered.
            bool isShown = hasMask ? !KeyValueText.IsWildcard(part, bits[offset..]) : isContext ? hasContext : hasBase;
            if (!isShown)
            {
                continue;
            }

            bool hexadecimal = part.Format == KeyFormat.Hexadecimal;
            ulong value = KeySchemas.Read(part, bytes[offset..]);
            text.Append(text.Length > start ? "," : "").Append(part.Name).Append('=');
            if (!hasMask || KeyValueText.IsExact(part, bits[offset..]))
            {
                _ = hexadecimal ? text.AppendPadded(value, 1) : text.Append(value);
            }
            else
            {
                // Open vSwitch prints numbers of a byte with two digits here, and others with as many as they need; masks with all.
                text.AppendPadded(value, hexadecimal ? 1 : 2).Append('/').AppendPadded(KeySchemas.Read(part, bits[offset..]), hexadecimal ? 8 : 2);
            }
        }
    }
}
