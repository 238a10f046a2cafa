using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>OVS_VPORT_ATTR_*, in the order of linux/openvswitch.h.</summary>
[NetlinkAttributes]
public enum OvsVportAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>Number of the port in its datapath.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    PortNumber,

    /// <summary>OVS_VPORT_TYPE_*.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    Type,

    /// <summary>Name of its device.</summary>
    [NetlinkPayload(NetlinkType.NulString, Length = 15)]
    Name,

    /// <summary>OVS_TUNNEL_ATTR_*, of a tunnel.</summary>
    [NetlinkPayload(NetlinkType.Nested)]
    Options,

    /// <summary>Array of u32: netlink port ids for upcalls, among which a packet's hash chooses.</summary>
    [NetlinkPayload(NetlinkType.Bytes)]
    UpcallPortIds,

    /// <summary>struct ovs_vport_stats.</summary>
    [NetlinkPayload(NetlinkType.Bytes, Length = 64)]
    Stats,

    /// <summary>Aligns what follows to 8 bytes; never needed here.</summary>
    [NetlinkPayload(NetlinkType.Bytes, IsUnchecked = true)]
    Padding,

    /// <summary>Index of its device; in a request, the index wished for.</summary>
    [NetlinkPayload(NetlinkType.S32, HasRange = true, Minimum = 0, Maximum = int.MaxValue)]
    Ifindex,

    /// <summary>Network namespace of its device, where that is another one.</summary>
    [NetlinkPayload(NetlinkType.S32)]
    NamespaceId,
}
