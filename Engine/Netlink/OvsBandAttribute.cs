using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>OVS_BAND_ATTR_*, in the order of linux/openvswitch.h.</summary>
[NetlinkAttributes]
public enum OvsBandAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>OVS_METER_BAND_TYPE_*.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    Type,

    /// <summary>Kilobits or packets a second.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    Rate,

    /// <summary>Kilobits or packets.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    Burst,

    /// <summary>struct ovs_flow_stats: what went over the band.</summary>
    [NetlinkPayload(NetlinkType.Bytes, Length = 16)]
    Stats,
}
