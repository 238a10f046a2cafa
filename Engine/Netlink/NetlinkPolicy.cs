using System.Buffers.Binary;
using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Netlink;

/// <summary>Which payloads of an attribute are accepted: <c>struct nla_policy</c> and <c>validate_nla</c> of the kernel, in the liberal way that Open vSwitch asks for.</summary>
/// <param name="Type">What it carries.</param>
/// <param name="Length">For bytes the fewest, for strings the most characters; 0 for no limit.</param>
/// <param name="HasRange">Whether a number is held to the range.</param>
/// <param name="Minimum">Smallest number.</param>
/// <param name="Maximum">Largest number.</param>
/// <param name="IsUnchecked">Whether the kernel's policy leaves the attribute out.</param>
public readonly record struct NetlinkPolicy(NetlinkType Type, int Length = 0, bool HasRange = false, long Minimum = 0, long Maximum = 0, bool IsUnchecked = false)
{
    private const string Failed = "Attribute failed policy validation";

    /// <summary>Whether policy dumps and extended acks describe it.</summary>
    public bool IsDescribed => !IsUnchecked && Type != NetlinkType.Bytes;

    /// <summary>Holds an attribute against the policy.</summary>
    /// <param name="attribute">The attribute.</param>
    /// <param name="ack">Gets message, offset and policy when refused.</param>
    /// <returns>ERANGE for most; EINVAL for a string without its NUL.</returns>
    public Errno Check(in NetlinkAttribute attribute, ref ExtendedAck ack)
    {
        if (IsUnchecked)
        {
            return Errno.None;
        }

        int length = attribute.Payload.Length;
        switch (Type)
        {
            case NetlinkType.Flag when length > 0:
            case NetlinkType.U8 when length < 1:
            case NetlinkType.U16 when length < 2:
            case NetlinkType.U32 when length < 4:
            case NetlinkType.S32 when length < 4:
            case NetlinkType.U64 when length < 8:
            case NetlinkType.Bytes when length < Length:
            case NetlinkType.Nested when length is > 0 and < NetlinkAttribute.HeaderSize:
                return Refuse(Errno.OutOfRange, Failed, in attribute, ref ack);
            case NetlinkType.NulString:
                return CheckString(in attribute, ref ack);
        }

        if (HasRange)
        {
            long value = ReadNumber(attribute.Payload);
            if (value < Minimum || value > Maximum)
            {
                return Refuse(Errno.OutOfRange, "integer out of range", in attribute, ref ack);
            }
        }

        return Errno.None;
    }

    /// <summary>Describes the policy as NL_POLICY_TYPE_ATTR_* (<c>netlink_policy_dump_write_attr</c>): the range, then the type.</summary>
    public void Write(ref NetlinkWriter writer)
    {
        const int TypeAttribute = 1, MinimumSigned = 2, MaximumSigned = 3, MinimumUnsigned = 4, MaximumUnsigned = 5, MaximumLength = 7;
        switch (Type)
        {
            case NetlinkType.U8 or NetlinkType.U16 or NetlinkType.U32 or NetlinkType.U64:
                writer.Put(MinimumUnsigned, HasRange ? (ulong)Minimum : 0);
                writer.Put(MaximumUnsigned, HasRange ? (ulong)Maximum : LargestUnsigned);
                break;
            case NetlinkType.S32:
                writer.Put(MinimumSigned, HasRange ? Minimum : int.MinValue);
                writer.Put(MaximumSigned, HasRange ? Maximum : int.MaxValue);
                break;
            case NetlinkType.NulString when Length != 0:
                writer.Put(MaximumLength, (uint)Length);
                break;
        }

        writer.Put(TypeAttribute, (uint)Type);
    }

    private ulong LargestUnsigned => Type switch
    {
        NetlinkType.U8 => byte.MaxValue,
        NetlinkType.U16 => ushort.MaxValue,
        NetlinkType.U32 => uint.MaxValue,
        _ => ulong.MaxValue,
    };

    private Errno CheckString(in NetlinkAttribute attribute, ref ExtendedAck ack)
    {
        ReadOnlySpan<byte> text = attribute.Payload;
        ReadOnlySpan<byte> looked = Length != 0 && text.Length > Length + 1 ? text[..(Length + 1)] : text;
        if (!looked.Contains((byte)0))
        {
            return Refuse(Errno.InvalidArgument, Failed, in attribute, ref ack);
        }

        int characters = text[^1] == 0 ? text.Length - 1 : text.Length;
        return Length != 0 && characters > Length ? Refuse(Errno.OutOfRange, Failed, in attribute, ref ack) : Errno.None;
    }

    private long ReadNumber(ReadOnlySpan<byte> payload) => Type switch
    {
        NetlinkType.U8 => payload[0],
        NetlinkType.U16 => BinaryPrimitives.ReadUInt16LittleEndian(payload),
        NetlinkType.U32 => BinaryPrimitives.ReadUInt32LittleEndian(payload),
        NetlinkType.S32 => BinaryPrimitives.ReadInt32LittleEndian(payload),
        _ => BinaryPrimitives.ReadInt64LittleEndian(payload),
    };

    private Errno Refuse(Errno errno, string message, in NetlinkAttribute attribute, ref ExtendedAck ack)
    {
        ack = new ExtendedAck { Message = message, Offset = attribute.Offset, Policy = this };
        return errno;
    }
}
