using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Control;

/// <summary>Writes flows as messages of <c>ovs_flow</c> (the kernel's <c>ovs_flow_cmd_fill_info</c>).</summary>
/// <remarks>
/// <para>Flows of a dump often have one mask in a row. What a mask's attributes are, and whether each is there, follows from the mask and from which
/// attributes the key has; so the bytes of the last mask are used again for a flow of that mask whose key has the same attributes.</para>
/// <para>Threads: the control thread.</para>
/// </remarks>
internal sealed class FlowMessage
{
    // OVS_UFID_F_*: what is left out of a flow that has a UFID.
    private const uint OmitKey = 1, OmitMask = 2, OmitActions = 4;

    // A key or mask at its longest (see FlowKey.WriteNetlink).
    private const int LongestKey = 1024;

    private readonly byte[] _lastKey = new byte[LongestKey];
    private readonly byte[] _lastBits = new byte[LongestKey];
    private FlowKey _key;
    private FlowMask? _lastMask;
    private int _lastKeyLength, _lastBitsLength;

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

        bool writesKey = !isIdentified || (omit & OmitKey) == 0;
        int key = writer.Length + NetlinkAttribute.HeaderSize;
        if (writesKey)
        {
            flow.CopyUnmaskedKey(out _key);
            int nested = writer.BeginOvsFlowKey();
            FlowKey.WriteNetlink(in _key, ref writer);
            writer.EndNested(nested);
        }

        if ((omit & OmitMask) == 0)
        {
            // The key of a flow with a UFID is the masked one, which says what the mask has.
            bool isMasked = isIdentified && writesKey && !writer.Overflowed;
            WriteMask(ref writer, flow, isMasked ? writer.Written[key..] : default);
        }

        FlowStats stats = flow.ReadStats();
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

    // The attributes of the masked key, when they have just been written from _key; else none.
    private void WriteMask(ref NetlinkWriter writer, Flow flow, ReadOnlySpan<byte> maskedKey)
    {
        int nested = writer.BeginOvsFlowMask();
        if (maskedKey.IsEmpty)
        {
            flow.CopyKey(out _key);
            FlowKey.WriteNetlinkMask(in _key, in flow.Mask.Bits, ref writer);
        }
        else if (flow.Mask == _lastMask && HasLastAttributes(maskedKey))
        {
            writer.PutRaw(_lastBits.AsSpan(0, _lastBitsLength));
        }
        else
        {
            int first = writer.Length;
            FlowKey.WriteNetlinkMask(in _key, in flow.Mask.Bits, ref writer);
            Remember(flow.Mask, maskedKey, writer.Overflowed ? default : writer.Written[first..]);
        }

        writer.EndNested(nested);
    }

    private void Remember(FlowMask mask, ReadOnlySpan<byte> maskedKey, ReadOnlySpan<byte> bits)
    {
        _lastMask = bits.IsEmpty ? null : mask;
        _lastKeyLength = maskedKey.Length;
        _lastBitsLength = bits.Length;
        maskedKey.CopyTo(_lastKey);
        bits.CopyTo(_lastBits);
    }

    // Tunnel and NSH keys have attributes of their own, which are not looked into.
    private bool HasLastAttributes(ReadOnlySpan<byte> key)
    {
        ReadOnlySpan<byte> last = _lastKey.AsSpan(0, _lastKeyLength);
        if (key.Length != last.Length)
        {
            return false;
        }

        int at = 0;
        while (at < key.Length)
        {
            // Length and type.
            uint header = MemoryMarshal.Read<uint>(key[at..]);
            OvsKeyAttribute type = (OvsKeyAttribute)(header >> 16);
            if (header != MemoryMarshal.Read<uint>(last[at..]) || type is OvsKeyAttribute.Tunnel or OvsKeyAttribute.Nsh)
            {
                return false;
            }

            at += type == OvsKeyAttribute.Encap ? NetlinkAttribute.HeaderSize : ((ushort)header + 3) & ~3;
        }

        return true;
    }
}
