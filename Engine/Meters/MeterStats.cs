using System.Runtime.InteropServices;

namespace Engine.Meters;

/// <summary>struct ovs_flow_stats of linux/openvswitch.h, as meters and their bands report it. 16 bytes.</summary>
/// <param name="Packets">Number of packets.</param>
/// <param name="Bytes">Number of bytes.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct MeterStats(ulong Packets, ulong Bytes);
