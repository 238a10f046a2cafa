namespace Engine.Netlink;

/// <summary>NLM_F_* of linux/netlink.h. The same bit means different things in different messages.</summary>
public static class NetlinkFlags
{
    /// <summary>The message asks for something.</summary>
    public const ushort Request = 1;

    /// <summary>One of several messages, ended by NLMSG_DONE.</summary>
    public const ushort Multi = 2;

    /// <summary>Answer with an ack, also when all went well.</summary>
    public const ushort Ack = 4;

    /// <summary>Send what was changed back to who asked.</summary>
    public const ushort Echo = 8;

    /// <summary>The dump is inconsistent because what is dumped changed meanwhile.</summary>
    public const ushort DumpInterrupted = 0x10;

    /// <summary>In a request to read: all there is.</summary>
    public const ushort Dump = 0x300;

    /// <summary>In a request to make: only if it is not there.</summary>
    public const ushort Exclusive = 0x200;

    /// <summary>In a request to make: make it if it is not there.</summary>
    public const ushort Create = 0x400;

    /// <summary>In an error message: the request is cut to its header.</summary>
    public const ushort Capped = 0x100;

    /// <summary>In an error message: attributes of an extended ack follow.</summary>
    public const ushort AckAttributes = 0x200;
}
