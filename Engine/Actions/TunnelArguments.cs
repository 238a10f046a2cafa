using Engine.Flows;

namespace Engine.Actions;

/// <summary>The tunnel key that a set action gives to a packet.</summary>
internal sealed class TunnelArguments(in FlowKey key)
{
    private readonly FlowKey _key = key;

    /// <summary>A key in which only the tunnel segments are filled in.</summary>
    public ref readonly FlowKey Key => ref _key;
}
