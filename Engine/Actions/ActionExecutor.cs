using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Actions;

/// <summary>Runs action lists on packets, step by step, as the kernel's <c>ovs_execute_actions</c>.</summary>
public static unsafe class ActionExecutor
{
    /// <summary>Executes a list on a packet and consumes the packet.</summary>
    /// <param name="list">The actions.</param>
    /// <param name="packet">The packet; the caller must not touch it afterwards.</param>
    /// <param name="key">Its key. Changed as the packet is.</param>
    /// <param name="context">The worker's context; the same one when the host recirculates.</param>
    /// <param name="host">Answers what the actions ask for.</param>
    /// <returns>The errno that OVS_PACKET_CMD_EXECUTE returns; a failed packet is already counted as dropped.</returns>
    public static Errno Execute<THost>(ActionList list, Packet* packet, ref FlowKey key, ActionContext context, ref THost host)
        where THost : struct, IActionHost => throw new NotSupportedException();
}
