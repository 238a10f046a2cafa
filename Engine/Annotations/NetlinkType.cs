namespace Engine.Annotations;

/// <summary>What a netlink attribute carries: the kernel's NLA_* of net/netlink.h, with the numbers of NL_ATTR_TYPE_* in linux/netlink.h.</summary>
public enum NetlinkType
{
    /// <summary>Bytes that only their number is checked of (NLA_UNSPEC). Policy dumps leave it out.</summary>
    Bytes = 0,

    /// <summary>Nothing: to be there is all it says.</summary>
    Flag = 1,

    /// <summary>An unsigned number of 1 byte.</summary>
    U8 = 2,

    /// <summary>An unsigned number of 2 bytes, in host order.</summary>
    U16 = 3,

    /// <summary>An unsigned number of 4 bytes, in host order.</summary>
    U32 = 4,

    /// <summary>An unsigned number of 8 bytes, in host order.</summary>
    U64 = 5,

    /// <summary>A signed number of 4 bytes, in host order.</summary>
    S32 = 8,

    /// <summary>Characters and a NUL.</summary>
    NulString = 12,

    /// <summary>Attributes.</summary>
    Nested = 13,
}
