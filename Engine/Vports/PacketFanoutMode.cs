namespace Engine.Vports;

/// <summary>How a packet socket group spreads frames (linux/if_packet.h, PACKET_FANOUT_*).</summary>
public enum PacketFanoutMode
{
    /// <summary>By the hash of addresses and ports, the same in both directions; a flow stays with one worker.</summary>
    Hash = 0,

    /// <summary>By the core that took the frame from the device.</summary>
    Core = 2,

    /// <summary>By the device's receive queue.</summary>
    ReceiveQueue = 5,
}
