using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>The attributes of a netlink key and of its mask, by number, while they are parsed.</summary>
/// <remarks>As in the kernel, an attribute of the key stays known while the mask is read until the mask brings one of the
/// same number; only <see cref="Present"/> starts anew.</remarks>
internal ref struct KeyAttributeSet
{
    private ReadOnlySpan<byte> _key;
    private ReadOnlySpan<byte> _mask;
    private Places _places;

    /// <summary>Bit n is set when attribute n is there and has not been taken.</summary>
    public ulong Present;

    /// <summary>Starts to read a key or, after that, its mask. Nested attributes are read by <see cref="ReadNested"/>.</summary>
    /// <param name="attributes">The payload of OVS_FLOW_ATTR_KEY or _MASK.</param>
    /// <param name="isMask">Whether it is a mask: attributes of zeros are then left out.</param>
    public Refusal Read(ReadOnlySpan<byte> attributes, bool isMask)
    {
        Present = 0;
        if (isMask)
        {
            _mask = attributes;
        }
        else
        {
            _key = attributes;
        }

        return Read(attributes, 0, isMask);
    }

    /// <summary>Adds the attributes nested in one that was read.</summary>
    public Refusal ReadNested(OvsKeyAttribute attribute, bool isMask)
    {
        ReadOnlySpan<byte> payload = Payload(attribute, out int offset);
        return Read(payload, offset, isMask);
    }

    /// <summary>Whether the attribute is there and has not been taken.</summary>
    public readonly bool Has(OvsKeyAttribute attribute) => ((Present >> (int)attribute) & 1) != 0;

    /// <summary>Takes the attribute out.</summary>
    public void Remove(OvsKeyAttribute attribute) => Present &= ~(1UL << (int)attribute);

    /// <summary>Takes the attribute out and gives its payload.</summary>
    /// <returns>False when it is not there.</returns>
    public bool TryTake(OvsKeyAttribute attribute, out ReadOnlySpan<byte> payload, out int offset)
    {
        if (!Has(attribute))
        {
            payload = default;
            offset = 0;
            return false;
        }

        payload = Payload(attribute, out offset);
        Remove(attribute);
        return true;
    }

    /// <summary>The payload of an attribute last seen, taken or not; empty when never seen.</summary>
    public readonly ReadOnlySpan<byte> Payload(OvsKeyAttribute attribute, out int offset)
    {
        Place place = _places[(int)attribute];
        offset = place.Offset;
        return (place.IsMask ? _mask : _key).Slice(place.Offset, place.Length);
    }

    /// <summary>A payload of two bytes in network order, 0 when never seen.</summary>
    public readonly ushort PayloadBe16(OvsKeyAttribute attribute)
    {
        ReadOnlySpan<byte> payload = Payload(attribute, out _);
        return payload.IsEmpty ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(payload);
    }

    private Refusal Read(ReadOnlySpan<byte> attributes, int baseOffset, bool isMask)
    {
        int end = 0;
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(attributes, baseOffset))
        {
            int length = attribute.Payload.Length;
            if (attribute.Type > FlowKey.MaximumAttribute)
            {
                return Refusal.Invalid($"Key attribute {attribute.Type} is out of range: at most {FlowKey.MaximumAttribute}", attribute.Offset);
            }

            int expected = FlowKey.PayloadLength(attribute.Type);
            if (expected == FlowKey.RefusedPayload)
            {
                return Refusal.Invalid($"Key attribute {attribute.Type} is for user space only", attribute.Offset);
            }

            if (Has((OvsKeyAttribute)attribute.Type))
            {
                return Refusal.Invalid($"Key attribute {FlowKey.AttributeName(attribute.Type)} is there twice", attribute.Offset);
            }

            if (expected >= 0 && length != expected)
            {
                return Refusal.Invalid($"Key attribute {FlowKey.AttributeName(attribute.Type)} has {length} bytes instead of {expected}", attribute.Offset);
            }

            end = attribute.Offset - baseOffset + ((NetlinkAttribute.HeaderSize + length + 3) & ~3);
            if (isMask && !attribute.Payload.ContainsAnyExcept((byte)0))
            {
                continue;
            }

            Present |= 1UL << attribute.Type;
            _places[attribute.Type] = new Place(attribute.Offset + NetlinkAttribute.HeaderSize, length, isMask);
        }

        // Not only bytes too many: the kernel also wants the padding of the last attribute to be there.
        return end == attributes.Length
            ? Refusal.None
            : Refusal.Invalid("Key attributes end in bytes that are no attribute", baseOffset + Math.Min(end, attributes.Length));
    }

    private readonly record struct Place(int Offset, int Length, bool IsMask);

    [InlineArray(FlowKey.MaximumAttribute + 1)]
    private struct Places
    {
        [SuppressMessage("Style", "IDE0044:Add readonly modifier", Justification = "The element of an inline array.")]
        private Place _first;
    }
}
