using System.Runtime.InteropServices;

namespace Engine.Flows;

/// <summary>What a flow has matched, as counted by one worker or summed over all. 32 bytes.</summary>
/// <remarks>Threads: written by one worker, read by the control thread; each field is read whole, the set need not be consistent.</remarks>
[StructLayout(LayoutKind.Sequential)]
public struct FlowStats
{
    /// <summary>Packets matched.</summary>
    public ulong Packets;

    /// <summary>Bytes of the packets matched.</summary>
    public ulong Bytes;

    /// <summary>When the last packet matched, in milliseconds of the monotonic clock; 0 if never.</summary>
    public long UsedAtMs;

    /// <summary>OR of the TCP flags of all packets matched, low 8 bits.</summary>
    public byte TcpFlags;

    /// <summary>Adds what another worker counted.</summary>
    public void Add(in FlowStats other)
    {
        Packets += other.Packets;
        Bytes += other.Bytes;
        UsedAtMs = Math.Max(UsedAtMs, other.UsedAtMs);
        TcpFlags |= other.TcpFlags;
    }
}
