namespace Engine.Tunnels;

/// <summary>What follows a tunnel header.</summary>
/// <param name="Offset">Where it starts, from the tunnel header on.</param>
/// <param name="EtherType">Its type; <see cref="Protocols.EtherTypes.TransparentEthernet"/> for an Ethernet frame.</param>
internal readonly record struct TunnelPayload(int Offset, ushort EtherType)
{
    /// <summary>Whether it is an Ethernet frame.</summary>
    public bool HasEthernet => EtherType == Protocols.EtherTypes.TransparentEthernet;
}
