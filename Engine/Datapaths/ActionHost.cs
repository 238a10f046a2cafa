using System.Numerics;
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
            OutputUnusual(packet, in key, vport);
        }
    }

    /// <summary><see cref="Output(Packet*, in FlowKey, uint)"/> of packets that follow each other in a batch.</summary>
    public void Output(ref PacketBatch batch, ReadOnlySpan<FlowKey> keys, in OutputRun run)
    {
        Vport? vport = worker.Datapath.Vports[(uint)run.Port];
        if (vport is null)
        {
            for (int i = run.Start; i < run.End; i++)
            {
                worker.Drop(batch.Pointer(i), DropReason.NoSuchPort);
            }
        }
        else if (run.LongestPacket - EthernetHeaderLength <= vport.MaximumTransmissionUnit && !run.HasBarePacket)
        {
            worker.QueueOf(vport).AddRun(worker.Pool, batch.Pointers[run.Start..run.End], run.Bytes);
        }
        else
        {
            OutputEach(ref batch, keys, run.Start, run.End, vport);
        }
    }

    /// <summary>Sets a tunnel and outputs packets that follow each other in a batch (TunnelBench).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void OutputByTunnel(ref PacketBatch batch, ReadOnlySpan<FlowKey> keys, int start, int end, uint port, TunnelKey tunnel)
    {
        int number = worker.Tunnels.Add(tunnel);
        Vport? vport = worker.Datapath.Vports[port];
        TransmitQueue? queue = vport?.Tunnel is null ? null : worker.QueueOf(vport);
        for (int i = start; i < end; i++)
        {
            Packet* packet = batch.Pointer(i);
            packet->TunnelIndex = number;
            if (queue is null || !packet->HasEthernet)
            {
                Output(packet, in keys[i], port);
                continue;
            }

            PacketHash.EnsureFlowHash(packet, in keys[i]);
            queue.Add(worker.Pool, packet, tunnel);
        }
    }

    /// <summary><see cref="Output(Packet*, in FlowKey, uint)"/> of all packets of a batch.</summary>
    public void Output(ref PacketBatch batch, ReadOnlySpan<FlowKey> keys, uint port)
    {
        OutputRun run = new(0, (int)port) { End = batch.Count };
        for (int i = 0; i < batch.Count; i++)
        {
            Packet* packet = batch.Pointer(i);
            int length = packet->Length;
            run.Bytes += (uint)length;
            run.LongestPacket = Math.Max(run.LongestPacket, length);
            run.HasBarePacket |= !packet->HasEthernet;
        }

        Output(ref batch, keys, in run);
    }

    /// <summary><see cref="Output(Packet*, in FlowKey, uint)"/> of packets of a batch, in their order: bit i is set for packet i.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Output(ref PacketBatch batch, uint packets, ReadOnlySpan<FlowKey> keys, uint port)
    {
        if (packets == 0)
        {
            return;
        }

        Vport? vport = worker.Datapath.Vports[port];
        if (vport is not null && worker.QueueOf(vport).TryAdd(worker.Pool, ref batch, packets, vport.MaximumTransmissionUnit + EthernetHeaderLength))
        {
            return;
        }

        for (uint left = packets; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            Output(batch.Pointer(i), in keys[i], port);
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

        int length = copy->Length, kept = Math.Max(length - copy->CutLength, 0);
        if (!worker.TryAdmitUpcall(copy))
        {
            return;
        }

        ref Upcall upcall = ref worker.Upcalls.Add(copy, in key, UpcallCommand.Action);
        upcall.PortId = arguments.PortId;
        if (kept < length)
        {
            upcall.KeptLength = kept;
            upcall.OriginalLength = length;
        }

        if (arguments.HasEgressTunnelPort)
        {
            DescribeEgress(copy, in key, arguments.EgressTunnelPort, ref upcall);
        }

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
    public void SetTunnel(Packet* packet, TunnelKey tunnel) => packet->TunnelIndex = worker.Tunnels.Add(tunnel);

    /// <inheritdoc/>
    public uint NextRandom() => worker.NextRandom();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Fits(Packet* packet, Vport vport) =>
        packet->LengthWithoutOuterTag - EthernetHeaderLength <= vport.MaximumTransmissionUnit && packet->HasEthernet;

    // Packets of a run that may have unusual ones among them.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void OutputEach(ref PacketBatch batch, ReadOnlySpan<FlowKey> keys, int start, int end, Vport vport)
    {
        for (int i = start; i < end; i++)
        {
            Packet* packet = batch.Pointer(i);
            if (Fits(packet, vport))
            {
                worker.QueueOf(vport).Add(worker.Pool, packet);
            }
            else
            {
                OutputUnusual(packet, in keys[i], vport);
            }
        }
    }

    // The kernel's ovs_vport_send: a tag kept beside the packet does not count towards the MTU.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void OutputUnusual(Packet* packet, in FlowKey key, Vport vport)
    {
        if (!packet->HasEthernet && !vport.TakesBarePackets)
        {
            Refuse(packet, vport, DropReason.NoEthernetHeader);
        }
        else if (vport.Tunnel is not null)
        {
            OutputTunneled(packet, in key, vport);
        }
        else if (!packet->HasEthernet || packet->Offload.GsoType != 0)
        {
            worker.QueueOf(vport).Add(worker.Pool, packet);
        }
        else
        {
            Refuse(packet, vport, DropReason.TooBig);
        }
    }

    private void OutputTunneled(Packet* packet, in FlowKey key, Vport vport)
    {
        if (worker.Tunnels[packet->TunnelIndex] is not { } tunnel)
        {
            Refuse(packet, vport, DropReason.NoTunnel);
            return;
        }

        if (!packet->HasEthernet && !packet->IsKeyStale)
        {
            packet->Protocol = key.EtherType;
        }

        PacketHash.EnsureFlowHash(packet, in key);
        worker.QueueOf(vport).Add(worker.Pool, packet, tunnel);
    }

    private void Refuse(Packet* packet, Vport vport, DropReason reason)
    {
        vport.StatsOf(worker.Index).TxErrors++;
        worker.Drop(packet, reason);
    }

    // OVS_USERSPACE_ATTR_EGRESS_TUN_PORT. Without a tunnel, a tunnel port or a route there is nothing to tell, as in the kernel.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void DescribeEgress(Packet* packet, in FlowKey key, uint port, ref Upcall upcall)
    {
        if (worker.Datapath.Vports[port]?.Tunnel is { } driver && worker.Tunnels[packet->TunnelIndex] is { } tunnel)
        {
            ulong sourceHash = packet->FlowHash;
            PacketHash.EnsureFlowHash(packet, in key);
            if (driver.TryDescribeEgress(tunnel, packet->FlowHash, out FlowKey egress))
            {
                upcall.SetEgressTunnel(in egress);
            }

            packet->FlowHash = sourceHash;
        }
    }
}
