using Engine.Packets;

namespace Engine.Flows;

/// <summary>Packet to flow key, header by header, as the kernel datapath's flow.c does it.</summary>
/// <remarks>
/// <para>A malformed header never fails extraction: its fields are zero, as Documentation/networking/openvswitch.rst
/// ("Handling malformed packets") says. What does fail is listed at each method.</para>
/// <para>Every method leaves a whole key: all fields of the core are written, segments the packet does not use are zero,
/// and <see cref="FlowKey.Segments"/> is brought up to date. It may hold anything of the packet seen before in that slot.</para>
/// <para>In the packet, the header offsets and <see cref="Packet.HasOuterTag"/> are written.</para>
/// <para>Threads: no state. The caller owns packet and key.</para>
/// </remarks>
public static unsafe class FlowKeyExtractor
{
    /// <summary>The key of a frame that came in on an ordinary port (the kernel's ovs_flow_key_extract without tunnel).</summary>
    /// <remarks>All metadata is written too: <paramref name="inPort"/>, everything else 0.</remarks>
    /// <returns>
    /// False when the packet must be dropped (<see cref="ReasonOfFailure"/> tells why): a broken NSH header, or a frame the
    /// kernel's network stack would not have handed on, which is one shorter than 14 bytes or a tagged one shorter than 20.
    /// </returns>
    public static bool TryReceive(Packet* packet, ref FlowKey key, uint inPort) => throw new NotSupportedException();

    /// <summary><see cref="TryReceive"/> for each packet of a batch.</summary>
    /// <param name="batch">The packets.</param>
    /// <param name="keys">Gets the key of packet i at index i; at least as long as the batch.</param>
    /// <param name="inPort">The datapath port they came from.</param>
    /// <returns>Bit i is set when packet i must be dropped; 0 almost always.</returns>
    public static uint ReceiveBatch(ref PacketBatch batch, Span<FlowKey> keys, uint inPort) => throw new NotSupportedException();

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
    public static bool TryExtract(Packet* packet, ref FlowKey key) => throw new NotSupportedException();

    /// <summary>Extracts again from the network header on, trusting what the key says about Ethernet (ovs_flow_key_update_l3l4).</summary>
    /// <param name="packet">With <see cref="Packet.NetworkOffset"/> right.</param>
    /// <param name="key">Ethernet, VLAN and type fields are kept, and the metadata.</param>
    /// <returns>False (EINVAL) for a broken NSH header.</returns>
    public static bool TryExtractNetwork(Packet* packet, ref FlowKey key) => throw new NotSupportedException();

    /// <summary>Why <see cref="TryReceive"/> or <see cref="TryExtract"/> failed for this packet.</summary>
    public static DropReason ReasonOfFailure(Packet* packet) => throw new NotSupportedException();
}
