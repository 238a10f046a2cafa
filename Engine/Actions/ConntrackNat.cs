using Engine.Primitives;

namespace Engine.Actions;

/// <summary>The address translation of a ct action (OVS_NAT_ATTR_*).</summary>
public sealed record ConntrackNat
{
    /// <summary>Whether the source of the original direction is translated.</summary>
    public bool IsSource { get; init; }

    /// <summary>Whether the destination of the original direction is translated. With neither, existing translations are applied.</summary>
    public bool IsDestination { get; init; }

    /// <summary>Whether an address range is given.</summary>
    public bool HasAddresses { get; init; }

    /// <summary>First address; for IPv4 the first four bytes count.</summary>
    public Ipv6Address MinimumAddress { get; init; }

    /// <summary>Last address.</summary>
    public Ipv6Address MaximumAddress { get; init; }

    /// <summary>Whether a port range is given.</summary>
    public bool HasPorts { get; init; }

    /// <summary>First port.</summary>
    public ushort MinimumPort { get; init; }

    /// <summary>Last port.</summary>
    public ushort MaximumPort { get; init; }

    /// <summary>Whether one source keeps one address.</summary>
    public bool IsPersistent { get; init; }

    /// <summary>Whether the port is picked by a hash.</summary>
    public bool HashesPorts { get; init; }

    /// <summary>Whether the port is picked at random.</summary>
    public bool RandomPorts { get; init; }
}
