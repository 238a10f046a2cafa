using Engine.Flows;
using Engine.Primitives;

namespace Engine.Upcalls;

/// <summary>What a handler may do with the packet of an upcall.</summary>
public interface IUpcallReply
{
    /// <summary>Sends the packet through actions, as OVS_PACKET_CMD_EXECUTE; at most once for an upcall.</summary>
    /// <returns>What the first failing action gives, or <see cref="Errno.None"/>.</returns>
    Errno Execute(ref Upcall upcall, FlowActions actions);

    /// <summary>Counts the upcall as lost (n_lost): it could not be delivered.</summary>
    void CountLost();
}
