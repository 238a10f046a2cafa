namespace Engine.Flows;

/// <summary>What the declaration of <see cref="FlowKey"/> says, as tables: each netlink key attribute with its parts.</summary>
public static partial class FlowKeySchema;
