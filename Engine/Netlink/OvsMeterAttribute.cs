using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>OVS_METER_ATTR_*, in the order of linux/openvswitch.h.</summary>
[NetlinkAttributes]
public enum OvsMeterAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>Number of the meter.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    Id,

    /// <summary>Rates are in kilobits a second; otherwise in packets a second.</summary>
    [NetlinkPayload(NetlinkType.Flag)]
    Kbps,

    /// <summary>struct ovs_flow_stats: what has passed the meter.</summary>
    [NetlinkPayload(NetlinkType.Bytes, Length = 16)]
    Stats,

    /// <summary>A list of OVS_BAND_ATTR_* sets.</summary>
    [NetlinkPayload(NetlinkType.Nested)]
    Bands,

    /// <summary>When the last packet passed, in milliseconds of the monotonic clock.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    Used,

    /// <summary>Start counting anew.</summary>
    [NetlinkPayload(NetlinkType.Flag)]
    Clear,

    /// <summary>How many meters there can be.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    MaximumMeters,

    /// <summary>How many bands a meter can have.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    MaximumBands,

    /// <summary>Aligns what follows to 8 bytes; never needed here.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    Padding,
}
