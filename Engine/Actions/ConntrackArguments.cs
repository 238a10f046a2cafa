namespace Engine.Actions;

/// <summary>The arguments of a ct action (OVS_CT_ATTR_*), checked.</summary>
public sealed record ConntrackArguments
{
    /// <summary>Conntrack zone.</summary>
    public ushort Zone { get; init; }
}
