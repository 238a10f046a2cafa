using Engine.Flows;
using Engine.Primitives;

namespace Engine.Actions;

/// <summary>The immutable program of a flow: its actions, validated as the kernel does and compiled to steps.</summary>
/// <remarks>Threads: any number of readers.</remarks>
public sealed class ActionList : FlowActions
{
    private ActionList()
    {
    }

    /// <summary>The actions as netlink attributes, as the kernel shows them in flow dumps.</summary>
    public override ReadOnlySpan<byte> Attributes => throw new NotSupportedException();

    /// <summary>Whether the list drops every packet because there is no action in it.</summary>
    public bool IsEmpty => throw new NotSupportedException();

    /// <summary>The port, when the list is one output and nothing else; -1 otherwise. A batch of such packets needs no executor.</summary>
    public int SingleOutputPort => throw new NotSupportedException();

    /// <summary>Validates and compiles actions.</summary>
    /// <param name="attributes">OVS_ACTION_ATTR_* attributes, the payload of OVS_FLOW_ATTR_ACTIONS or OVS_PACKET_ATTR_ACTIONS.</param>
    /// <param name="key">The masked key of the flow, or for OVS_PACKET_CMD_EXECUTE the key of the packet.</param>
    /// <param name="features">Which actions are known.</param>
    /// <param name="list">The program, null when refused.</param>
    /// <returns>The kernel's errno with a reason when refused.</returns>
    public static Refusal TryCreate(ReadOnlySpan<byte> attributes, in FlowKey key, ActionFeatures features, out ActionList? list) =>
        throw new NotSupportedException();
}
