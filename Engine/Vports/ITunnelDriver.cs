using Engine.Flows;
using Engine.Packets;

namespace Engine.Vports;

/// <summary>A driver that puts an outer header before packets: a tunnel port. Its rings are <see cref="ITunnelReceiver"/>s.</summary>
/// <remarks>Threads: any number send at once.</remarks>
internal interface ITunnelDriver : IVportDriver
{
    /// <summary>The ways in.</summary>
    IReadOnlyList<VportRing> Rings { get; }

    /// <summary>As <see cref="IVportDriver.Transmit"/>, each packet with the tunnel it goes by.</summary>
    /// <param name="pool">Where the frames are of.</param>
    /// <param name="batch">The inner packets; taken.</param>
    /// <param name="tunnels">The tunnel of packet i, at index i.</param>
    /// <param name="drops">Counts what was dropped, by <see cref="DropReason"/>.</param>
    /// <returns>How many were sent.</returns>
    int Transmit(PacketPool pool, ref PacketBatch batch, ReadOnlySpan<TunnelKey?> tunnels, Span<ulong> drops);

    /// <summary>The tunnel key with what the port would add to it for this packet: source address and ports (ndo_fill_metadata_dst).</summary>
    /// <param name="tunnel">The tunnel.</param>
    /// <param name="flowHash">Of the packet.</param>
    /// <param name="egress">The key.</param>
    /// <returns>False when the packet would be dropped.</returns>
    bool TryDescribeEgress(TunnelKey tunnel, ulong flowHash, out FlowKey egress);
}
