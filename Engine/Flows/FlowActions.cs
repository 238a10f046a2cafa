namespace Engine.Flows;

/// <summary>The actions of a flow as the flow table sees them: bytes to echo. What they do is known a layer above.</summary>
public abstract class FlowActions
{
    /// <summary>The OVS_ACTION_ATTR_* attributes as the control program gave them.</summary>
    public abstract ReadOnlySpan<byte> Attributes { get; }
}
