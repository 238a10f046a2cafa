using System.Numerics;
using System.Runtime.CompilerServices;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Flows;

/// <summary>Packet to flow key, header by header, as the kernel datapath's flow.c does it.</summary>
/// <remarks>
/// <para>A malformed header never fails extraction: its fields are zero, as Documentation/networking/openvswitch.rst
/// ("Handling malformed packets") says. What does fail is listed at each method.</para>
/// <para>Every method leaves a whole key: all fields of the core are written, segments the packet does not use are zero,
/// and <see cref="FlowKey.Segments"/> is brought up to date. It may hold anything of the packet seen before in that slot.</para>
/// <para>In the packet, the header offsets and <see cref="Packet.HasOuterTag"/> are written.
/// <see cref="Packet.HasTransport"/> says that a well-formed IP header tells where its payload starts; the transport header
/// there may be cut short, so who edits it checks the length, as the kernel does.</para>
/// <para>The kernel's network stack takes the outer VLAN tag off a received frame and drops what is too short for that; here the tag stays
/// in the data. <see cref="TryReceive"/> has those rules; <see cref="TryExtract"/> has the rules of the datapath's own parser.</para>
/// <para>Threads: no state. The caller owns packet and key.</para>
/// </remarks>
public static unsafe partial class FlowKeyExtractor
{
    private const int EthernetLength = 14;

    // A received frame with a tag must hold the tag and the two bytes after it behind its Ethernet header (skb_vlan_untag).
    private const int ShortestTaggedFrame = EthernetLength + 6;

    private const FlowKeySegments MetadataSegments = FlowKeySegments.Conntrack | FlowKeySegments.Tunnel | FlowKeySegments.TunnelOptions;

    /// <summary>The key of a frame that came in on an ordinary port (the kernel's ovs_flow_key_extract without tunnel).</summary>
    /// <param name="packet">With an Ethernet header.</param>
    /// <param name="key">All metadata is written too: <paramref name="inPort"/>, everything else 0.</param>
    /// <param name="inPort">The datapath port it came from.</param>
    /// <returns>
    /// False when the packet must be dropped (<see cref="ReasonOfFailure"/> tells why): a broken NSH header, or a frame the
    /// kernel's network stack would not have handed on, which is one shorter than 14 bytes or a tagged one shorter than 20.
    /// </returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReceive(Packet* packet, ref FlowKey key, uint inPort)
    {
        Invariant.Assert(packet->HasEthernet);
        return TryExtractCommon(packet, ref key, 0, received: true, inPort) || ReceiveOther(packet, ref key, inPort);
    }

    /// <summary><see cref="TryReceive"/> for each packet of a batch.</summary>
    /// <param name="batch">The packets.</param>
    /// <param name="keys">Gets the key of packet i at index i; at least as long as the batch.</param>
    /// <param name="inPort">The datapath port they came from.</param>
    /// <returns>Bit i is set when packet i must be dropped; 0 almost always.</returns>
    public static uint ReceiveBatch(ref PacketBatch batch, Span<FlowKey> keys, uint inPort)
    {
        if (!HasVectorPath)
        {
            return ReceiveEach(ref batch, keys, inPort, (uint)((1UL << batch.Count) - 1));
        }

        uint others = ReceivePlainBatch(ref batch, keys, inPort, FlowKeySegments.None);
        return others == 0 ? 0 : ReceiveEach(ref batch, keys, inPort, others);
    }

    /// <summary><see cref="TryReceiveTunneled"/> for each packet of a batch; the result is that of <see cref="ReceiveBatch"/>.</summary>
    internal static uint ReceiveTunneledBatch(ref PacketBatch batch, Span<FlowKey> keys, uint inPort)
    {
        uint others = (uint)((1UL << batch.Count) - 1), failed = 0;
        if (HasVectorPath)
        {
            others = ReceivePlainBatch(ref batch, keys, inPort, FlowKeySegments.Tunnel);
        }

        for (uint left = others; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            failed |= TryReceiveTunneled(batch.Pointer(i), ref keys[i], inPort) ? 0u : 1u << i;
        }

        return failed;
    }

    /// <summary>The key of a packet that came by a tunnel, whose fields of the outer header are filled in (the kernel's ovs_flow_key_extract with one).</summary>
    /// <param name="packet">The inner packet, with <see cref="Packet.HasEthernet"/> right.</param>
    /// <param name="key">Its tunnel segments are kept, all other metadata is written as by <see cref="TryReceive"/>. For a packet without Ethernet header <see cref="FlowKey.EtherType"/> must be given too.</param>
    /// <param name="inPort">The datapath port it came from.</param>
    /// <returns>As <see cref="TryReceive"/>.</returns>
    internal static bool TryReceiveTunneled(Packet* packet, ref FlowKey key, uint inPort)
    {
        ClearMetadata(ref key, inPort);
        return (packet->Length >= ShortestTaggedFrame || !IsTooShort(packet)) && TryExtract(packet, ref key);
    }

    /// <summary>
    /// The key of a packet whose metadata is known: OVS_PACKET_CMD_EXECUTE (ovs_flow_key_extract_userspace), a packet from a
    /// tunnel, and a packet that actions have changed (ovs_flow_key_update).
    /// </summary>
    /// <param name="packet">With <see cref="Packet.HasEthernet"/> right.</param>
    /// <param name="key">
    /// In port, recirculation id, hash, mark, priority, conntrack and tunnel fields are kept, with their segments in
    /// <see cref="FlowKey.Segments"/>. For a packet without Ethernet header <see cref="FlowKey.EtherType"/> must be given too.
    /// </param>
    /// <returns>False (EINVAL) for a broken NSH header, a bare packet of a VLAN type, an Ethernet packet shorter than 14 bytes.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryExtract(Packet* packet, ref FlowKey key) =>
        TryExtractCommon(packet, ref key, 0, received: false, 0) || ExtractOther(packet, ref key);

    /// <summary>Extracts again from the network header on, trusting what the key says about Ethernet (ovs_flow_key_update_l3l4).</summary>
    /// <param name="packet">With <see cref="Packet.NetworkOffset"/> right.</param>
    /// <param name="key">Ethernet, VLAN and type fields are kept, and the metadata.</param>
    /// <returns>False (EINVAL) for a broken NSH header.</returns>
    public static bool TryExtractNetwork(Packet* packet, ref FlowKey key)
    {
        ClearSegments(ref key, ~MetadataSegments);
        return ExtractNetwork(packet, ref key, packet->Bytes, packet->NetworkOffset);
    }

    /// <summary>Why <see cref="TryReceive"/> or <see cref="TryExtract"/> failed for this packet.</summary>
    public static DropReason ReasonOfFailure(Packet* packet) => IsTooShort(packet) ? DropReason.TooShort : DropReason.ExtractionFailed;

    private static bool IsTooShort(Packet* packet)
    {
        if (!packet->HasEthernet)
        {
            return false;
        }

        return !EthernetHeader.TryView(packet->Bytes, 0, out HeaderView<EthernetHeader> ethernet)
            || (EtherTypes.IsVlan(ethernet.Header.EtherType.Value) && packet->Length < ShortestTaggedFrame);
    }

    // Those packets whose bit is set. The result is that of ReceiveBatch.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static uint ReceiveEach(ref PacketBatch batch, Span<FlowKey> keys, uint inPort, uint wanted)
    {
        uint failed = 0;
        for (uint left = wanted; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            failed |= TryReceive(batch.Pointer(i), ref keys[i], inPort) ? 0u : 1u << i;
        }

        return failed;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool ReceiveOther(Packet* packet, ref FlowKey key, uint inPort)
    {
        if ((key.Segments & MetadataSegments) != 0)
        {
            ClearSegments(ref key, MetadataSegments);
        }

        ClearMetadata(ref key, inPort);
        return (packet->Length >= ShortestTaggedFrame || !IsTooShort(packet)) && ExtractOther(packet, ref key);
    }

    // That of the core: nothing is known of a received packet but its port.
    private static void ClearMetadata(ref FlowKey key, uint inPort)
    {
        key.InPort = inPort;
        key.RecirculationId = 0;
        key.DatapathHash = 0;
        key.SkbMark = 0;
        key.ConntrackState = 0;
        key.ConntrackZone = 0;
        key.SkbPriority = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool ExtractOther(Packet* packet, ref FlowKey key) =>
        TryExtractCommon(packet, ref key, 4, received: false, 0) || TryExtractCommonIpv6(packet, ref key) || ExtractLinkLayer(packet, ref key);

    private static bool ExtractLinkLayer(Packet* packet, ref FlowKey key)
    {
        ClearSegments(ref key, ~MetadataSegments);
        Span<byte> bytes = packet->Bytes;
        int offset = 0;
        packet->HasOuterTag = false;
        key.VlanTci = default;
        key.VlanTpid = default;
        key.InnerVlanTci = default;
        key.InnerVlanTpid = default;
        if (packet->HasEthernet)
        {
            if (!EthernetHeader.TryView(bytes, 0, out HeaderView<EthernetHeader> ethernet))
            {
                return false;
            }

            key.EthernetDestination = ethernet.Header.Destination;
            key.EthernetSource = ethernet.Header.Source;
            key.MacProtocol = 1;
            offset = EthernetLength - sizeof(ushort);
            if (TryReadTag(bytes, ref offset, out key.VlanTpid, out key.VlanTci))
            {
                packet->HasOuterTag = true;
                TryReadTag(bytes, ref offset, out key.InnerVlanTpid, out key.InnerVlanTci);
            }

            key.EtherType = ReadEtherType(bytes, ref offset);
        }
        else
        {
            key.EthernetDestination = default;
            key.EthernetSource = default;
            key.MacProtocol = 0;
            if (EtherTypes.IsVlan(key.EtherType.Value))
            {
                return false;
            }
        }

        packet->NetworkOffset = (ushort)offset;
        return ExtractNetwork(packet, ref key, bytes, offset);
    }

    /// <summary>Takes a VLAN tag at <paramref name="offset"/>, where an Ethernet type stands otherwise, and moves on behind it.</summary>
    /// <returns>False, with nothing moved, when there is none, or it is cut short so that no type follows it.</returns>
    private static bool TryReadTag(Span<byte> bytes, ref int offset, out Be16 tpid, out Be16 tci)
    {
        if (!VlanTag.TryView(bytes, offset, out HeaderView<VlanTag> tag)
            || !EtherTypes.IsVlan(tag.Header.Tpid.Value)
            || bytes.Length - offset < 6)
        {
            tpid = default;
            tci = default;
            return false;
        }

        tpid = tag.Header.Tpid;
        tci = new Be16((ushort)(tag.Header.Tci.Value | 0x1000));
        offset += 4;
        return true;
    }

    /// <summary>Reads the Ethernet type at <paramref name="offset"/>, or the one in the SNAP header of an LLC frame, and moves on behind it.</summary>
    private static Be16 ReadEtherType(Span<byte> bytes, ref int offset)
    {
        // In bounds: 14 bytes were checked, and two behind each tag.
        Be16 type = Be16.FromRaw(BitConverter.ToUInt16(bytes[offset..]));
        offset += sizeof(ushort);
        if (type.Value >= EtherTypes.Minimum)
        {
            return type;
        }

        if (!LlcSnapHeader.TryView(bytes, offset, out HeaderView<LlcSnapHeader> llc)
            || llc.Header.DestinationSap != LlcSnapHeader.SnapSap
            || llc.Header.SourceSap != LlcSnapHeader.SnapSap
            || (llc.Header.OrganizationHigh | llc.Header.OrganizationLow.Raw) != 0)
        {
            return EtherTypes.Llc;
        }

        offset += 8;
        return llc.Header.EtherType.Value >= EtherTypes.Minimum ? llc.Header.EtherType : EtherTypes.Llc;
    }

    /// <summary>Zeroes these segments where they may be in use.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ClearSegments(ref FlowKey key, FlowKeySegments segments)
    {
        segments &= key.Segments;
        if (segments != FlowKeySegments.None)
        {
            key.ClearSegments(segments);
        }
    }
}
