using System.Runtime.InteropServices;

namespace Engine.Vports;

/// <summary>The device behind a port, as the factory has found or made it.</summary>
/// <param name="Name">Its name, with %d replaced.</param>
/// <param name="Ifindex">Its index in the network namespace.</param>
/// <param name="Driver">How packets get in and out. Disposing it detaches the device, or removes one that was made.</param>
public sealed record VportDevice(string Name, int Ifindex, IVportDriver Driver)
{
    /// <summary>The longest L3 packet it takes, in bytes.</summary>
    public int MaximumTransmissionUnit { get; init; } = 1500;

    /// <summary>Whether it takes packets without an Ethernet header.</summary>
    public bool TakesBarePackets { get; init; }

    /// <summary>Reads what the host has counted at the device since it is there; null where the host counts nothing.</summary>
    public Func<VportStats>? ReadStats { get; init; }

    /// <summary>What to wait on for packets; null where nothing can be waited on.</summary>
    public SafeHandle? WaitHandle { get; init; }

    /// <summary>Asks whether the host has taken the device away; null for one that stays as long as its driver.</summary>
    public Func<bool>? IsGone { get; init; }

    /// <summary>UDP port of a tunnel; 0 for other devices.</summary>
    public ushort DestinationPort { get; init; }
}
