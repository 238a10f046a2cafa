using Engine.Flows;
using Engine.Packets;

namespace Engine.Vports;

/// <summary>A way into a tunnel port: packets whose outer header was taken off and stands in their keys.</summary>
/// <remarks>Threads: one worker receives.</remarks>
internal interface ITunnelReceiver : IVportDriver
{
    /// <summary>As <see cref="IVportDriver.Receive"/>, with the outer header of each packet in its key.</summary>
    /// <param name="pool">Where frames are taken from.</param>
    /// <param name="batch">Gets the inner packets; empty before.</param>
    /// <param name="keys">The key of packet i, at index i: metadata and tunnel fields are set, and the Ethernet type of one without an Ethernet header.</param>
    /// <param name="drops">Counts what was dropped, by <see cref="DropReason"/>.</param>
    void Receive(PacketPool pool, ref PacketBatch batch, Span<FlowKey> keys, Span<ulong> drops);
}
