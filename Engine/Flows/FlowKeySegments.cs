namespace Engine.Flows;

/// <summary>The segments of a <see cref="FlowKey"/> beyond its core, one bit each, in the order they are laid out.</summary>
[Flags]
public enum FlowKeySegments
{
    /// <summary>The core only.</summary>
    None = 0,

    /// <summary>IPv6 addresses, label, extension headers.</summary>
    Ipv6 = 1,

    /// <summary>ARP hardware addresses.</summary>
    Arp = 2,

    /// <summary>MPLS label stack.</summary>
    Mpls = 4,

    /// <summary>Neighbour discovery target and options.</summary>
    NeighborDiscovery = 8,

    /// <summary>Network service header.</summary>
    Nsh = 16,

    /// <summary>Conntrack mark, labels and original tuple.</summary>
    Conntrack = 32,

    /// <summary>Tunnel addresses and flags.</summary>
    Tunnel = 64,

    /// <summary>Tunnel options.</summary>
    TunnelOptions = 128,
}
