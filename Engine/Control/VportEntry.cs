using Engine.Vports;

namespace Engine.Control;

/// <summary>A port as a server tells it.</summary>
/// <param name="Number">Its number in the datapath.</param>
/// <param name="Name">Name of its device.</param>
/// <param name="Type">What it is.</param>
/// <param name="Stats">What has gone through it.</param>
public sealed record VportEntry(uint Number, string Name, VportType Type, VportStats Stats)
{
    /// <summary>UDP port of a tunnel; 0 for other ports.</summary>
    public ushort DestinationPort { get; init; }

    /// <summary>Whether a VXLAN port carries group policy.</summary>
    public bool HasGroupPolicy { get; init; }
}
