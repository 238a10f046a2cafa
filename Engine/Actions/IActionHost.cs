using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Actions;

/// <summary>What actions ask of their surroundings: ports, the flow table, upcalls, meters, connection tracking.</summary>
/// <remarks>
/// <para>Implemented by a struct and passed as a type argument, so that the calls can be inlined. "Takes the packet" means that
/// the host frees it or hands it on; the executor does not touch it afterwards.</para>
/// <para>Threads: one worker calls a host at a time.</para>
/// </remarks>
public unsafe interface IActionHost
{
    /// <summary>Sends the packet to a port and takes it. It is already cut as trunc asked. The port may not exist.</summary>
    void Output(Packet* packet, in FlowKey key, uint port);

    /// <summary>
    /// Hands a copy of the packet to user space; the packet stays. When <see cref="Packet.CutLength"/> is nonzero, that many
    /// bytes at the end are left out of the copy and the full length is told (OVS_PACKET_ATTR_LEN).
    /// </summary>
    /// <param name="packet">The packet.</param>
    /// <param name="key">Its key, which may be older than the packet: the kernel shows the key from before a push of MPLS, NSH, ...</param>
    /// <param name="arguments">Valid during the call only.</param>
    void Userspace(Packet* packet, in FlowKey key, in UserspaceArguments arguments);

    /// <summary>
    /// Looks the packet up again under a key that has a new recirculation id, executes what is found (by way of
    /// <see cref="ActionExecutor.Execute{THost}"/> with the same context) or makes a miss of it, and takes it.
    /// </summary>
    void Recirculate(Packet* packet, ref FlowKey key);

    /// <summary>A copy of the packet with all its metadata.</summary>
    /// <returns>Null when there is no memory; the action is then skipped, as the kernel does.</returns>
    Packet* TryClone(Packet* packet);

    /// <summary>Counts the packet and frees it.</summary>
    void Drop(Packet* packet, DropReason reason);

    /// <summary>Frees a packet that served its purpose; not a drop.</summary>
    void Free(Packet* packet);

    /// <summary>Counts the packet at a meter. The packet stays.</summary>
    /// <returns>Whether the meter wants it dropped; false when there is no such meter.</returns>
    bool IsOverMeter(Packet* packet, in FlowKey key, uint meterId);

    /// <summary>Sends the packet through connection tracking and updates the key's conntrack fields.</summary>
    /// <returns>
    /// <see cref="Errno.None"/>: the packet stays and the list goes on. Anything else: the host took the packet and the list ends
    /// with that errno; <see cref="Errno.InProgress"/> (a fragment is kept for reassembly) counts as success.
    /// </returns>
    Errno Conntrack(Packet* packet, ref FlowKey key, ConntrackArguments arguments);

    /// <summary>Takes the conntrack state away from the packet and the key. The packet stays.</summary>
    void ClearConntrack(Packet* packet, ref FlowKey key);

    /// <summary>Says how the packet is to be wrapped by the tunnel port it is sent to next (set of a tunnel key). The packet stays.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="tunnel">The tunnel.</param>
    void SetTunnel(Packet* packet, TunnelKey tunnel);

    /// <summary>32 random bits, for sample.</summary>
    uint NextRandom();
}
