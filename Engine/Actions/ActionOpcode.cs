namespace Engine.Actions;

/// <summary>What one step of a compiled list does.</summary>
internal enum ActionOpcode : byte
{
    /// <summary>Argument: port.</summary>
    Output,

    /// <summary>Argument: netlink port id; offset: <see cref="UserspaceRecord"/>.</summary>
    Userspace,

    /// <summary>Argument: recirculation id.</summary>
    Recirculate,

    /// <summary>Argument: bytes to keep.</summary>
    Truncate,

    /// <summary>Argument: basis; small: algorithm.</summary>
    Hash,

    /// <summary>Argument: probability out of 2^32 - 1; nested: the list.</summary>
    Sample,

    /// <summary>Nested: the list.</summary>
    Clone,

    /// <summary>Small: length; nested: the list for packets up to it, argument steps of it, then the one for longer packets.</summary>
    CheckPacketLength,

    /// <summary>Nested: the list for packets whose TTL is used up.</summary>
    DecrementTtl,

    /// <summary>Argument: meter id.</summary>
    Meter,

    /// <summary>Argument: index of the <see cref="ConntrackArguments"/>.</summary>
    Conntrack,

    /// <summary>No argument.</summary>
    ConntrackClear,

    /// <summary>Argument: error.</summary>
    Drop,

    /// <summary>Argument: index of the <see cref="Flows.TunnelKey"/>.</summary>
    SetTunnel,

    /// <summary>Always fails, as in the kernel: conntrack mark and labels are set by ct only.</summary>
    SetConntrackField,

    /// <summary>Offset: destination, source, then their masks.</summary>
    SetEthernet,

    /// <summary>Offset: struct ovs_key_ipv4, then its mask.</summary>
    SetIpv4,

    /// <summary>Offset: struct ovs_key_ipv6, then its mask.</summary>
    SetIpv6,

    /// <summary>Argument: ports; offset: ports, then their masks.</summary>
    SetTcp,

    /// <summary>As <see cref="SetTcp"/>.</summary>
    SetUdp,

    /// <summary>As <see cref="SetTcp"/>.</summary>
    SetSctp,

    /// <summary>Offset: label stack entry, then its mask.</summary>
    SetMpls,

    /// <summary>Offset: value, then its mask.</summary>
    SetPriority,

    /// <summary>Offset: value, then its mask.</summary>
    SetMark,

    /// <summary>Argument: TPID and TCI as they stand in the packet.</summary>
    PushVlan,

    /// <summary>No argument.</summary>
    PopVlan,

    /// <summary>Argument: label stack entry as in the packet; small: Ethernet type as in the packet.</summary>
    PushMpls,

    /// <summary>As <see cref="PushMpls"/>, but in front of the Ethernet header.</summary>
    AddMpls,

    /// <summary>Small: Ethernet type as in the packet.</summary>
    PopMpls,

    /// <summary>Offset: destination and source.</summary>
    PushEthernet,

    /// <summary>No argument.</summary>
    PopEthernet,

    /// <summary>Offset: the header; small: its length.</summary>
    PushNsh,

    /// <summary>No argument.</summary>
    PopNsh,
}
