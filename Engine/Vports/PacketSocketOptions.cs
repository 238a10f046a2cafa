namespace Engine.Vports;

/// <summary>How a <see cref="PacketSocketDriver"/> is set up.</summary>
public sealed record PacketSocketOptions
{
    /// <summary>Slots of the receive ring, a power of two of at least 64. A slot takes 2 KiB, more on a device with a larger MTU.</summary>
    public int RingSlots { get; init; } = 4096;

    /// <summary>
    /// A number that all drivers of one device share, one driver for each worker; frames are spread among them by
    /// <see cref="FanoutMode"/>. Unused by others in the network namespace; 0 makes a group, whose number the driver tells; null when the driver is alone.
    /// </summary>
    public ushort? FanoutGroup { get; init; }

    /// <summary>The queue by which complete frames are sent; one driver of each queue can send that way, others do without.</summary>
    public int Queue { get; init; }

    /// <summary>How frames are spread among the drivers of a group; the same for all of them.</summary>
    public PacketFanoutMode FanoutMode { get; init; }
}
