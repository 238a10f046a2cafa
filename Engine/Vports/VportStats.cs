using System.Runtime.InteropServices;

namespace Engine.Vports;

/// <summary>struct ovs_vport_stats of linux/openvswitch.h: eight 64-bit counters in this order. 64 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VportStats
{
    /// <summary>Packets received.</summary>
    public ulong RxPackets;

    /// <summary>Packets sent.</summary>
    public ulong TxPackets;

    /// <summary>Bytes received.</summary>
    public ulong RxBytes;

    /// <summary>Bytes sent.</summary>
    public ulong TxBytes;

    /// <summary>Bad packets received.</summary>
    public ulong RxErrors;

    /// <summary>Packets that could not be sent.</summary>
    public ulong TxErrors;

    /// <summary>Received but dropped: no room.</summary>
    public ulong RxDropped;

    /// <summary>Dropped before sending: no room.</summary>
    public ulong TxDropped;
}
