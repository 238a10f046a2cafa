namespace Engine.Netlink;

/// <summary>OVS_NSH_KEY_ATTR_*, nested in OVS_KEY_ATTR_NSH.</summary>
public enum OvsNshKeyAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>struct ovs_nsh_key_base: flags, TTL, metadata type, next protocol, path header.</summary>
    Base,

    /// <summary>struct ovs_nsh_key_md1: four context headers, be32 each.</summary>
    Md1,

    /// <summary>Variable-length context headers; only in push_nsh.</summary>
    Md2,
}
