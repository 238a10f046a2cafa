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

    /// <summary>Other payloads than Ethernet (VXLAN-GPE): Open vSwitch's own number, which the kernel ignores.</summary>
    [NetlinkPayload(NetlinkType.Flag)]
    Generic,
}
