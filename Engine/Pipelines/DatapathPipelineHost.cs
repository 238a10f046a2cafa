using System.Runtime.CompilerServices;
using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <summary>What a compiled pipeline asks for, answered by a worker of a datapath.</summary>
internal readonly unsafe struct DatapathPipelineHost(Worker worker, uint inPort, PipelineScratch scratch) : IPipelineHost
{
    private static readonly FlowKey s_noKey = new() { MacProtocol = 1 };
    private readonly ActionHost _actions = new(worker);

    /// <inheritdoc/>
    public uint InPort => inPort;

    /// <inheritdoc/>
    public ActionContext Context => worker.ActionContext;

    /// <inheritdoc/>
    public ref FoundFlows Found => ref scratch.Found;

    /// <inheritdoc/>
    public FlowCounters Counters => scratch.Counters.At(worker.Now);

    /// <inheritdoc/>
    public ref FlowKey KeyOf(int index) => ref scratch.Keys[index];

    /// <inheritdoc/>
    public void CountHits(int packets) => worker.Stats.Hit += (uint)packets;

    /// <inheritdoc/>
    // As below, no key is looked at.
    public void Output(ref PacketBatch batch, uint packets, uint port) => _actions.Output(ref batch, packets, scratch.Keys, port);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    // Only a packet with a tunnel would have its key looked at, and what sets one does not come here.
    public void Output(Packet* packet, uint port) => _actions.Output(packet, in s_noKey, port);

    /// <inheritdoc/>
    public void Miss(ref PacketBatch batch, int start, int end)
    {
        PacketBatch missed = default;
        for (int i = start; i < end; i++)
        {
            missed.Add(batch.Pointer(i));
        }

        worker.Datapath.ProcessByTable(worker, inPort, ref missed, isTunneled: false);
    }

    /// <inheritdoc/>
    public void Output(Packet* packet, in FlowKey key, uint port) => _actions.Output(packet, in key, port);

    /// <inheritdoc/>
    public void Userspace(Packet* packet, in FlowKey key, in UserspaceArguments arguments) => _actions.Userspace(packet, in key, in arguments);

    /// <inheritdoc/>
    public void Recirculate(Packet* packet, ref FlowKey key) => _actions.Recirculate(packet, ref key);

    /// <inheritdoc/>
    public Packet* TryClone(Packet* packet) => _actions.TryClone(packet);

    /// <inheritdoc/>
    public void Drop(Packet* packet, DropReason reason) => _actions.Drop(packet, reason);

    /// <inheritdoc/>
    public void Free(Packet* packet) => _actions.Free(packet);

    /// <inheritdoc/>
    public bool IsOverMeter(Packet* packet, in FlowKey key, uint meterId) => _actions.IsOverMeter(packet, in key, meterId);

    /// <inheritdoc/>
    public Errno Conntrack(Packet* packet, ref FlowKey key, ConntrackArguments arguments) => _actions.Conntrack(packet, ref key, arguments);

    /// <inheritdoc/>
    public void ClearConntrack(Packet* packet, ref FlowKey key) => _actions.ClearConntrack(packet, ref key);

    /// <inheritdoc/>
    public void SetTunnel(Packet* packet, TunnelKey tunnel) => _actions.SetTunnel(packet, tunnel);

    /// <inheritdoc/>
    public uint NextRandom() => _actions.NextRandom();
}
