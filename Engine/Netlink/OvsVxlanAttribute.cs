using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>OVS_VXLAN_EXT_*, in the order of linux/openvswitch.h.</summary>
[NetlinkAttributes]
public enum OvsVxlanAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>Group policy in the VXLAN header.</summary>
    [NetlinkPayload(NetlinkType.Flag)]
    GroupPolicy,
}
