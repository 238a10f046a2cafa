using System.Runtime.InteropServices;

namespace Engine.Control;

/// <summary>struct ovs_zone_limit of linux/openvswitch.h. 12 bytes.</summary>
/// <param name="Zone">The zone, 0 to 65,535, or <see cref="DefaultZone"/>.</param>
/// <param name="Limit">The most connections it may have; 0 for any number.</param>
/// <param name="Count">The connections it has.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct ZoneLimit(int Zone, uint Limit, uint Count)
{
    /// <summary>OVS_ZONE_LIMIT_DEFAULT_ZONE: stands for all zones without a limit of their own.</summary>
    public const int DefaultZone = -1;
}
