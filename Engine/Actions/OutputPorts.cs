using Engine.Netlink;

namespace Engine.Actions;

/// <summary>Finds the ports that a list of actions may send packets to, nested lists included.</summary>
/// <remarks>Threads: no state.</remarks>
public static class OutputPorts
{
    // linux/openvswitch.h: OVS_SAMPLE_ATTR_ACTIONS, OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER and _IF_LESS_EQUAL, OVS_DEC_TTL_ATTR_ACTION.
    private const int SampleActions = 2;
    private const int CheckPacketLengthIfGreater = 2;
    private const int CheckPacketLengthIfLessOrEqual = 3;
    private const int DecrementTtlActions = 1;

    /// <summary>Adds the numbers of the ports.</summary>
    /// <param name="attributes">OVS_ACTION_ATTR_* attributes of an accepted list.</param>
    /// <param name="ports">Gets each number once.</param>
    public static void Collect(ReadOnlySpan<byte> attributes, ISet<uint> ports)
    {
        ArgumentNullException.ThrowIfNull(ports);
        foreach (NetlinkAttribute action in new NetlinkAttributes(attributes))
        {
            switch ((OvsActionAttribute)action.Type)
            {
                case OvsActionAttribute.Output:
                    ports.Add(action.Read<uint>());
                    break;
                case OvsActionAttribute.Clone:
                    Collect(action.Payload, ports);
                    break;
                case OvsActionAttribute.Sample:
                    CollectNested(action, SampleActions, SampleActions, ports);
                    break;
                case OvsActionAttribute.CheckPacketLength:
                    CollectNested(action, CheckPacketLengthIfGreater, CheckPacketLengthIfLessOrEqual, ports);
                    break;
                case OvsActionAttribute.DecrementTtl:
                    CollectNested(action, DecrementTtlActions, DecrementTtlActions, ports);
                    break;
                default:
                    break;
            }
        }
    }

    private static void CollectNested(NetlinkAttribute action, int firstType, int lastType, ISet<uint> ports)
    {
        foreach (NetlinkAttribute part in action.Nested)
        {
            if (part.Type >= firstType && part.Type <= lastType)
            {
                Collect(part.Payload, ports);
            }
        }
    }
}
