namespace Engine.Netlink;

/// <summary>OVS_TUNNEL_KEY_ATTR_*, nested in OVS_KEY_ATTR_TUNNEL.</summary>
public enum OvsTunnelKeyAttribute
{
    /// <summary>be64, tunnel id.</summary>
    Id,

    /// <summary>be32.</summary>
    Ipv4Source,

    /// <summary>be32.</summary>
    Ipv4Destination,

    /// <summary>u8.</summary>
    Tos,

    /// <summary>u8.</summary>
    Ttl,

    /// <summary>Flag: set DF.</summary>
    DontFragment,

    /// <summary>Flag: checksum the outer header.</summary>
    Checksum,

    /// <summary>Flag: OAM frame.</summary>
    Oam,

    /// <summary>Geneve options, up to 255 bytes.</summary>
    GeneveOptions,

    /// <summary>be16.</summary>
    TransportSource,

    /// <summary>be16.</summary>
    TransportDestination,

    /// <summary>Nested: OVS_VXLAN_EXT_*.</summary>
    VxlanOptions,

    /// <summary>16 bytes.</summary>
    Ipv6Source,

    /// <summary>16 bytes.</summary>
    Ipv6Destination,

    /// <summary>Padding for alignment.</summary>
    Padding,

    /// <summary>struct erspan_metadata.</summary>
    ErspanOptions,

    /// <summary>Flag: bridge mode of an ip_tunnel_info.</summary>
    Ipv4InfoBridge,
}
