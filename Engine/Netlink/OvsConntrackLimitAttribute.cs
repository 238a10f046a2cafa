using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>OVS_CT_LIMIT_ATTR_*, in the order of linux/openvswitch.h.</summary>
[NetlinkAttributes]
public enum OvsConntrackLimitAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>Array of struct ovs_zone_limit: int zone, u32 limit, u32 count.</summary>
    [NetlinkPayload(NetlinkType.Nested)]
    ZoneLimit,
}
