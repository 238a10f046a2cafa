using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>OVS_PACKET_ATTR_*, in the order of linux/openvswitch.h.</summary>
[NetlinkAttributes]
public enum OvsPacketAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>The packet.</summary>
    [NetlinkPayload(NetlinkType.Bytes, Length = 14)]
    Packet,

    /// <summary>OVS_KEY_ATTR_*.</summary>
    [NetlinkPayload(NetlinkType.Nested)]
    Key,

    /// <summary>OVS_ACTION_ATTR_*.</summary>
    [NetlinkPayload(NetlinkType.Nested)]
    Actions,

    /// <summary>What the userspace action carried.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    Userdata,

    /// <summary>OVS_TUNNEL_KEY_ATTR_* that output to a tunnel port would use.</summary>
    [NetlinkPayload(NetlinkType.Nested, IsUnchecked = true)]
    EgressTunnelKey,

    /// <summary>Not used.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    Unused1,

    /// <summary>Not used.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    Unused2,

    /// <summary>The request only tests what is supported: refusals are not logged.</summary>
    [NetlinkPayload(NetlinkType.Flag)]
    Probe,

    /// <summary>Largest L3 length of the fragments the packet was put together from.</summary>
    [NetlinkPayload(NetlinkType.U16)]
    MaximumReceiveUnit,

    /// <summary>Length of the packet before it was cut.</summary>
    [NetlinkPayload(NetlinkType.U32, IsUnchecked = true)]
    Length,

    /// <summary>The packet's hash, and how it was made.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    Hash,
}
