using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>Options of a netdev port, in OVS_VPORT_ATTR_OPTIONS. The kernel reads none there; those of tunnels keep their numbers.</summary>
[NetlinkAttributes]
public enum EngineVportAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>OVS_TUNNEL_ATTR_DST_PORT, which means nothing here.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    DestinationPort,

    /// <summary>OVS_TUNNEL_ATTR_EXTENSION, which means nothing here.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    Extension,

    /// <summary>How frames are moved: a value of NetdevDriverKind.</summary>
    [NetlinkPayload(NetlinkType.U32, HasRange = true, Minimum = 0, Maximum = 3)]
    Driver,

    /// <summary>Receive rings; 0 for the engine's choice.</summary>
    [NetlinkPayload(NetlinkType.U32, HasRange = true, Minimum = 0, Maximum = 256)]
    RingCount,

    /// <summary>Array of u32: the workers that look at the rings, in turn.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    Workers,
}
