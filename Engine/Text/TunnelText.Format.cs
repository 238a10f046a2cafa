using System.Buffers.Binary;
using System.Text;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Text;

// Printing.
internal static partial class TunnelText
{
    /// <summary>Appends what stands between the parentheses.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="attribute">The schema of the tunnel attribute.</param>
    /// <param name="key">Payload.</param>
    /// <param name="mask">Payload of the mask.</param>
    /// <param name="hasMask">Whether there is a mask; if not, everything is exact.</param>
    /// <param name="verbose">Whether parts that are not matched are shown too.</param>
    public static void Append(StringBuilder text, KeyAttributeSchema attribute, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask, bool hasMask, bool verbose)
    {
        uint flags = 0;
        uint flagMask = 0;
        int start = text.Length;
        Span<byte> noMask = stackalloc byte[TunnelOptions.Length];
        noMask.Clear();
        foreach (NetlinkAttribute field in new NetlinkAttributes(key))
        {
            scoped ReadOnlySpan<byte> fieldMask = default;
            if (hasMask && !TryFind(mask, field.Type, out fieldMask))
            {
                fieldMask = noMask[..Math.Min(field.Payload.Length, noMask.Length)];
            }

            switch ((OvsTunnelKeyAttribute)field.Type)
            {
                case OvsTunnelKeyAttribute.DontFragment:
                    flags |= DontFragmentFlag;
                    break;
                case OvsTunnelKeyAttribute.Checksum:
                    flags |= ChecksumFlag;
                    break;
                case OvsTunnelKeyAttribute.Oam:
                    flags |= OamFlag;
                    break;
                case OvsTunnelKeyAttribute.Padding:
                    break;
                case OvsTunnelKeyAttribute.GeneveOptions:
                    Separate(text, start).Append("geneve(");
                    AppendGeneve(text, field.Payload, fieldMask, hasMask, verbose);
                    text.Append(')');
                    break;
                case OvsTunnelKeyAttribute.VxlanOptions:
                    Separate(text, start).Append("vxlan(");
                    AppendVxlan(text, field.Payload, fieldMask, hasMask, verbose);
                    text.Append(')');
                    break;
                case OvsTunnelKeyAttribute.ErspanOptions:
                    Separate(text, start).Append("erspan(");
                    AppendErspan(text, field.Payload, fieldMask, hasMask, verbose);
                    text.Append(')');
                    break;
                default:
                    if (field.Type == (int)OvsTunnelKeyAttribute.Id)
                    {
                        flags |= KeyFlag;
                        flagMask |= KeyFlag;
                    }

                    AppendPart(text, start, attribute, field, fieldMask, hasMask, verbose);
                    break;
            }
        }

        // A flag that is matched as clear is in the mask only.
        foreach (NetlinkAttribute field in new NetlinkAttributes(mask))
        {
            flagMask |= (OvsTunnelKeyAttribute)field.Type switch
            {
                OvsTunnelKeyAttribute.DontFragment => DontFragmentFlag,
                OvsTunnelKeyAttribute.Checksum => ChecksumFlag,
                OvsTunnelKeyAttribute.Oam => OamFlag,
                _ => 0,
            };
        }

        if (verbose || !hasMask || flagMask != 0)
        {
            Separate(text, start).Append("flags(");
            FlagText.Tunnel.AppendMasked(text, flags, hasMask ? flagMask : FlagText.Tunnel.All, FlagText.Tunnel.All);
            text.Append(')');
        }
    }

    private static StringBuilder Separate(StringBuilder text, int start) => text.Length > start ? text.Append(',') : text;

    private static void AppendPart(
        StringBuilder text, int start, KeyAttributeSchema attribute, NetlinkAttribute field, scoped ReadOnlySpan<byte> mask, bool hasMask, bool verbose)
    {
        foreach (KeyPartSchema part in attribute.Parts)
        {
            if (part.NestedAttribute != field.Type || field.Payload.Length != part.PayloadSize || (hasMask && mask.Length != part.PayloadSize))
            {
                continue;
            }

            if (verbose || !hasMask || !KeyValueText.IsWildcard(part, mask))
            {
                Separate(text, start).Append(part.Name).Append('=');
                if (field.Type == (int)OvsTunnelKeyAttribute.Id && KeyValueText.IsAll(field.Payload, 0))
                {
                    // Only here Open vSwitch writes 0x0.
                    text.Append("0x");
                }

                KeyValueText.Append(text, part, field.Payload, hasMask ? mask : default, null);
            }

            return;
        }

        Separate(text, start).Append("key").Append(field.Type).Append('(').AppendBytes(field.Payload, ' ');
        if (hasMask && !KeyValueText.IsAll(mask, 0xff))
        {
            text.Append('/').AppendBytes(mask, ' ');
        }

        text.Append(')');
    }

    private static void AppendVxlan(StringBuilder text, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask, bool hasMask, bool verbose)
    {
        int start = text.Length;
        foreach (NetlinkAttribute extension in new NetlinkAttributes(key))
        {
            if (extension.Type != VxlanGbp || extension.Payload.Length != 4)
            {
                Separate(text, start).Append("key").Append(extension.Type).Append('(').AppendBytes(extension.Payload, ' ').Append(')');
                continue;
            }

            uint value = BinaryPrimitives.ReadUInt32LittleEndian(extension.Payload);
            uint bits = hasMask && TryFind(mask, VxlanGbp, out ReadOnlySpan<byte> maskBytes) && maskBytes.Length == 4
                ? BinaryPrimitives.ReadUInt32LittleEndian(maskBytes)
                : hasMask ? 0 : uint.MaxValue;
            Separate(text, start).Append("gbp(");
            int inner = text.Length;
            AppendNumber(text, inner, "id", value & 0xffff, bits & 0xffff, 0xffff, verbose, hexadecimal: false);
            AppendNumber(text, inner, "flags", value >> 16 & 0xff, bits >> 16 & 0xff, 0xff, verbose, hexadecimal: true);
            text.Append(')');
        }
    }

    private static void AppendErspan(StringBuilder text, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask, bool hasMask, bool verbose)
    {
        if (key.Length != ErspanSize || (hasMask && mask.Length != ErspanSize))
        {
            text.AppendBytes(key, ' ');
            return;
        }

        int start = text.Length;
        int version = BinaryPrimitives.ReadInt32LittleEndian(key);
        AppendNumber(text, start, "ver", key[0], hasMask ? mask[0] : 0xffu, 0xff, verbose, hexadecimal: false);
        if (version == 1)
        {
            Separate(text, start).Append("idx=").AppendNumber(BinaryPrimitives.ReadUInt32BigEndian(key[4..]));
            if (hasMask)
            {
                text.Append('/').AppendNumber(BinaryPrimitives.ReadUInt32BigEndian(mask[4..]));
            }
        }
        else if (version == 2)
        {
            // Open vSwitch takes a mask for full only when it has 8 bits, which these have not, and shows the low 4 bits of hwid.
            uint upper = key[10] & 3u;
            uint hardware = (uint)(key[11] >> 4) | (upper << 4);
            uint hardwareMask = hasMask ? (uint)(mask[11] >> 4) | (upper == 0 ? 0 : (mask[10] & 3u) << 4) : 0xff;
            AppendNumber(text, start, "dir", (uint)(key[11] >> 3) & 1, hasMask ? (uint)(mask[11] >> 3) & 1 : 0xff, 0xff, verbose, hexadecimal: false);
            AppendNumber(text, start, "hwid", hardware, hardwareMask, 0xff, verbose, hexadecimal: true);
        }
    }

    private static void AppendGeneve(StringBuilder text, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> mask, bool hasMask, bool verbose)
    {
        if (hasMask && mask.Length != key.Length)
        {
            text.Append("value len ").Append(key.Length).Append(" different from mask len ").Append(mask.Length);
            return;
        }

        while (!key.IsEmpty)
        {
            if (key.Length < GeneveHeader)
            {
                text.Append("opt len ").Append(key.Length).Append(" less than minimum ").Append(GeneveHeader);
                return;
            }

            int dataLength = (key[3] & 0x1f) * 4;
            int size = GeneveHeader + dataLength;
            if (size > key.Length)
            {
                text.Append("opt len ").Append(size).Append(" greater than remaining ").Append(key.Length);
                return;
            }

            text.Append('{');
            int start = text.Length;
            uint lengthMask = !hasMask || (mask[3] & 0x1f) == 0x1f ? 0xffu : mask[3] & 0x1fu;
            AppendNumber(
                text, start, "class", BinaryPrimitives.ReadUInt16BigEndian(key), hasMask ? BinaryPrimitives.ReadUInt16BigEndian(mask) : 0xffffu, 0xffff, verbose, true);
            AppendNumber(text, start, "type", key[2], hasMask ? mask[2] : 0xffu, 0xff, verbose, hexadecimal: true);
            AppendNumber(text, start, "len", (uint)dataLength, lengthMask, 0xff, verbose, hexadecimal: false);
            ReadOnlySpan<byte> dataMask = hasMask ? mask[GeneveHeader..size] : default;
            if (dataLength > 0 && (verbose || !hasMask || !KeyValueText.IsAll(dataMask, 0)))
            {
                Separate(text, start).AppendBigEndian(key[GeneveHeader..size]);
                if (hasMask && !KeyValueText.IsAll(dataMask, 0xff))
                {
                    text.Append('/').AppendBigEndian(dataMask);
                }
            }

            text.Append('}');
            key = key[size..];
            mask = hasMask ? mask[size..] : mask;
        }
    }

    private static void AppendNumber(
        StringBuilder text, int start, string name, uint value, uint mask, uint fullMask, bool verbose, bool hexadecimal)
    {
        if (!verbose && mask == 0)
        {
            return;
        }

        Separate(text, start).Append(name).Append('=');
        if (hexadecimal)
        {
            text.AppendNumber(value);
        }
        else
        {
            text.Append(value);
        }

        if (mask != fullMask)
        {
            text.Append('/').AppendNumber(mask);
        }
    }
}
