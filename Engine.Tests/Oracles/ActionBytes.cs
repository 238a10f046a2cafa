using System.Buffers.Binary;
using Engine.Netlink;

namespace Engine.Tests.Oracles;

/// <summary>Writes OVS_ACTION_ATTR_* attributes, for tests that need actions without their text form.</summary>
internal sealed class ActionBytes
{
    private readonly List<byte> _bytes = [];

    /// <summary>What was written.</summary>
    public byte[] ToArray() => [.. _bytes];

    public ActionBytes Output(uint port) => U32(OvsActionAttribute.Output, port);

    public ActionBytes Truncate(uint length) => U32(OvsActionAttribute.Truncate, length);

    public ActionBytes Recirculate(uint id) => U32(OvsActionAttribute.Recirculate, id);

    public ActionBytes PushVlan(ushort tpid, ushort tci) => Attribute(OvsActionAttribute.PushVlan, [.. Big(tpid), .. Big((ushort)(tci | 0x1000))]);

    public ActionBytes PopVlan() => Attribute(OvsActionAttribute.PopVlan, []);

    public ActionBytes PushMpls(uint entry, ushort type) => Attribute(OvsActionAttribute.PushMpls, [.. Big(entry), .. Big(type), 0, 0]);

    public ActionBytes PopMpls(ushort type) => Attribute(OvsActionAttribute.PopMpls, Big(type));

    public ActionBytes Clone(ReadOnlySpan<byte> actions) => Attribute(OvsActionAttribute.Clone, actions);

    public ActionBytes CheckPacketLength(ushort length, ReadOnlySpan<byte> ifGreater, ReadOnlySpan<byte> ifLessEqual)
    {
        const int LengthAttribute = 1, GreaterAttribute = 2, LessEqualAttribute = 3;
        ActionBytes inner = new();
        inner.Attribute(LengthAttribute, BitConverter.GetBytes(length));
        inner.Attribute(GreaterAttribute, ifGreater);
        inner.Attribute(LessEqualAttribute, ifLessEqual);
        return Attribute(OvsActionAttribute.CheckPacketLength, inner.ToArray());
    }

    /// <summary>Set of a whole attribute.</summary>
    public ActionBytes Set(OvsKeyAttribute key, ReadOnlySpan<byte> value)
    {
        ActionBytes inner = new();
        inner.Attribute((int)key, value);
        return Attribute(OvsActionAttribute.Set, inner.ToArray());
    }

    /// <summary>Set of the bits of a mask.</summary>
    public ActionBytes SetMasked(OvsKeyAttribute key, ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask)
    {
        ActionBytes inner = new();
        inner.Attribute((int)key, [.. value, .. mask]);
        return Attribute(OvsActionAttribute.SetMasked, inner.ToArray());
    }

    private static byte[] Big(ushort value)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Big(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private ActionBytes U32(OvsActionAttribute action, uint value) => Attribute(action, BitConverter.GetBytes(value));

    private ActionBytes Attribute(OvsActionAttribute action, ReadOnlySpan<byte> payload) => Attribute((int)action, payload);

    private ActionBytes Attribute(int type, ReadOnlySpan<byte> payload)
    {
        _bytes.AddRange(BitConverter.GetBytes((ushort)(payload.Length + 4)));
        _bytes.AddRange(BitConverter.GetBytes((ushort)type));
        _bytes.AddRange(payload);
        _bytes.AddRange(new byte[-payload.Length & 3]);
        return this;
    }
}
