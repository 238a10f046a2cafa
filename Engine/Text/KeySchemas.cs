using Engine.Annotations;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Text;

/// <summary>Looks up <see cref="FlowKeySchema"/>, and knows where the text form departs from it.</summary>
internal static class KeySchemas
{
    private static readonly KeyAttributeSchema?[] ByNumber = IndexByNumber();
    private static readonly KeyPartSchema[][] PartsByNumber = OrderParts();

    /// <summary>The attribute of this number, null if the key has none.</summary>
    public static KeyAttributeSchema? Find(int attribute) => attribute >= 0 && attribute < ByNumber.Length ? ByNumber[attribute] : null;

    /// <summary>The attribute whose text starts here, with its opening parenthesis; null if none does. Does not move.</summary>
    public static KeyAttributeSchema? FindHere(in TextCursor cursor)
    {
        ReadOnlySpan<char> word = cursor.PeekWord();
        ReadOnlySpan<char> rest = cursor.Rest;
        if (word.IsEmpty || rest.Length == word.Length || rest[word.Length] != '(')
        {
            return null;
        }

        foreach (KeyAttributeSchema attribute in FlowKeySchema.Attributes)
        {
            if (word.Equals(attribute.Name.AsSpan(), StringComparison.Ordinal))
            {
                return attribute;
            }
        }

        return null;
    }

    /// <summary>The parts in the order in which Open vSwitch prints them: that of the payload, but ports last.</summary>
    public static KeyPartSchema[] PartsInTextOrder(KeyAttributeSchema attribute) => PartsByNumber[(int)attribute.Attribute];

    /// <summary>Whether the text of the attribute is its bytes: Open vSwitch 3.1 does not know it.</summary>
    public static bool IsRaw(KeyAttributeSchema attribute) => attribute.Attribute == OvsKeyAttribute.Ipv6ExtensionHeaders;

    /// <summary>The name of a part that Open vSwitch prints, which for ct_tuple6 is not the one it reads.</summary>
    public static string PrintedName(KeyAttributeSchema attribute, KeyPartSchema part)
    {
        if (attribute.Attribute != OvsKeyAttribute.ConntrackOriginalIpv6)
        {
            return part.Name;
        }

        return part.Name switch
        {
            "tp_src" => "src_port",
            "tp_dst" => "dst_port",
            _ => part.Name,
        };
    }

    /// <summary>Bits of a part in text.</summary>
    public static int Bits(KeyPartSchema part) => part.Bits == part.FieldSize * 8 ? part.PayloadSize * 8 : part.Bits;

    /// <summary>The mask of a part that is matched exactly. The flow label has 20 bits in a field of 32.</summary>
    public static ulong ExactMask(KeyPartSchema part) =>
        part.FieldName == nameof(FlowKey.Ipv6Label) ? 0xfffff : ulong.MaxValue >> (64 - Bits(part));

    /// <summary>Whether the part is a number, of up to 8 bytes.</summary>
    public static bool IsNumber(KeyPartSchema part) => part.Format
        is not (KeyFormat.EthernetAddress or KeyFormat.Ipv4Address or KeyFormat.Ipv6Address or KeyFormat.ConntrackLabels or KeyFormat.TunnelOptions);

    /// <summary>Reads a part that is a number from a payload.</summary>
    public static ulong Read(KeyPartSchema part, ReadOnlySpan<byte> payload)
    {
        ulong value = ReadWhole(part, payload.Slice(part.PayloadOffset, part.PayloadSize));
        return (value >> part.Shift) & (ulong.MaxValue >> (64 - Bits(part)));
    }

    /// <summary>Writes a part that is a number into a payload; the bits around it stay.</summary>
    public static void Write(KeyPartSchema part, Span<byte> payload, ulong value)
    {
        Span<byte> bytes = payload.Slice(part.PayloadOffset, part.PayloadSize);
        ulong bits = (ulong.MaxValue >> (64 - Bits(part))) << part.Shift;
        value = (ReadWhole(part, bytes) & ~bits) | ((value << part.Shift) & bits);
        bool networkOrder = IsNetworkOrder(part);
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[networkOrder ? bytes.Length - 1 - i : i] = (byte)value;
            value >>= 8;
        }
    }

    private static ulong ReadWhole(KeyPartSchema part, ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        bool networkOrder = IsNetworkOrder(part);
        for (int i = 0; i < bytes.Length; i++)
        {
            value = (value << 8) | bytes[networkOrder ? i : bytes.Length - 1 - i];
        }

        return value;
    }

    // Host order is little-endian, as for all netlink bytes here. A field that the payload widens is a byte: of the ARP
    // operation, in network order, or of the conntrack state, in host order.
    private static bool IsNetworkOrder(KeyPartSchema part) =>
        part.PayloadSize == part.FieldSize ? part.IsFieldNetworkOrder : part.Format != KeyFormat.ConntrackState;

    private static KeyPartSchema[][] OrderParts()
    {
        KeyPartSchema[][] ordered = new KeyPartSchema[ByNumber.Length][];
        foreach (KeyAttributeSchema attribute in FlowKeySchema.Attributes)
        {
            ordered[(int)attribute.Attribute] =
            [
                .. attribute.Parts.Where(static part => !part.Name.StartsWith("tp_", StringComparison.Ordinal)),
                .. attribute.Parts.Where(static part => part.Name.StartsWith("tp_", StringComparison.Ordinal)),
            ];
        }

        return ordered;
    }

    private static KeyAttributeSchema?[] IndexByNumber()
    {
        KeyAttributeSchema?[] index = new KeyAttributeSchema?[64];
        foreach (KeyAttributeSchema attribute in FlowKeySchema.Attributes)
        {
            index[(int)attribute.Attribute] = attribute;
        }

        return index;
    }
}
