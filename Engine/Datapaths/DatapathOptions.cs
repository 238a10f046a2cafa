using Engine.Packets;

namespace Engine.Datapaths;

/// <summary>The sizes of a datapath, fixed when it is made.</summary>
public sealed record DatapathOptions
{
    /// <summary>Threads that process packets; each has its own memory, cache and counters.</summary>
    public int WorkerCount { get; init; } = 1;

    /// <summary>Standard packets that can exist at once in each worker.</summary>
    public int FrameCount { get; init; } = 4096;

    /// <summary>Bytes of a standard packet's frame; <see cref="PacketPool.XdpFrameSize"/> where ports are to be driven by AF_XDP.</summary>
    public int FrameSize { get; init; } = PacketPool.DefaultFrameSize;

    /// <summary>To how many entries each worker's flow cache may grow; 0 for none. 8 bytes each.</summary>
    public int CacheEntries { get; init; } = 1 << 20;

    /// <summary>Upcalls that can wait in each worker; more are lost, and counted.</summary>
    public int UpcallCapacity { get; init; } = 1024;
}
