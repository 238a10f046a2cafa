using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Control;

/// <summary>Writes flows as messages of <c>ovs_flow</c> (the kernel's <c>ovs_flow_cmd_fill_info</c>).</summary>
/// <remarks>Threads: the control thread.</remarks>
internal sealed class FlowMessage
{
    // OVS_UFID_F_*: what is left out of a flow that has a UFID.
    private const uint OmitKey = 1, OmitMask = 2, OmitActions = 4;

    // Attributes of numbers, headers included.
    private const int UfidSize = NetlinkAttribute.HeaderSize + Ufid.MaximumLength, UsedSize = NetlinkAttribute.HeaderSize + 8,
        StatsSize = NetlinkAttribute.HeaderSize + 16, TcpFlagsSize = NetlinkAttribute.HeaderSize + 4;

    private readonly FlowTemplates _templates = new();
    private FlowKey _key;

    // The flow that was told alone last.
    private Flow? _told;
    private PacedReading<FlowStats> _toldStats;

    /// <summary>A flow counts anew: what was read of it is not told again.</summary>
    public void Forget() => _told = null;

    /// <summary>Prepares for a dump.</summary>
    public void BeginDump() => _templates.Begin();

    /// <summary>Writes one message.</summary>
    /// <param name="writer">Where to; it overflows when there is no room.</param>
    /// <param name="target">Whose message it is.</param>
    /// <param name="flow">The flow.</param>
    /// <param name="command">OVS_FLOW_CMD_*.</param>
    /// <param name="ifindex">Index of the datapath's local device.</param>
    /// <param name="omit">OVS_UFID_F_*.</param>
    /// <param name="flags"><see cref="NetlinkFlags"/> of the message.</param>
    public void Write(ref NetlinkWriter writer, MessageTarget target, Flow flow, byte command, int ifindex, uint omit, ushort flags)
    {
        int start = target.Begin(ref writer, command, ifindex, flags);
        bool isIdentified = flow.Ufid.IsPresent;
        if (isIdentified)
        {
            Span<byte> ufid = stackalloc byte[Ufid.MaximumLength];
            flow.Ufid.CopyTo(ufid);
            writer.PutOvsFlowUfid(ufid[..flow.Ufid.Length]);
        }

        if (!isIdentified || (omit & OmitKey) == 0)
        {
            flow.CopyUnmaskedKey(out _key);
            int nested = writer.BeginOvsFlowKey();
            FlowKey.WriteNetlink(in _key, ref writer);
            writer.EndNested(nested);
        }

        if ((omit & OmitMask) == 0)
        {
            flow.CopyKey(out _key);
            int nested = writer.BeginOvsFlowMask();
            FlowKey.WriteNetlinkMask(in _key, in flow.Mask.Bits, ref writer);
            writer.EndNested(nested);
        }

        if (flow != _told)
        {
            _told = flow;
            _toldStats = default;
        }

        FlowStats stats = _toldStats.Read(flow, static flow => flow.ReadStats());
        if (stats.UsedAtMs != 0)
        {
            writer.PutOvsFlowUsed((ulong)stats.UsedAtMs);
        }

        if (stats.Packets != 0)
        {
            // struct ovs_flow_stats: n_packets, n_bytes.
            ReadOnlySpan<ulong> counts = [stats.Packets, stats.Bytes];
            writer.PutOvsFlowStats(MemoryMarshal.AsBytes(counts));
        }

        if (stats.TcpFlags != 0)
        {
            writer.PutOvsFlowTcpFlags(stats.TcpFlags);
        }

        if ((omit & OmitActions) == 0)
        {
            writer.Put((int)OvsFlowAttribute.Actions, flow.Actions.Attributes);
        }

        writer.EndMessage(start);
    }

    /// <summary>Writes the same message in one go, after a <see cref="FlowTemplate"/>.</summary>
    /// <param name="writer">Where to; it overflows when there is no room.</param>
    /// <param name="headers">The headers of the message; the length is filled in.</param>
    /// <param name="flow">The flow.</param>
    /// <param name="omit">OVS_UFID_F_*.</param>
    /// <returns>False when it is a flow for <see cref="Write"/>, and nothing was written.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryWrite(ref NetlinkWriter writer, ReadOnlySpan<byte> headers, Flow flow, uint omit)
    {
        Ufid ufid = flow.Ufid;
        FlowTemplate? template = null;
        if (ufid.Length != Ufid.MaximumLength || ((omit & (OmitKey | OmitMask)) != (OmitKey | OmitMask) && (template = _templates.Find(flow)) is null))
        {
            return false;
        }

        FlowStats stats = flow.ReadStats();
        ReadOnlySpan<byte> actions = (omit & OmitActions) == 0 ? flow.Actions.Attributes : default;
        bool hasKey = (omit & OmitKey) == 0;
        bool hasMask = (omit & OmitMask) == 0;
        int length = headers.Length + UfidSize
            + (hasKey ? NetlinkAttribute.HeaderSize + template!.KeyLength : 0)
            + (hasMask ? NetlinkAttribute.HeaderSize + template!.Bits.Length : 0)
            + (stats.UsedAtMs != 0 ? UsedSize : 0)
            + (stats.Packets != 0 ? StatsSize : 0)
            + (stats.TcpFlags != 0 ? TcpFlagsSize : 0)
            + ((omit & OmitActions) == 0 ? NetlinkAttribute.HeaderSize + ((actions.Length + 3) & ~3) : 0);
        Span<byte> message = writer.Take(length);
        if (message.IsEmpty)
        {
            return true;
        }

        headers.CopyTo(message);
        MemoryMarshal.Write(message, length);
        Span<byte> rest = message[headers.Length..];
        Begin(ref rest, OvsFlowAttribute.Ufid, Ufid.MaximumLength);
        Put(ref rest, ufid.High);
        Put(ref rest, ufid.Low);
        if (hasKey)
        {
            Begin(ref rest, OvsFlowAttribute.Key, template!.KeyLength);
            template.WriteKey(flow, rest);
            rest = rest[template.KeyLength..];
        }

        if (hasMask)
        {
            Begin(ref rest, OvsFlowAttribute.Mask, template!.Bits.Length);
            template.Bits.CopyTo(rest);
            rest = rest[template.Bits.Length..];
        }

        if (stats.UsedAtMs != 0)
        {
            Begin(ref rest, OvsFlowAttribute.Used, sizeof(ulong));
            Put(ref rest, (ulong)stats.UsedAtMs);
        }

        if (stats.Packets != 0)
        {
            Begin(ref rest, OvsFlowAttribute.Stats, 2 * sizeof(ulong));
            Put(ref rest, stats.Packets);
            Put(ref rest, stats.Bytes);
        }

        if (stats.TcpFlags != 0)
        {
            Begin(ref rest, OvsFlowAttribute.TcpFlags, 1);
            Put(ref rest, 0u);
            message[^(rest.Length + sizeof(uint))] = stats.TcpFlags;
        }

        if ((omit & OmitActions) == 0)
        {
            Begin(ref rest, OvsFlowAttribute.Actions, actions.Length);
            actions.CopyTo(rest);
            rest[actions.Length..].Clear();
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Begin(ref Span<byte> to, OvsFlowAttribute attribute, int length)
    {
        Put(ref to, (ushort)(NetlinkAttribute.HeaderSize + length));
        Put(ref to, (ushort)attribute);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(ref Span<byte> to, T value)
        where T : unmanaged
    {
        MemoryMarshal.Write(to, in value);
        to = to[Unsafe.SizeOf<T>()..];
    }
}
