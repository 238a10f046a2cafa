using System.Text;
using Engine.Netlink;

namespace Engine.Text;

/// <summary>The ovs-dpctl text form of actions, both ways: <c>set(ipv4(ttl=5)),push_vlan(vid=10,pcp=3),7</c>.</summary>
/// <remarks>Threads: no state.</remarks>
public static class ActionText
{
    /// <summary>Reads actions.</summary>
    /// <param name="text">The whole text; <c>drop</c> and nothing at all are the empty list.</param>
    /// <param name="actions">Gets the payload of OVS_FLOW_ATTR_ACTIONS.</param>
    /// <param name="error">Where and what, also when the writer's buffer is too small.</param>
    /// <param name="ports">Ports that may be named; null: numbers only.</param>
    /// <param name="map">Gets the place of each action and nested action.</param>
    /// <returns>False with an <paramref name="error"/>.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, ref NetlinkWriter actions, out TextError error, IPortNames? ports = null, TextMap? map = null) =>
        throw new NotSupportedException();

    /// <summary>Appends actions.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="actions">Payload of OVS_FLOW_ATTR_ACTIONS. Malformed bytes are printed as such.</param>
    /// <param name="ports">Names of ports; null: numbers.</param>
    public static void Format(StringBuilder text, ReadOnlySpan<byte> actions, IPortNames? ports = null) => throw new NotSupportedException();
}
