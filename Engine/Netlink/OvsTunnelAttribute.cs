using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>OVS_TUNNEL_ATTR_*, in the order of linux/openvswitch.h: options of tunnel ports.</summary>
[NetlinkAttributes]
public enum OvsTunnelAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>UDP port, in host order.</summary>
    [NetlinkPayload(NetlinkType.U16, IsUnchecked = true)]
    DestinationPort,

    /// <summary>OVS_VXLAN_EXT_*.</summary>
    [NetlinkPayload(NetlinkType.Nested, IsUnchecked = true)]
    Extension,
}
