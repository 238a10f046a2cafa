namespace Engine.Vports;

/// <summary>The device behind a port, as the factory has found or made it.</summary>
/// <param name="Name">Its name, with %d replaced.</param>
/// <param name="Ifindex">Its index in the network namespace.</param>
/// <param name="Driver">How packets get in and out. Disposing it detaches the device, or removes one that was made, and ends its rings and channels.</param>
public sealed record VportDevice(string Name, int Ifindex, IVportDriver Driver)
{
    /// <summary>The ways in, each looked at by one worker. A factory that says nothing of workers has one: its driver.</summary>
    public IReadOnlyList<VportRing> Rings { get; init; } = [];

    /// <summary>
    /// The way out of each worker, by number; one may be the way of several whose sends need no order among them. Null when all send
    /// by <see cref="Driver"/>, one at a time.
    /// </summary>
    public IReadOnlyList<IVportDriver>? Channels { get; init; }

    /// <summary>How it is driven; null where nothing was to be chosen.</summary>
    public DriverChoice? Choice { get; init; }

    /// <summary>The longest L3 packet it takes, in bytes.</summary>
    public int MaximumTransmissionUnit { get; init; } = 1500;

    /// <summary>Whether it takes packets without an Ethernet header.</summary>
    public bool TakesBarePackets { get; init; }

    /// <summary>Reads what the host has counted at the device since it is there; null where the host counts nothing.</summary>
    public Func<VportStats>? ReadStats { get; init; }

    /// <summary>UDP port of a tunnel; 0 for other devices.</summary>
    public ushort DestinationPort { get; init; }
}
