using System.Runtime.InteropServices;
using Engine.Netlink;
using Engine.Platform;

namespace Bench;

/// <summary>Requests as Open vSwitch makes them.</summary>
internal static class ControlRequests
{
    public const ushort Datapaths = 0x7f00, Vports = 0x7f01, Flows = 0x7f02;

    public delegate void PutAttributes(ref NetlinkWriter writer);

    private static ReadOnlySpan<byte> Macs => [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

    private static ReadOnlySpan<byte> MaskOfMacs => [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255];

    /// <summary>Sends a buffer, waiting until there is room for it.</summary>
    public static void Send(SequencedSocket client, ReadOnlySpan<byte> buffer)
    {
        while (!client.TrySend(buffer))
        {
            Thread.Yield();
        }
    }

    /// <summary>Adds a request to a buffer.</summary>
    public static void Add(ref NetlinkWriter writer, ushort family, byte command, ushort flags, int ifindex, PutAttributes? put)
    {
        int start = writer.BeginMessage(new NetlinkHeader { Type = family, Flags = (ushort)(flags | NetlinkFlags.Request), Sequence = 1 });
        writer.PutRaw([command, family == Datapaths ? (byte)2 : (byte)1, 0, 0]);
        writer.PutRaw(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in ifindex)));
        put?.Invoke(ref writer);
        writer.EndMessage(start);
    }

    /// <summary>A buffer that adds the flows of these numbers.</summary>
    public static byte[] MakeFlows(int first, int end, int ifindex = ControlPorts.LocalIndex)
    {
        byte[] buffer = new byte[1 << 16];
        NetlinkWriter writer = new(buffer);
        for (int i = first; i < end; i++)
        {
            int number = i;
            Add(ref writer, Flows, 1, 0, ifindex, (ref writer) => PutFlow(ref writer, number));
        }

        return writer.Written.ToArray();
    }

    // A TCP flow as ovs-vswitchd installs one: id, all metadata in key and mask, addresses and ports exact.
    private static void PutFlow(ref NetlinkWriter writer, int number)
    {
        Span<byte> ufid = stackalloc byte[16];
        MemoryMarshal.Write(ufid, number);
        MemoryMarshal.Write(ufid[8..], (ulong)number * 0x9E37_79B9_7F4A_7C15u);
        writer.PutOvsFlowUfid(ufid);
        int key = writer.BeginOvsFlowKey();
        PutMatch(ref writer, number, isMask: false);
        writer.EndNested(key);
        int mask = writer.BeginOvsFlowMask();
        PutMatch(ref writer, number, isMask: true);
        writer.EndNested(mask);
        int actions = writer.BeginNested((int)OvsFlowAttribute.Actions);
        writer.Put((int)OvsActionAttribute.Output, 2u);
        writer.EndNested(actions);
    }

    private static void PutMatch(ref NetlinkWriter writer, int number, bool isMask)
    {
        uint ones = isMask ? uint.MaxValue : 0;
        writer.Put((int)OvsKeyAttribute.RecirculationId, ones);
        writer.Put((int)OvsKeyAttribute.DatapathHash, 0u);
        writer.Put((int)OvsKeyAttribute.Priority, 0u);
        writer.Put((int)OvsKeyAttribute.InPort, isMask ? ones : 1u);
        writer.Put((int)OvsKeyAttribute.SkbMark, 0u);
        writer.Put((int)OvsKeyAttribute.ConntrackState, 0u);
        writer.Put((int)OvsKeyAttribute.ConntrackZone, (ushort)0);
        writer.Put((int)OvsKeyAttribute.ConntrackMark, 0u);
        writer.Put((int)OvsKeyAttribute.ConntrackLabels, stackalloc byte[16]);
        writer.Put((int)OvsKeyAttribute.Ethernet, isMask ? MaskOfMacs : Macs);
        writer.Put((int)OvsKeyAttribute.EtherType, isMask ? (ushort)0xffff : (ushort)0x0008);
        Span<byte> ipv4 = stackalloc byte[12];
        MemoryMarshal.Write(ipv4, isMask ? ones : 10u | ((uint)number << 8));
        MemoryMarshal.Write(ipv4[4..], isMask ? ones : 0x0200000au);
        (ipv4[8], ipv4[11]) = isMask ? ((byte)0xff, (byte)0xff) : ((byte)6, (byte)0);
        writer.Put((int)OvsKeyAttribute.Ipv4, ipv4);
        writer.Put((int)OvsKeyAttribute.Tcp, isMask ? ones : (uint)number >> 24 << 8 | 0x5000_0000u);
        writer.Put((int)OvsKeyAttribute.TcpFlags, (ushort)0);
    }
}
