using System.Runtime.InteropServices;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>What the host has counted at a device: struct rtnl_link_stats64 of linux/if_link.h, as far as all kernels have it. 184 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NetdevStats
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

    /// <summary>Received but dropped.</summary>
    public ulong RxDropped;

    /// <summary>Dropped before sending.</summary>
    public ulong TxDropped;

    /// <summary>Multicast packets received.</summary>
    public ulong Multicast;

    /// <summary>Collisions.</summary>
    public ulong Collisions;

    /// <summary>Of the receive errors: wrong length.</summary>
    public ulong RxLengthErrors;

    /// <summary>Of the receive errors: ring overrun.</summary>
    public ulong RxOverErrors;

    /// <summary>Of the receive errors: wrong checksum.</summary>
    public ulong RxCrcErrors;

    /// <summary>Of the receive errors: frame alignment.</summary>
    public ulong RxFrameErrors;

    /// <summary>Of the receive errors: FIFO overrun.</summary>
    public ulong RxFifoErrors;

    /// <summary>Of the receive errors: missed.</summary>
    public ulong RxMissedErrors;

    /// <summary>Of the transmit errors: aborted.</summary>
    public ulong TxAbortedErrors;

    /// <summary>Of the transmit errors: no carrier.</summary>
    public ulong TxCarrierErrors;

    /// <summary>Of the transmit errors: FIFO underrun.</summary>
    public ulong TxFifoErrors;

    /// <summary>Of the transmit errors: heartbeat.</summary>
    public ulong TxHeartbeatErrors;

    /// <summary>Of the transmit errors: late collisions.</summary>
    public ulong TxWindowErrors;

    /// <summary>Compressed packets received.</summary>
    public ulong RxCompressed;

    /// <summary>Compressed packets sent.</summary>
    public ulong TxCompressed;

    /// <summary>Asks the host (RTM_GETSTATS), in the network namespace of the calling thread.</summary>
    /// <param name="name">Name of the device.</param>
    /// <param name="stats">What it has counted.</param>
    /// <returns>ENODEV when there is no such device.</returns>
    public static Errno TryRead(string name, out NetdevStats stats)
    {
        stats = default;
        Errno errno = NetworkDevice.TryFind(name, out NetworkDevice? device);
        if (device is null)
        {
            return errno;
        }

        using (device)
        using (LinkSocket links = new())
        {
            Span<ulong> counters = MemoryMarshal.Cast<NetdevStats, ulong>(new Span<NetdevStats>(ref stats));
            return links.TryReadStats(device.Index, counters) ? Errno.None : Errno.NoDevice;
        }
    }
}
