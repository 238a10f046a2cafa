using System.Buffers;
using System.Runtime.InteropServices;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Flows;

// The netlink form of keys and masks: entry points, and the rules that the declaration does not hold. What it holds is generated.
public partial struct FlowKey
{
    internal const int NestedPayload = -1;
    internal const int RefusedPayload = -3;

    private const ushort EtherTypeLlc = 0x0004;
    private const ushort EtherTypeVlan = 0x8100;
    private const ushort EtherTypeServiceVlan = 0x88a8;
    private const ushort EtherTypeMinimum = 0x0600;
    private const ushort VlanPresent = 0x1000;
    internal const byte MacProtocolEthernet = 1;

    private const ulong AlwaysAllowedInMask =
        (1UL << (int)OvsKeyAttribute.Tunnel) | (1UL << (int)OvsKeyAttribute.InPort) | (1UL << (int)OvsKeyAttribute.EtherType);

    /// <summary>Parses OVS_FLOW_ATTR_KEY alone, as the kernel does to look a flow up by its key (<c>ovs_nla_get_match</c> without a mask).</summary>
    /// <param name="keyAttributes">Payload of OVS_FLOW_ATTR_KEY.</param>
    /// <param name="key">The key; undefined when refused.</param>
    public static Refusal TryParseNetlink(ReadOnlySpan<byte> keyAttributes, out FlowKey key)
    {
        KeyAttributeSet attributes = default;
        Refusal refusal = ParseKey(ref attributes, keyAttributes, out key, out ulong present);
        return refusal.IsRefused ? refusal : ValidateMatch(in key, default, present, 0);
    }

    /// <summary>Parses OVS_FLOW_ATTR_KEY of a flow without OVS_FLOW_ATTR_MASK: the mask matches exactly what the key has.</summary>
    /// <param name="keyAttributes">Payload of OVS_FLOW_ATTR_KEY.</param>
    /// <param name="key">The key, not masked; undefined when refused.</param>
    /// <param name="mask">The mask; undefined when refused.</param>
    public static Refusal TryParseNetlinkExact(ReadOnlySpan<byte> keyAttributes, out FlowKey key, out FlowKey mask)
    {
        KeyAttributeSet attributes = default;
        mask = default;
        Refusal refusal = ParseKey(ref attributes, keyAttributes, out key, out ulong present);
        if (refusal.IsRefused)
        {
            return refusal;
        }

        if (key.TunnelProtocol != 0)
        {
            // User space leaves out tunnel attributes that are zero; they are matched nonetheless.
            mask.MatchTunnelExactly(in key);
        }

        // The mask is the key's attributes with every bit set, so that padding and what the key lacks stay zero.
        byte[] ones = ArrayPool<byte>.Shared.Rent(keyAttributes.Length);
        Span<byte> maskAttributes = ones.AsSpan(0, keyAttributes.Length);
        keyAttributes.CopyTo(maskAttributes);
        SetOnes(maskAttributes, NestingOf.Key);
        refusal = ParseMask(ref attributes, maskAttributes, in key, present, ref mask);
        ArrayPool<byte>.Shared.Return(ones);
        return refusal;
    }

    /// <summary>Parses OVS_FLOW_ATTR_KEY and OVS_FLOW_ATTR_MASK of a flow (<c>ovs_nla_get_match</c>).</summary>
    /// <param name="keyAttributes">Payload of OVS_FLOW_ATTR_KEY.</param>
    /// <param name="maskAttributes">Payload of OVS_FLOW_ATTR_MASK; may be empty, which wildcards all but what is always matched.</param>
    /// <param name="key">The key, not masked; undefined when refused.</param>
    /// <param name="mask">The mask; undefined when refused.</param>
    public static Refusal TryParseNetlink(ReadOnlySpan<byte> keyAttributes, ReadOnlySpan<byte> maskAttributes, out FlowKey key, out FlowKey mask)
    {
        KeyAttributeSet attributes = default;
        mask = default;
        Refusal refusal = ParseKey(ref attributes, keyAttributes, out key, out ulong present);
        return refusal.IsRefused ? refusal : ParseMask(ref attributes, maskAttributes, in key, present, ref mask);
    }

    /// <summary>Parses the metadata of OVS_PACKET_ATTR_KEY in OVS_PACKET_CMD_EXECUTE (<c>ovs_nla_get_flow_metadata</c>); header attributes are ignored.</summary>
    /// <param name="keyAttributes">Payload of OVS_PACKET_ATTR_KEY.</param>
    /// <param name="key">A key with metadata only; undefined when refused. For a packet without Ethernet header, EtherType is set.</param>
    /// <param name="present">Bit n is set when attribute n was there; for <see cref="CheckMetadata"/>.</param>
    public static Refusal TryParseMetadata(ReadOnlySpan<byte> keyAttributes, out FlowKey key, out ulong present)
    {
        key = default;
        KeyAttributeSet attributes = default;
        Refusal refusal = attributes.Read(keyAttributes, isMask: false);
        present = attributes.Present;
        if (!refusal.IsRefused)
        {
            refusal = ParseMetadata(ref attributes, isMask: false, in key, ref key);
        }

        key.Segments = key.FindSegments();
        return refusal;
    }

    /// <summary>After extraction of the packet: whether the conntrack tuple that came as metadata goes with its headers.</summary>
    /// <param name="key">The key with headers extracted.</param>
    /// <param name="present">From <see cref="TryParseMetadata"/>.</param>
    public static Refusal CheckMetadata(in FlowKey key, ulong present)
    {
        int etherType = key.EtherType.Value;
        if (((present >> (int)OvsKeyAttribute.ConntrackOriginalIpv4) & 1) != 0 && etherType != 0x0800)
        {
            return Refusal.Invalid("ct_tuple4 came with a packet that is not IPv4");
        }

        return ((present >> (int)OvsKeyAttribute.ConntrackOriginalIpv6) & 1) != 0 && (etherType != 0x86dd || key.IsNeighborDiscovery())
            ? Refusal.Invalid("ct_tuple6 came with a packet that is not IPv6, or is neighbour discovery")
            : Refusal.None;
    }

    /// <summary>Copies the payload of one attribute (of a set or set_masked action) into the fields that carry it; the other fields stay.</summary>
    /// <param name="attribute">The attribute.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="isMask">Whether it is a mask: values are then not checked.</param>
    /// <param name="key">The key written to. <see cref="Segments"/> is brought up to date.</param>
    public static Refusal TryParseAttribute(OvsKeyAttribute attribute, ReadOnlySpan<byte> payload, bool isMask, ref FlowKey key)
    {
        if ((uint)attribute > MaximumAttribute || PayloadLength((int)attribute) == RefusedPayload)
        {
            return Refusal.Invalid("Key attribute is unknown");
        }

        int expected = PayloadLength((int)attribute);
        if (expected >= 0 && payload.Length != expected)
        {
            return Refusal.Invalid($"Key attribute {AttributeName((int)attribute)} has {payload.Length} bytes instead of {expected}");
        }

        Refusal refusal = attribute == OvsKeyAttribute.EtherType
            ? ParseEtherType(payload, 0, isMask, ref key)
            : ParseAttribute(attribute, payload, 0, isMask, ref key);
        key.Segments = key.FindSegments();
        return refusal;
    }

    internal static int PayloadLength(int attribute) => PayloadLengths[attribute];

    internal readonly bool IsNeighborDiscovery() =>
        EtherType.Value == 0x86dd && IpProtocol == 58 && IpFragment != 2 && TransportSource.Value is 135 or 136;

    private static Refusal ParseKey(ref KeyAttributeSet attributes, ReadOnlySpan<byte> bytes, out FlowKey key, out ulong present)
    {
        key = default;
        Refusal refusal = attributes.Read(bytes, isMask: false);
        if (!refusal.IsRefused)
        {
            refusal = ParseTags(ref attributes, isMask: false, in key, ref key);
        }

        present = attributes.Present;
        if (!refusal.IsRefused)
        {
            refusal = ParseAll(ref attributes, isMask: false, in key, ref key);
        }

        key.Segments = key.FindSegments();
        return refusal;
    }

    private static Refusal ParseMask(ref KeyAttributeSet attributes, ReadOnlySpan<byte> bytes, in FlowKey key, ulong keyPresent, ref FlowKey mask)
    {
        Refusal refusal = attributes.Read(bytes, isMask: true);
        if (refusal.IsRefused)
        {
            return refusal;
        }

        // Whether there is a tag always matters.
        mask.VlanTci = 0xffff;
        mask.InnerVlanTci = 0xffff;
        refusal = ParseTags(ref attributes, isMask: true, in key, ref mask);
        ulong present = attributes.Present;
        if (!refusal.IsRefused)
        {
            refusal = ParseAll(ref attributes, isMask: true, in key, ref mask);
        }

        mask.Segments = mask.FindSegments();
        return refusal.IsRefused ? refusal : ValidateMatch(in key, in mask, keyPresent, present);
    }

    private static Refusal ParseTags(ref KeyAttributeSet attributes, bool isMask, in FlowKey key, ref FlowKey target)
    {
        Refusal refusal = ParseTag(ref attributes, isMask, isInner: false, in key, ref target);
        return refusal.IsRefused || (key.VlanTci.Value & VlanPresent) == 0
            ? refusal
            : ParseTag(ref attributes, isMask, isInner: true, in key, ref target);
    }

    // A tag: TPID, TCI and, in their place, the attributes inside.
    private static Refusal ParseTag(ref KeyAttributeSet attributes, bool isMask, bool isInner, in FlowKey key, ref FlowKey target)
    {
        ushort tpid = attributes.PayloadBe16(OvsKeyAttribute.EtherType);
        ushort tci = attributes.PayloadBe16(OvsKeyAttribute.Vlan);
        if (isMask)
        {
            if (!attributes.Has(OvsKeyAttribute.Encap))
            {
                return Refusal.None;
            }

            if (((isInner ? key.InnerVlanTci : key.VlanTci).Value & VlanPresent) == 0)
            {
                return Refusal.Invalid("Mask has encap but the key has no VLAN tag there");
            }

            if (tpid != 0xffff)
            {
                return Refusal.Invalid("Mask must match the eth_type of a VLAN tag exactly");
            }

            if ((tci & VlanPresent) == 0)
            {
                return Refusal.Invalid("Mask must match the CFI bit of a vlan exactly");
            }
        }
        else
        {
            if (!attributes.Has(OvsKeyAttribute.Ethernet) || !attributes.Has(OvsKeyAttribute.EtherType) || !IsVlan(tpid))
            {
                return Refusal.None;
            }

            if (!attributes.Has(OvsKeyAttribute.Vlan) || !attributes.Has(OvsKeyAttribute.Encap))
            {
                return Refusal.Invalid("Key of a VLAN frame lacks vlan or encap");
            }

            if ((tci & VlanPresent) == 0)
            {
                if (tci != 0)
                {
                    return Refusal.Invalid("Key has a vlan without the CFI bit");
                }

                // All zero stands for a frame that ends in its tag.
                if (!attributes.Payload(OvsKeyAttribute.Encap, out int at).IsEmpty)
                {
                    return Refusal.Invalid("Key of a cut VLAN tag has a nonempty encap", at);
                }
            }
        }

        if (isInner)
        {
            target.InnerVlanTpid = tpid;
            target.InnerVlanTci = tci;
        }
        else
        {
            target.VlanTpid = tpid;
            target.VlanTci = tci;
        }

        attributes.Remove(OvsKeyAttribute.Encap);
        attributes.Remove(OvsKeyAttribute.Vlan);
        attributes.Remove(OvsKeyAttribute.EtherType);
        return attributes.ReadNested(OvsKeyAttribute.Encap, isMask);
    }

    private static Refusal ParseAll(ref KeyAttributeSet attributes, bool isMask, in FlowKey key, ref FlowKey target)
    {
        Refusal refusal = ParseMetadata(ref attributes, isMask, in key, ref target);
        if (!refusal.IsRefused)
        {
            refusal = ParseLink(ref attributes, isMask, in key, ref target);
        }

        if (!refusal.IsRefused)
        {
            refusal = ParseHeadersAttributes(ref attributes, isMask, in key, ref target);
        }

        return refusal.IsRefused || attributes.Present == 0
            ? refusal
            : Refusal.Invalid($"{(isMask ? "Mask" : "Key")} has {Names(attributes.Present)} where the kernel does not take it");
    }

    private static Refusal ParseMetadata(ref KeyAttributeSet attributes, bool isMask, in FlowKey key, ref FlowKey target)
    {
        if (!isMask)
        {
            target.InPort = NoInPort;
        }

        Refusal refusal = ParseMetadataAttributes(ref attributes, isMask, in key, ref target);
        if (refusal.IsRefused)
        {
            return refusal;
        }

        // A packet without an Ethernet header gives its type as metadata. The distinction always matters.
        bool isLayer3 = !attributes.Has(OvsKeyAttribute.Ethernet) && attributes.Has(OvsKeyAttribute.EtherType);
        target.MacProtocol = isMask ? (byte)0xff : isLayer3 ? (byte)0 : MacProtocolEthernet;
        return isLayer3 ? TakeEtherType(ref attributes, isMask, ref target) : Refusal.None;
    }

    private static Refusal ParseLink(ref KeyAttributeSet attributes, bool isMask, in FlowKey key, ref FlowKey target)
    {
        if (!attributes.TryTake(OvsKeyAttribute.Ethernet, out ReadOnlySpan<byte> payload, out int offset))
        {
            return key.EtherType.Raw == 0 ? Refusal.Invalid("Key has neither eth nor eth_type") : Refusal.None;
        }

        Refusal refusal = ParseEthernet(payload, offset, isMask, ref target);
        if (refusal.IsRefused)
        {
            return refusal;
        }

        if (attributes.Has(OvsKeyAttribute.Vlan))
        {
            return Refusal.Invalid($"{(isMask ? "Mask" : "Key")} has a vlan that belongs to no VLAN frame");
        }

        if (attributes.Has(OvsKeyAttribute.EtherType))
        {
            return TakeEtherType(ref attributes, isMask, ref target);
        }

        if (!isMask)
        {
            target.EtherType = EtherTypeLlc;
        }

        return Refusal.None;
    }

    private static Refusal TakeEtherType(ref KeyAttributeSet attributes, bool isMask, ref FlowKey target)
    {
        attributes.TryTake(OvsKeyAttribute.EtherType, out ReadOnlySpan<byte> payload, out int offset);
        return ParseEtherType(payload, offset, isMask, ref target);
    }

    private static Refusal ParseEtherType(ReadOnlySpan<byte> payload, int offset, bool isMask, ref FlowKey target)
    {
        Be16 etherType = MemoryMarshal.Read<Be16>(payload);
        if (isMask)
        {
            // Matched exactly or not at all.
            etherType = 0xffff;
        }
        else if (etherType.Value < EtherTypeMinimum)
        {
            return Refusal.Invalid($"eth_type 0x{etherType.Value:x4} is less than 0x{EtherTypeMinimum:x4}", offset);
        }

        target.EtherType = etherType;
        return Refusal.None;
    }

    private static Refusal ParseInPort(ReadOnlySpan<byte> payload, int offset, bool isMask, in FlowKey key, ref FlowKey target)
    {
        uint port = MemoryMarshal.Read<uint>(payload);
        if (isMask)
        {
            // Matched exactly or not at all.
            port = uint.MaxValue;
        }
        else if (port >= NoInPort)
        {
            return Refusal.Invalid($"in_port {port} exceeds the largest port {NoInPort - 1}", offset);
        }

        target.InPort = port;
        return Refusal.None;
    }

    private static Refusal ParseMpls(ReadOnlySpan<byte> payload, int offset, bool isMask, in FlowKey key, ref FlowKey target)
    {
        int count = payload.Length / 4;
        if (count is 0 or > 3 || payload.Length % 4 != 0)
        {
            return Refusal.Invalid($"mpls has {payload.Length} bytes instead of 4 for each of 1 to 3 labels", offset);
        }

        target.MplsLabelsMask = (1u << count) - 1;
        target.MplsLabel0 = MemoryMarshal.Read<Be32>(payload);
        if (count > 1)
        {
            target.MplsLabel1 = MemoryMarshal.Read<Be32>(payload[4..]);
        }

        if (count > 2)
        {
            target.MplsLabel2 = MemoryMarshal.Read<Be32>(payload[8..]);
        }

        return Refusal.None;
    }

    // The kernel's match_validate: a key has what its headers need, a mask only what they allow.
    private static Refusal ValidateMatch(in FlowKey key, in FlowKey mask, ulong keyPresent, ulong maskPresent)
    {
        ulong expected = 0;
        ulong allowed = keyPresent;
        FindExpected(in key, in mask, ref expected, ref allowed);
        allowed |= AlwaysAllowedInMask;
        if (key.IsNeighborDiscovery())
        {
            // The kernel keeps both in the same bytes.
            allowed &= ~(1UL << (int)OvsKeyAttribute.ConntrackOriginalIpv6);
        }

        if ((expected & ~keyPresent) != 0)
        {
            return Refusal.Invalid($"Key lacks {Names(expected & ~keyPresent)} (keys={keyPresent:x}, expected={expected:x})");
        }

        return (maskPresent & ~allowed) != 0
            ? Refusal.Invalid($"Mask has {Names(maskPresent & ~allowed)} that the key or the rest of the mask does not allow (mask={maskPresent:x}, allowed={allowed:x})")
            : Refusal.None;
    }

    private static string Names(ulong attributes) =>
        string.Join(", ", Enumerable.Range(0, MaximumAttribute + 1).Where(attribute => ((attributes >> attribute) & 1) != 0).Select(AttributeName));

    private static bool IsVlan(ushort etherType) => etherType is EtherTypeVlan or EtherTypeServiceVlan;

    private enum NestingOf
    {
        Key,
        Tunnel,
        VxlanOptions,
        Nsh,
    }

    // Every bit of every payload, headers of nested attributes excepted.
    private static void SetOnes(Span<byte> attributes, NestingOf nesting)
    {
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(attributes))
        {
            Span<byte> payload = attributes.Slice(attribute.Offset + NetlinkAttribute.HeaderSize, attribute.Payload.Length);
            switch (nesting, attribute.Type)
            {
                case (NestingOf.Key, (int)OvsKeyAttribute.Encap):
                    SetOnes(payload, NestingOf.Key);
                    break;
                case (NestingOf.Key, (int)OvsKeyAttribute.Tunnel):
                    SetOnes(payload, NestingOf.Tunnel);
                    break;
                case (NestingOf.Key, (int)OvsKeyAttribute.Nsh):
                    SetOnes(payload, NestingOf.Nsh);
                    break;
                case (NestingOf.Tunnel, (int)OvsTunnelKeyAttribute.VxlanOptions):
                    SetOnes(payload, NestingOf.VxlanOptions);
                    break;
                case (NestingOf.Key, (int)OvsKeyAttribute.ConntrackState):
                    payload.Clear();
                    payload[0] = 0xff;
                    break;
                default:
                    payload.Fill(0xff);
                    break;
            }
        }
    }
}
