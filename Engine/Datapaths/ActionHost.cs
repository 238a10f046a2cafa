using System.Runtime.CompilerServices;
using Engine.Actions;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Upcalls;
using Engine.Vports;

namespace Engine.Datapaths;

/// <summary>What action lists ask for, answered by a worker: ports, upcalls, another look-up, memory.</summary>
internal readonly unsafe struct ActionHost(Worker worker) : IActionHost
{
    private const int EthernetHeaderLength = 14;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Output(Packet* packet, in FlowKey key, uint port)
    {
        Vport? vport = worker.Datapath.Vports[port];
        if (vport is null)
        {
            worker.Drop(packet, DropReason.NoSuchPort);
        }
        else if (Fits(packet, vport))
        {
            worker.QueueOf(vport).Add(worker.Pool, packet);
        }
        else
        {
            OutputUnusual(packet, vport);
        }
    }

    /// <summary><see cref="Output"/> of packets that follow each other in a batch.</summary>
    public void OutputRun(ref PacketBatch batch, int start, int end, uint port)
    {
        Vport? vport = worker.Datapath.Vports[port];
        if (vport is null)
        {
            for (int i = start; i < end; i++)
            {
                worker.Drop(batch.Pointer(i), DropReason.NoSuchPort);
            }

            return;
        }

        TransmitQueue queue = worker.QueueOf(vport);
        for (int i = start; i < end; i++)
        {
            Packet* packet = batch.Pointer(i);
            if (Fits(packet, vport))
            {
                queue.Add(worker.Pool, packet);
            }
            else
            {
                OutputUnusual(packet, vport);
            }
        }
    }

    /// <inheritdoc/>
    public void Userspace(Packet* packet, in FlowKey key, in UserspaceArguments arguments)
    {
        Packet* copy = worker.Pool.TryClone(ref *packet);
        if (copy == null)
        {
            worker.Stats.Lost++;
            worker.CountDrop(DropReason.NoMemory);
            return;
        }

        int length = copy->Length;
        copy->Trim(length - copy->CutLength);
        if (!worker.TryAdmitUpcall(copy))
        {
            return;
        }

        ref Upcall upcall = ref worker.Upcalls.Add(copy, in key, UpcallCommand.Action);
        upcall.PortId = arguments.PortId;
        upcall.OriginalLength = copy->Length == length ? 0 : length;
        upcall.EgressTunnelPort = arguments.HasEgressTunnelPort ? arguments.EgressTunnelPort : null;
        if (arguments.HasUserdata)
        {
            upcall.SetUserdata(arguments.Userdata);
        }

        if (arguments.HasActions)
        {
            upcall.SetActions(arguments.Actions);
        }
    }

    /// <inheritdoc/>
    public void Recirculate(Packet* packet, ref FlowKey key) => worker.Datapath.ProcessAgain(worker, packet, ref key);

    /// <inheritdoc/>
    public Packet* TryClone(Packet* packet)
    {
        Packet* copy = worker.Pool.TryClone(ref *packet);
        if (copy == null)
        {
            worker.CountDrop(DropReason.NoMemory);
        }

        return copy;
    }

    /// <inheritdoc/>
    public void Drop(Packet* packet, DropReason reason) => worker.Drop(packet, reason);

    /// <inheritdoc/>
    public void Free(Packet* packet) => worker.Pool.Free(packet);

    /// <inheritdoc/>
    public bool IsOverMeter(Packet* packet, in FlowKey key, uint meterId) => worker.Datapath.Meters.IsOver(meterId, packet->LengthWithoutOuterTag);

    /// <inheritdoc/>
    // Lists with ct are refused when they are made, so this is not reached.
    public Errno Conntrack(Packet* packet, ref FlowKey key, ConntrackArguments arguments)
    {
        worker.Drop(packet, DropReason.Conntrack);
        return Errno.NotSupported;
    }

    /// <inheritdoc/>
    // Nothing is tracked, so there is nothing to forget.
    public void ClearConntrack(Packet* packet, ref FlowKey key)
    {
    }

    /// <inheritdoc/>
    // Only tunnel ports look at it, and there are none yet.
    public void SetTunnel(Packet* packet, in FlowKey tunnel)
    {
    }

    /// <inheritdoc/>
    public uint NextRandom() => worker.NextRandom();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Fits(Packet* packet, Vport vport) =>
        packet->LengthWithoutOuterTag - EthernetHeaderLength <= vport.MaximumTransmissionUnit && packet->HasEthernet;

    // The kernel's ovs_vport_send: a tag kept beside the packet does not count towards the MTU.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void OutputUnusual(Packet* packet, Vport vport)
    {
        if (!packet->HasEthernet)
        {
            if (vport.TakesBarePackets)
            {
                worker.QueueOf(vport).Add(worker.Pool, packet);
                return;
            }

            vport.StatsOf(worker.Index).TxErrors++;
            worker.Drop(packet, DropReason.NoEthernetHeader);
            return;
        }

        if (packet->Offload.GsoType != 0)
        {
            worker.QueueOf(vport).Add(worker.Pool, packet);
            return;
        }

        vport.StatsOf(worker.Index).TxErrors++;
        worker.Drop(packet, DropReason.TooBig);
    }
}
