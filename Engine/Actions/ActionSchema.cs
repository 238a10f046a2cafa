using Engine.Netlink;

namespace Engine.Actions;

/// <summary>One action as declared: what text and control programs need to know of it.</summary>
/// <param name="Attribute">OVS_ACTION_ATTR_*.</param>
/// <param name="Name">Its name in ovs-dpctl text.</param>
/// <param name="Length">Bytes of the payload; -1 when they vary.</param>
public sealed record ActionSchema(OvsActionAttribute Attribute, string Name, int Length)
{
    /// <summary>All actions, in the order of their numbers.</summary>
    public static IReadOnlyList<ActionSchema> Actions => ActionCompiler.Schemas;
}
