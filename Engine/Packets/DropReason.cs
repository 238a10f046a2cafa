namespace Engine.Packets;

/// <summary>Every way a packet can end other than by leaving through a port; each has a counter per worker.</summary>
/// <remarks>The first ones are the kernel's (net/openvswitch/drop.h) under its names.</remarks>
public enum DropReason
{
    /// <summary>The action list ended without consuming the packet, or is empty.</summary>
    LastAction,

    /// <summary>An action failed on this packet, for instance set on a header that is cut short.</summary>
    ActionError,

    /// <summary>The drop action with error 0.</summary>
    Explicit,

    /// <summary>The drop action with an error.</summary>
    ExplicitWithError,

    /// <summary>A meter's band was exceeded.</summary>
    Meter,

    /// <summary>Recirculated or nested too often.</summary>
    RecursionLimit,

    /// <summary>More deferred actions than the worker can hold.</summary>
    DeferredLimit,

    /// <summary>Connection tracking refused the packet.</summary>
    Conntrack,

    /// <summary>dec_ttl found the TTL at 0 or 1 and had nothing else to do.</summary>
    IpTtl,

    /// <summary>No flow matched and no handler takes upcalls.</summary>
    Miss,

    /// <summary>No flow matched and the upcall queue was full (datapath statistic "lost").</summary>
    UpcallQueueFull,

    /// <summary>The key could not be extracted (bad NSH header).</summary>
    ExtractionFailed,

    /// <summary>The output port does not exist.</summary>
    NoSuchPort,

    /// <summary>Longer than the MTU of the output port.</summary>
    TooBig,

    /// <summary>The output port takes only packets with an Ethernet header.</summary>
    NoEthernetHeader,

    /// <summary>The packet was shorter than an Ethernet header.</summary>
    TooShort,

    /// <summary>A received packet is longer than a frame of the pool can hold.</summary>
    FrameTooSmall,

    /// <summary>No free frame for a packet or its copy.</summary>
    NoMemory,

    /// <summary>The driver's transmit queue was full.</summary>
    TransmitQueueFull,

    /// <summary>Sent to a tunnel port without a tunnel key, or with one the port cannot carry.</summary>
    NoTunnel,

    /// <summary>The host has no route to the tunnel's other end, or not from the source the key names.</summary>
    NoRoute,

    /// <summary>A tunnel header is cut short, malformed, or has bits that must not be set.</summary>
    TunnelHeader,

    /// <summary>The payload of a tunnel packet is no frame, or of a kind the port does not take.</summary>
    TunnelPayload,

    /// <summary>The outer header reports congestion to an inner packet that cannot bear the mark (RFC 6040).</summary>
    TunnelCongestion,
}
