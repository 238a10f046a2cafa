using Engine.Netlink;
using Engine.Primitives;

namespace Engine.Flows;

public partial struct FlowKey
{
    /// <summary>Parses OVS_FLOW_ATTR_KEY alone, as the kernel does to look a flow up by its key (<c>ovs_nla_get_match</c> without a mask).</summary>
    /// <param name="keyAttributes">Payload of OVS_FLOW_ATTR_KEY.</param>
    /// <param name="key">The key; undefined when refused.</param>
    public static Refusal TryParseNetlink(ReadOnlySpan<byte> keyAttributes, out FlowKey key) => throw new NotSupportedException();

    /// <summary>Parses OVS_FLOW_ATTR_KEY of a flow without OVS_FLOW_ATTR_MASK: the mask matches exactly what the key has.</summary>
    /// <param name="keyAttributes">Payload of OVS_FLOW_ATTR_KEY.</param>
    /// <param name="key">The key, not masked; undefined when refused.</param>
    /// <param name="mask">The mask; undefined when refused.</param>
    public static Refusal TryParseNetlinkExact(ReadOnlySpan<byte> keyAttributes, out FlowKey key, out FlowKey mask) => throw new NotSupportedException();

    /// <summary>Parses OVS_FLOW_ATTR_KEY and OVS_FLOW_ATTR_MASK of a flow (<c>ovs_nla_get_match</c>).</summary>
    /// <param name="keyAttributes">Payload of OVS_FLOW_ATTR_KEY.</param>
    /// <param name="maskAttributes">Payload of OVS_FLOW_ATTR_MASK; may be empty, which wildcards all but what is always matched.</param>
    /// <param name="key">The key, not masked; undefined when refused.</param>
    /// <param name="mask">The mask; undefined when refused.</param>
    public static Refusal TryParseNetlink(ReadOnlySpan<byte> keyAttributes, ReadOnlySpan<byte> maskAttributes, out FlowKey key, out FlowKey mask) =>
        throw new NotSupportedException();

    /// <summary>Parses the metadata of OVS_PACKET_ATTR_KEY in OVS_PACKET_CMD_EXECUTE (<c>ovs_nla_get_flow_metadata</c>); header attributes are ignored.</summary>
    /// <param name="keyAttributes">Payload of OVS_PACKET_ATTR_KEY.</param>
    /// <param name="key">A key with metadata only; undefined when refused. For a packet without Ethernet header, EtherType is set.</param>
    /// <param name="present">Bit n is set when attribute n was there; for <see cref="CheckMetadata"/>.</param>
    public static Refusal TryParseMetadata(ReadOnlySpan<byte> keyAttributes, out FlowKey key, out ulong present) => throw new NotSupportedException();

    /// <summary>After extraction of the packet: whether the conntrack tuple that came as metadata goes with its headers.</summary>
    /// <param name="key">The key with headers extracted.</param>
    /// <param name="present">From <see cref="TryParseMetadata"/>.</param>
    public static Refusal CheckMetadata(in FlowKey key, ulong present) => throw new NotSupportedException();

    /// <summary>Copies the payload of one attribute (of a set or set_masked action) into the fields that carry it; the other fields stay.</summary>
    /// <param name="attribute">The attribute.</param>
    /// <param name="payload">Its payload, of the length that the attribute has.</param>
    /// <param name="isMask">Whether it is a mask.</param>
    /// <param name="key">The key written to. <see cref="Segments"/> grows as needed.</param>
    public static Refusal TryParseAttribute(OvsKeyAttribute attribute, ReadOnlySpan<byte> payload, bool isMask, ref FlowKey key) =>
        throw new NotSupportedException();

    /// <summary>Writes the attributes of a key in the kernel's order (<c>ovs_nla_put_key</c>).</summary>
    /// <param name="key">The key.</param>
    /// <param name="writer">Overflows when the buffer is too small; 1,024 bytes always do.</param>
    public static void WriteNetlink(in FlowKey key, ref NetlinkWriter writer) => throw new NotSupportedException();

    /// <summary>Writes the attributes of a mask (<c>ovs_nla_put_mask</c>): those that the key has, with the bits of the mask.</summary>
    /// <param name="key">The key of the flow.</param>
    /// <param name="mask">Its mask.</param>
    /// <param name="writer">Overflows when the buffer is too small; 1,024 bytes always do.</param>
    public static void WriteNetlinkMask(in FlowKey key, in FlowKey mask, ref NetlinkWriter writer) => throw new NotSupportedException();

    /// <summary>Writes OVS_KEY_ATTR_TUNNEL with the tunnel fields and options of a key, as OVS_PACKET_ATTR_EGRESS_TUN_KEY and set(tunnel) carry it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="attribute">Number of the outer attribute.</param>
    /// <param name="writer">Where to.</param>
    public static void WriteTunnel(in FlowKey key, int attribute, ref NetlinkWriter writer) => throw new NotSupportedException();
}
