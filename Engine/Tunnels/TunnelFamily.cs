namespace Engine.Tunnels;

/// <summary>What <see cref="Flows.FlowKey.TunnelProtocol"/> holds.</summary>
internal static class TunnelFamily
{
    /// <summary>AF_INET.</summary>
    public const byte Ipv4 = 2;

    /// <summary>AF_INET6.</summary>
    public const byte Ipv6 = 10;
}
