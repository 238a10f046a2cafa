using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>OVS_FLOW_ATTR_*, in the order of linux/openvswitch.h.</summary>
[NetlinkAttributes]
public enum OvsFlowAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>OVS_KEY_ATTR_*.</summary>
    [NetlinkPayload(NetlinkType.Nested)]
    Key,

    /// <summary>OVS_ACTION_ATTR_*.</summary>
    [NetlinkPayload(NetlinkType.Nested)]
    Actions,

    /// <summary>struct ovs_flow_stats.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    Stats,

    /// <summary>OR of the TCP flags seen.</summary>
    [NetlinkPayload(NetlinkType.U8, IsUnchecked = true)]
    TcpFlags,

    /// <summary>When the last packet matched, in milliseconds of the monotonic clock.</summary>
    [NetlinkPayload(NetlinkType.U64, IsUnchecked = true)]
    Used,

    /// <summary>Start counting anew.</summary>
    [NetlinkPayload(NetlinkType.Flag)]
    Clear,

    /// <summary>OVS_KEY_ATTR_*: which bits of the key matter.</summary>
    [NetlinkPayload(NetlinkType.Nested)]
    Mask,

    /// <summary>The request only tests what is supported: refusals are not logged.</summary>
    [NetlinkPayload(NetlinkType.Flag)]
    Probe,

    /// <summary>1 to 16 bytes chosen by user space that name the flow.</summary>
    [NetlinkPayload(NetlinkType.Bytes, Length = 1)]
    Ufid,

    /// <summary>OVS_UFID_F_*: what to leave out of the reply.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    UfidFlags,

    /// <summary>Aligns what follows to 8 bytes; never needed here.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    Padding,
}
