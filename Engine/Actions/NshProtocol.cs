using System.Buffers.Binary;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Actions;

/// <summary>The next protocols of NSH (RFC 8300 section 2.2) and the header that push_nsh writes.</summary>
internal static class NshProtocol
{
    public const int BaseSize = 8;
    public const int MaximumHeaderSize = 256;
    public const ushort EtherType = 0x894f;
    public const byte Ethernet = 3;

    private const int ContextSize = 16;
    private const int MaximumWords = 0x3f;

    /// <summary>The next protocol for an Ethernet type in host order; 0 when NSH has none for it.</summary>
    public static byte FromEtherType(ushort etherType) => etherType switch
    {
        0x0800 => 1,
        0x86dd => 2,
        0x6558 => Ethernet,
        EtherType => 4,
        0x8847 => 5,
        _ => 0,
    };

    /// <summary>The Ethernet type for a next protocol; 0 when it is not known.</summary>
    public static ushort ToEtherType(byte nextProtocol) => nextProtocol switch
    {
        1 => 0x0800,
        2 => 0x86dd,
        Ethernet => 0x6558,
        4 => EtherType,
        5 => 0x8847,
        _ => 0,
    };

    /// <summary>Checks the arguments of push_nsh and writes the header, but for the next protocol, which depends on the packet.</summary>
    /// <param name="action">The action: one OVS_KEY_ATTR_NSH that holds OVS_NSH_KEY_ATTR_*.</param>
    /// <param name="header">At least <see cref="MaximumHeaderSize"/> bytes.</param>
    /// <param name="size">Bytes of the header: its own length field, so a multiple of 4.</param>
    public static Refusal TryBuild(in NetlinkAttribute action, Span<byte> header, out int size)
    {
        size = 0;
        NetlinkAttributes outer = action.Nested;
        if (!outer.MoveNext() || outer.Current.Type != (int)OvsKeyAttribute.Nsh || !SetFieldArguments.FillsExactly(action.Payload, outer.Current.Payload))
        {
            return Refusal.Invalid("Push_nsh holds one nsh attribute", action.Offset);
        }

        header.Clear();
        bool hasBase = false, hasMd1 = false, hasMd2 = false;
        int metadataLength = 0;
        byte metadataType = 0, flags = 0, ttl = 0;
        NetlinkAttributes walk = outer.Current.Nested;
        while (walk.MoveNext())
        {
            ReadOnlySpan<byte> payload = walk.Current.Payload;
            switch ((OvsNshKeyAttribute)walk.Current.Type)
            {
                case OvsNshKeyAttribute.Base when payload.Length == BaseSize:
                    hasBase = true;
                    flags = payload[0];
                    ttl = payload[1];
                    metadataType = payload[2];
                    header[2] = payload[2];
                    header[3] = payload[3];
                    payload[4..8].CopyTo(header[4..]);
                    break;
                case OvsNshKeyAttribute.Md1 when payload.Length == ContextSize:
                    hasMd1 = true;
                    metadataLength = payload.Length;
                    payload.CopyTo(header[BaseSize..]);
                    break;
                case OvsNshKeyAttribute.Md2 when payload.Length is > 0 and <= MaximumHeaderSize - BaseSize:
                    hasMd2 = true;
                    metadataLength = payload.Length;
                    payload.CopyTo(header[BaseSize..]);
                    break;
                default:
                    return Refusal.Invalid($"Nsh attribute {walk.Current.Type} is not known or has a wrong length", walk.Current.Offset);
            }
        }

        if (walk.Remaining > 0 || !hasBase || hasMd1 == hasMd2 || metadataType != (hasMd1 ? 1 : 2))
        {
            return Refusal.Invalid("Push_nsh needs a base and the metadata of its type, and nothing else", action.Offset);
        }

        // Version 0, O and reserved bit, TTL 6 bits, length 6 bits in 4-byte words.
        // With 248 bytes of metadata the length wraps to 0. The kernel accepts that, and pushes a header of no bytes.
        int words = ((BaseSize + metadataLength) >> 2) & MaximumWords;
        BinaryPrimitives.WriteUInt16BigEndian(header, (ushort)(((flags << 12) & 0x3000) | ((ttl << 6) & 0x0fc0) | words));
        size = words << 2;
        return Refusal.None;
    }
}
