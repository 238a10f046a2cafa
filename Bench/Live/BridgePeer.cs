namespace Bench.Live;

/// <summary>The kernel's bridge.</summary>
internal sealed class BridgePeer : ILivePeer
{
    public string Name => "Linux bridge";

    public bool IsSwitch => true;

    public string? Missing => null;

    public IDisposable Start(LiveNetwork network)
    {
        LiveNetwork.Run(network.Switch, "ip link add br0 type bridge; ip link set left master br0; ip link set right master br0; ip link set br0 up");
        return new Undo(() => LiveNetwork.Run(network.Switch, "ip link del br0"));
    }
}
