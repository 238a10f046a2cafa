namespace Engine.Tests.Live;

/// <summary>Two hosts, each in a namespace with a veth device "eth", whose other ends "left" and "right" are in the switch's namespace.</summary>
internal sealed class TwoHosts : IDisposable
{
    /// <summary>Makes the namespaces and devices.</summary>
    /// <param name="mtu">Of all devices.</param>
    public TwoHosts(int mtu = 1500)
    {
        Requires.NetworkAdministration();
        Left = new NetworkNamespace();
        Switch = new NetworkNamespace();
        Right = new NetworkNamespace();
        try
        {
            // No router solicitations or the like from the switch's ends.
            Switch.Run("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
            Join(Left, "left", 1, mtu);
            Join(Right, "right", 2, mtu);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The host with 10.77.0.1 and fd77::1.</summary>
    public NetworkNamespace Left { get; }

    /// <summary>Where the devices "left" and "right" are.</summary>
    public NetworkNamespace Switch { get; }

    /// <summary>The host with 10.77.0.2 and fd77::2.</summary>
    public NetworkNamespace Right { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Left.Dispose();
        Right.Dispose();
        Switch.Dispose();
    }

    private void Join(NetworkNamespace host, string end, int number, int mtu)
    {
        Switch.Run($"ip link add {end} mtu {mtu} type veth peer name eth netns {host.Name} mtu {mtu}; ip link set {end} up");
        host.Run($"""
            ip link set eth address 02:00:00:00:77:0{number}
            ip addr add 10.77.0.{number}/24 dev eth
            ip addr add fd77::{number}/64 dev eth nodad
            ip link set eth up
            """);
    }
}
