using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>OVS_DP_ATTR_*, in the order of linux/openvswitch.h.</summary>
[NetlinkAttributes]
public enum OvsDatapathAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>Name of the datapath: that of its local port's device.</summary>
    [NetlinkPayload(NetlinkType.NulString, Length = 15)]
    Name,

    /// <summary>Netlink port id for the upcalls of the local port, 0 for none.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    UpcallPortId,

    /// <summary>struct ovs_dp_stats.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    Stats,

    /// <summary>struct ovs_dp_megaflow_stats.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    MegaflowStats,

    /// <summary>OVS_DP_F_* bits.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    UserFeatures,

    /// <summary>Aligns what follows to 8 bytes; never needed here.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    Padding,

    /// <summary>Entries of the cache of masks: 0 or a power of two.</summary>
    [NetlinkPayload(NetlinkType.U32, HasRange = true, Minimum = 0, Maximum = 4096)]
    MasksCacheSize,

    /// <summary>Array of u32: netlink port ids for the upcalls of each processor.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    PerProcessorPortIds,

    /// <summary>Index wished for the local port's device; 0 for any.</summary>
    [NetlinkPayload(NetlinkType.S32, HasRange = true, Minimum = 0, Maximum = int.MaxValue)]
    Ifindex,
}
