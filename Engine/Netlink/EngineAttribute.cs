using Engine.Annotations;

namespace Engine.Netlink;

/// <summary>Attributes of the engine's own family <c>engine</c>: what the kernel's families have no place for.</summary>
[NetlinkAttributes]
public enum EngineAttribute
{
    /// <summary>Reserved.</summary>
    Unspecified,

    /// <summary>Number of a port in its datapath.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    PortNumber,

    /// <summary>How its device is driven.</summary>
    [NetlinkPayload(NetlinkType.NulString, Length = 255)]
    Driver,

    /// <summary>Why a better way was not taken.</summary>
    [NetlinkPayload(NetlinkType.NulString, Length = 1023)]
    Reason,

    /// <summary>Number of a worker.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    Worker,

    /// <summary>The processor it is pinned to.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    Core,

    /// <summary>Rings that it looks at.</summary>
    [NetlinkPayload(NetlinkType.U32)]
    RingCount,

    /// <summary>Cycles of rounds that found packets.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    BusyCycles,

    /// <summary>Cycles of rounds that found none, and of sleep.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    IdleCycles,

    /// <summary>Times it has looked at all its rings.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    Rounds,

    /// <summary>Times it has gone to sleep.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    Sleeps,

    /// <summary>Batches received.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    Batches,

    /// <summary>Packets received.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    Packets,

    /// <summary>Packets that matched no flow.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    Misses,

    /// <summary>Upcalls handed to a handler.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    Upcalls,

    /// <summary>Its longest round, in nanoseconds.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    LongestRoundNs,

    /// <summary>What 999 of 1,000 rounds did not exceed, in nanoseconds.</summary>
    [NetlinkPayload(NetlinkType.U64)]
    UsualRoundNs,
}
