namespace Engine.Flows;

/// <summary>The tunnel that a set action gives to a packet: where to, and with what header.</summary>
/// <remarks>Made with the action list and never changed. Threads: any.</remarks>
public sealed class TunnelKey
{
    private readonly FlowKey _key;

    /// <summary>Copies the tunnel of a key.</summary>
    /// <param name="key">A key in which only the tunnel segments count.</param>
    public TunnelKey(in FlowKey key) => _key = key;

    /// <summary>A key in which only the tunnel segments are filled in.</summary>
    public ref readonly FlowKey Key => ref _key;

    /// <summary>What ports have made of it so as not to do it for each packet; theirs alone.</summary>
    internal object? Prepared { get; set; }
}
