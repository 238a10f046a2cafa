using System.Buffers.Binary;
using System.Text;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Text;

// Printing.
public static partial class FlowText
{
    private static void AppendLevel(StringBuilder text, ReadOnlySpan<byte> key, ReadOnlySpan<byte> mask, bool hasMask, bool verbose, IPortNames? ports, int depth)
    {
        int start = text.Length;
        bool hasEtherType = false;
        NetlinkAttributes attributes = new(key);
        while (attributes.MoveNext())
        {
            NetlinkAttribute attribute = attributes.Current;
            hasEtherType |= attribute.Type == (int)OvsKeyAttribute.EtherType;
            AppendAttribute(text, start, attribute, mask, hasMask, verbose, ports, depth);
        }

        if (attributes.Remaining > 0)
        {
            text.Append(text.Length == start ? "<empty>" : "").Append(",***").Append(attributes.Remaining).Append(" leftover bytes*** (")
                .AppendBytes(key[(key.Length - attributes.Remaining)..]).Append(')');
        }

        if (!hasEtherType && TunnelText.TryFind(mask, (int)OvsKeyAttribute.EtherType, out ReadOnlySpan<byte> typeMask) && typeMask.Length == 2)
        {
            Separate(text, start).Append("eth_type(0/").AppendPadded(BinaryPrimitives.ReadUInt16BigEndian(typeMask), 4).Append(')');
        }
    }

    private static void AppendAttribute(
        StringBuilder text, int start, NetlinkAttribute attribute, ReadOnlySpan<byte> mask, bool hasMask, bool verbose, IPortNames? ports, int depth)
    {
        ReadOnlySpan<byte> payload = attribute.Payload;
        bool hasOwnMask = TunnelText.TryFind(mask, attribute.Type, out ReadOnlySpan<byte> own);
        KeyAttributeSchema? schema = KeySchemas.Find(attribute.Type);
        if (schema is { IsNested: true } && depth < TextCursor.MaximumDepth)
        {
            Separate(text, start).Append(schema.Name).Append('(');
            switch (schema.Attribute)
            {
                case OvsKeyAttribute.Encap:
                    // The names of ports are not of use inside.
                    if (!payload.IsEmpty)
                    {
                        AppendLevel(text, payload, own, hasMask && !(hasOwnMask && own.IsEmpty), verbose, null, depth + 1);
                    }

                    break;
                case OvsKeyAttribute.Tunnel:
                    TunnelText.Append(text, schema, payload, own, hasMask, verbose);
                    break;
                default:
                    NshText.Append(text, payload, own, hasMask);
                    break;
            }

            text.Append(')');
            return;
        }

        bool isRaw = schema is null or { IsNested: true } || KeySchemas.IsRaw(schema);
        if (!isRaw && !schema!.IsArray && (payload.Length != schema.Size || (hasOwnMask && own.Length != schema.Size)))
        {
            AppendBadLength(text, start, schema, payload, own, hasOwnMask);
            return;
        }

        bool isWildcard = hasMask && (!hasOwnMask || (!isRaw && KeyAttributeText.IsWildcard(schema!, own)));
        if (isWildcard && !verbose)
        {
            if (attribute.Type == (int)OvsKeyAttribute.Ethernet)
            {
                // Without it the key would be one of a packet without Ethernet header.
                Separate(text, start).Append("eth()");
            }

            return;
        }

        byte[] none = hasMask && !hasOwnMask ? new byte[payload.Length] : [];
        ReadOnlySpan<byte> shown = hasMask && !hasOwnMask ? none : own;
        Separate(text, start);
        if (isRaw)
        {
            text.Append("key").Append(attribute.Type).Append('(').AppendBytes(payload, ' ');
            if (hasMask)
            {
                text.Append('/').AppendBytes(shown, ' ');
            }

            text.Append(')');
        }
        else if (schema!.IsArray && !CanPair(payload, shown, schema.Size))
        {
            KeyAttributeText.AppendBadArray(text, schema, payload.Length, shown.Length);
        }
        else
        {
            KeyAttributeText.Append(text, schema, payload, shown, verbose, ports);
        }
    }

    // Whether elements can be printed beside their masks. A mask that is all ones, or nothing, is not printed.
    private static bool CanPair(ReadOnlySpan<byte> elements, ReadOnlySpan<byte> masks, int size) =>
        elements.Length > 0 && elements.Length % size == 0 && (elements.Length == masks.Length || KeyValueText.IsAll(masks, 0xff));

    private static void AppendBadLength(
        StringBuilder text, int start, KeyAttributeSchema schema, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> mask, bool hasOwnMask)
    {
        Separate(text, start).Append(schema.Name).Append("(bad length ").Append(payload.Length);
        if (hasOwnMask && mask.Length != payload.Length)
        {
            text.Append('/').Append(mask.Length);
        }

        text.Append(", expected ").Append(schema.Size).Append(": ").AppendBytes(payload, ' ').Append(')');
    }

    private static StringBuilder Separate(StringBuilder text, int start) => text.Length > start ? text.Append(',') : text;
}
