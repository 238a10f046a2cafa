namespace Engine.Flows;

/// <summary>The actions of a flow as the flow table sees them: bytes to echo. What they do is known a layer above.</summary>
public abstract class FlowActions
{
    /// <summary>The OVS_ACTION_ATTR_* attributes as the control program gave them.</summary>
    public abstract ReadOnlySpan<byte> Attributes { get; }

    /// <summary>The port, when the actions are one output and nothing else; -1 otherwise. A batch of such packets needs no executor.</summary>
    public virtual int SingleOutputPort => -1;
}
