using Engine.Flows;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Tunnels;

/// <summary>The network that carries tunnel packets: the host's in service, memory in tests.</summary>
/// <remarks>Threads: any number send and ask for routes.</remarks>
internal interface ITunnelUnderlay : IDisposable
{
    /// <summary>Where datagrams come from, each looked at by one worker.</summary>
    IReadOnlyList<IDatagramSource> Sources { get; }

    /// <summary>A number that is another one once routes may have changed.</summary>
    int RouteGeneration { get; }

    /// <summary>Finds the way to the other end of a tunnel.</summary>
    /// <returns>What the host says: no route, or the key's source is not one of its addresses.</returns>
    Errno FindRoute(in FlowKey tunnel, out OuterRoute route);

    /// <summary>Sends whole IP packets. They stay the caller's.</summary>
    /// <returns>How many were taken.</returns>
    int Send(ref PacketBatch packets);
}
