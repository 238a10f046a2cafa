namespace Engine.Vports;

/// <summary>What types of vports have in common.</summary>
public static class VportTypes
{
    /// <summary>Whether ports of the type are tunnels over UDP, whose requests name a UDP port (OVS_TUNNEL_ATTR_DST_PORT).</summary>
    public static bool IsUdpTunnel(this VportType type) =>
        type is VportType.Vxlan or VportType.Geneve or VportType.BareUdp or VportType.Lisp or VportType.Gtpu;
}
