using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>CTRL_ATTR_* of requests, in the order of linux/genetlink.h.</summary>
[NetlinkAttributes]
public enum ControllerAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>Number of a family.</summary>
    [NetlinkPayload(NetlinkType.U16)]
    FamilyId,

    /// <summary>Name of a family.</summary>
    [NetlinkPayload(NetlinkType.NulString, Length = 15)]
    FamilyName,

    /// <summary>Version of a family.</summary>
    [NetlinkPayload(NetlinkType.U32, IsUnchecked = true)]
    Version,

    /// <summary>Bytes of the header behind the generic one.</summary>
    [NetlinkPayload(NetlinkType.U32, IsUnchecked = true)]
    HeaderSize,

    /// <summary>Highest attribute number.</summary>
    [NetlinkPayload(NetlinkType.U32, IsUnchecked = true)]
    MaximumAttribute,

    /// <summary>A list of CTRL_ATTR_OP_* sets.</summary>
    [NetlinkPayload(NetlinkType.Nested, IsUnchecked = true)]
    Operations,

    /// <summary>A list of CTRL_ATTR_MCAST_GRP_* sets.</summary>
    [NetlinkPayload(NetlinkType.Nested, IsUnchecked = true)]
    MulticastGroups,

    /// <summary>An attribute's policy.</summary>
    [NetlinkPayload(NetlinkType.Nested, IsUnchecked = true)]
    Policy,

    /// <summary>An operation's policy.</summary>
    [NetlinkPayload(NetlinkType.Nested, IsUnchecked = true)]
    OperationPolicy,

    /// <summary>The operation asked for.</summary>
    [NetlinkPayload(NetlinkType.U32, IsUnchecked = true)]
    Operation,
}
