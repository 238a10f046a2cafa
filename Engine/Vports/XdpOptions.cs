namespace Engine.Vports;

/// <summary>How an <see cref="XdpDriver"/> is set up.</summary>
public sealed record XdpOptions
{
    /// <summary>The device's receive queue. Packets of queues without a driver go to the host.</summary>
    public int Queue { get; init; }

    /// <summary>How the program is attached; the first driver of a device decides.</summary>
    public XdpMode Mode { get; init; }

    /// <summary>Entries of each ring, a power of two. As many frames of the pool wait in the kernel to be received into.</summary>
    public int RingSize { get; init; } = 2048;
}
