using System.Runtime.InteropServices;
using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Tests.Actions;

/// <summary>Actions as netlink bytes, one method an action, for tables of tests: <c>[.. Output(2), .. PopVlan()]</c>.</summary>
internal static class ActionBytes
{
    /// <summary>Everything, and ct for hosts that track connections.</summary>
    public static ActionFeatures Features { get; } = ActionFeatures.All with { Conntrack = true };

    public static byte[] Attribute(int type, params ReadOnlySpan<byte> payload)
    {
        byte[] bytes = new byte[(4 + payload.Length + 3) & ~3];
        MemoryMarshal.Write(bytes, (ushort)(4 + payload.Length));
        MemoryMarshal.Write(bytes.AsSpan(2), (ushort)type);
        payload.CopyTo(bytes.AsSpan(4));
        return bytes;
    }

    public static byte[] Action(OvsActionAttribute action, params ReadOnlySpan<byte> payload) => Attribute((int)action, payload);

    public static byte[] Action(OvsActionAttribute action, uint number) => Attribute((int)action, BitConverter.GetBytes(number));

    public static byte[] Output(uint port) => Action(OvsActionAttribute.Output, port);

    public static byte[] Recirculate(uint id) => Action(OvsActionAttribute.Recirculate, id);

    public static byte[] Truncate(uint length) => Action(OvsActionAttribute.Truncate, length);

    public static byte[] Meter(uint id) => Action(OvsActionAttribute.Meter, id);

    public static byte[] Drop(uint error) => Action(OvsActionAttribute.Drop, error);

    public static byte[] Clone(params ReadOnlySpan<byte> list) => Action(OvsActionAttribute.Clone, list);

    public static byte[] Hash(uint algorithm, uint basis) => Action(OvsActionAttribute.Hash, [.. BitConverter.GetBytes(algorithm), .. BitConverter.GetBytes(basis)]);

    public static byte[] Sample(uint probability, params ReadOnlySpan<byte> list) =>
        Action(OvsActionAttribute.Sample, [.. Attribute(1, BitConverter.GetBytes(probability)), .. Attribute(2, list)]);

    public static byte[] CheckLength(ushort length, byte[] greater, byte[] lessOrEqual) =>
        Action(OvsActionAttribute.CheckPacketLength, [.. Attribute(1, BitConverter.GetBytes(length)), .. Attribute(2, greater), .. Attribute(3, lessOrEqual)]);

    public static byte[] DecrementTtl(params ReadOnlySpan<byte> list) => Action(OvsActionAttribute.DecrementTtl, Attribute(1, list));

    public static byte[] Userspace(uint portId, params ReadOnlySpan<byte> more) =>
        Action(OvsActionAttribute.Userspace, [.. Attribute(1, BitConverter.GetBytes(portId)), .. more]);

    public static byte[] Set(OvsKeyAttribute attribute, params ReadOnlySpan<byte> value) => Action(OvsActionAttribute.Set, Attribute((int)attribute, value));

    public static byte[] SetMasked(OvsKeyAttribute attribute, params ReadOnlySpan<byte> valueAndMask) =>
        Action(OvsActionAttribute.SetMasked, Attribute((int)attribute, valueAndMask));

    public static byte[] PushVlan(ushort tpid, ushort tci) =>
        Action(OvsActionAttribute.PushVlan, [(byte)(tpid >> 8), (byte)tpid, (byte)(tci >> 8), (byte)tci]);

    public static byte[] PopVlan() => Action(OvsActionAttribute.PopVlan);

    public static byte[] PushMpls(uint label, ushort etherType) =>
        Action(OvsActionAttribute.PushMpls, [(byte)(label >> 24), (byte)(label >> 16), (byte)(label >> 8), (byte)label, (byte)(etherType >> 8), (byte)etherType, 0, 0]);

    public static byte[] PopMpls(ushort etherType) => Action(OvsActionAttribute.PopMpls, [(byte)(etherType >> 8), (byte)etherType]);

    public static byte[] Track(params ReadOnlySpan<byte> arguments) => Action(OvsActionAttribute.Conntrack, arguments);

    /// <summary>A list that is accepted for this key.</summary>
    public static ActionList List(ReadOnlySpan<byte> actions, in FlowKey key)
    {
        Refusal refusal = ActionList.TryCreate(actions, key, Features, out ActionList? list);
        Assert.False(refusal.IsRefused, refusal.ToString());
        return list!;
    }
}
