using System.Text;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Text;

/// <summary>The ovs-dpctl text form of a flow's key and mask, both ways: <c>recirc_id(0),in_port(1),eth(),eth_type(0x0800),ipv4(src=10.0.0.0/255.0.0.0,frag=no)</c>.</summary>
/// <remarks>
/// The text names netlink key attributes, so it is read into and printed from OVS_KEY_ATTR_* bytes; the names come from
/// <see cref="FlowKeySchema"/>. Threads: no state.
/// </remarks>
public static class FlowText
{
    /// <summary>Reads a key with its mask, in any form that ovs-dpctl prints or takes.</summary>
    /// <param name="text">The whole text; it may start with a UFID, which is passed over.</param>
    /// <param name="key">The key, not masked; undefined when false.</param>
    /// <param name="mask">The mask; undefined when false. A value without mask is matched exactly, what is left out is not matched.</param>
    /// <param name="error">Where and what, also when the kernel would refuse the key or the mask.</param>
    /// <param name="ports">Ports that in_port may name; null: numbers only.</param>
    /// <returns>False with an <paramref name="error"/>.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, ref FlowKey key, ref FlowKey mask, out TextError error, IPortNames? ports = null) =>
        throw new NotSupportedException();

    /// <summary>Reads a key with its mask as netlink attributes, as ovs-dpctl sends them.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="key">Gets the payload of OVS_FLOW_ATTR_KEY.</param>
    /// <param name="mask">Gets the payload of OVS_FLOW_ATTR_MASK.</param>
    /// <param name="error">Where and what.</param>
    /// <param name="ports">Ports that in_port may name; null: numbers only.</param>
    /// <param name="keyMap">Gets the place of each attribute of the key.</param>
    /// <param name="maskMap">Gets the place of each attribute of the mask.</param>
    public static bool TryParseNetlink(
        ReadOnlySpan<char> text,
        ref NetlinkWriter key,
        ref NetlinkWriter mask,
        out TextError error,
        IPortNames? ports = null,
        TextMap? keyMap = null,
        TextMap? maskMap = null) => throw new NotSupportedException();

    /// <summary>Appends a key with its mask.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="key">The key of the flow.</param>
    /// <param name="mask">Its mask.</param>
    /// <param name="verbose">True: all attributes, as <c>ovs-dpctl -m dump-flows</c>. False: without those that are not matched.</param>
    /// <param name="ports">Names for in_port; null: numbers.</param>
    public static void Format(StringBuilder text, in FlowKey key, in FlowKey mask, bool verbose, IPortNames? ports = null) => throw new NotSupportedException();

    /// <summary>Appends a key with its mask, given as netlink attributes.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="key">Payload of OVS_FLOW_ATTR_KEY.</param>
    /// <param name="mask">Payload of OVS_FLOW_ATTR_MASK; empty: everything is exact.</param>
    /// <param name="verbose">As in <see cref="Format"/>.</param>
    /// <param name="ports">Names for in_port; null: numbers.</param>
    public static void FormatNetlink(StringBuilder text, ReadOnlySpan<byte> key, ReadOnlySpan<byte> mask, bool verbose, IPortNames? ports = null) =>
        throw new NotSupportedException();
}
