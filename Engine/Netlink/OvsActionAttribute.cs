namespace Engine.Netlink;

/// <summary>OVS_ACTION_ATTR_*, in the order of linux/openvswitch.h.</summary>
public enum OvsActionAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>u32, port number.</summary>
    Output,

    /// <summary>Nested: OVS_USERSPACE_ATTR_*.</summary>
    Userspace,

    /// <summary>Nested: one OVS_KEY_ATTR_*.</summary>
    Set,

    /// <summary>struct ovs_action_push_vlan: be16 TPID, be16 TCI.</summary>
    PushVlan,

    /// <summary>Empty.</summary>
    PopVlan,

    /// <summary>Nested: OVS_SAMPLE_ATTR_*.</summary>
    Sample,

    /// <summary>u32, recirculation id.</summary>
    Recirculate,

    /// <summary>struct ovs_action_hash: u32 algorithm, u32 basis.</summary>
    Hash,

    /// <summary>struct ovs_action_push_mpls: be32 LSE, be16 Ethernet type.</summary>
    PushMpls,

    /// <summary>be16, Ethernet type afterwards.</summary>
    PopMpls,

    /// <summary>Nested: one OVS_KEY_ATTR_* with its mask behind the value.</summary>
    SetMasked,

    /// <summary>Nested: OVS_CT_ATTR_*.</summary>
    Conntrack,

    /// <summary>struct ovs_action_trunc: u32 length.</summary>
    Truncate,

    /// <summary>struct ovs_action_push_eth: destination and source.</summary>
    PushEthernet,

    /// <summary>Empty.</summary>
    PopEthernet,

    /// <summary>Empty.</summary>
    ConntrackClear,

    /// <summary>Nested: OVS_NSH_KEY_ATTR_*.</summary>
    PushNsh,

    /// <summary>Empty.</summary>
    PopNsh,

    /// <summary>u32, meter id.</summary>
    Meter,

    /// <summary>Nested: actions.</summary>
    Clone,

    /// <summary>Nested: OVS_CHECK_PKT_LEN_ATTR_*.</summary>
    CheckPacketLength,

    /// <summary>struct ovs_action_add_mpls: be32 LSE, be16 Ethernet type, u16 flags.</summary>
    AddMpls,

    /// <summary>Nested: OVS_DEC_TTL_ATTR_ACTION.</summary>
    DecrementTtl,

    /// <summary>u32, error; Linux 6.6.</summary>
    Drop,
}
