namespace Engine.Vports;

/// <summary>What a new port is to be.</summary>
/// <param name="Name">Name of the device; for an internal port it may hold %d, which becomes the first free number.</param>
/// <param name="Type">What it is.</param>
public sealed record VportRequest(string Name, VportType Type)
{
    /// <summary>The index wished for a device that is made; 0 for any.</summary>
    public int Ifindex { get; init; }

    /// <summary>UDP port of a tunnel; null where the request names none. 0 stands for the usual one.</summary>
    public ushort? DestinationPort { get; init; }

    /// <summary>Whether a VXLAN port carries other packets than Ethernet frames too (VXLAN-GPE).</summary>
    public bool IsGeneric { get; init; }

    /// <summary>Whether a VXLAN port carries group policy.</summary>
    public bool HasGroupPolicy { get; init; }

    /// <summary>How the device is to be driven.</summary>
    public VportOptions Options { get; init; } = VportOptions.Default;

    /// <summary>The workers that are to serve the port; null when it is driven by its <see cref="VportDevice.Driver"/> alone.</summary>
    public VportWorkers? Workers { get; init; }
}
