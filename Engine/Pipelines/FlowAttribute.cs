namespace Engine.Pipelines;

/// <summary>A flow of a class marked <see cref="PipelineAttribute"/>. Of several that match a packet, the first is taken.</summary>
/// <param name="key">Key and mask, as <c>ovs-dpctl</c> prints them: <c>in_port(1),eth_type(0x0806)</c>.</param>
/// <param name="actions">Actions, as <c>ovs-dpctl</c> prints them: <c>push_vlan(vid=7,pcp=0),2</c>.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class FlowAttribute(string key, string actions) : Attribute
{
    /// <summary>Key and mask.</summary>
    public string Key { get; } = key;

    /// <summary>Actions.</summary>
    public string Actions { get; } = actions;
}
