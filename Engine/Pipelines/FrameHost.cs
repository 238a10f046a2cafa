using System.ComponentModel;
using System.Numerics;
using Engine.Actions;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <summary>What a compiled pipeline asks for, answered without a datapath: frames go to a sink. For generated code.</summary>
/// <remarks>There are no meters and no connection tracking here: no packet is over a meter, and ct drops the packet.</remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public unsafe struct FrameHost<TSink> : IPipelineHost
    where TSink : struct, IFrameSink
{
    private readonly PipelineMemory _memory;
    private readonly PipelineTable _table;
    private TSink _sink;

    /// <summary>For one frame.</summary>
    public FrameHost(PipelineMemory memory, PipelineTable table, uint inPort, ref TSink sink)
    {
        ArgumentNullException.ThrowIfNull(memory);
        _memory = memory;
        _table = table;
        _sink = sink;
        InPort = inPort;
    }

    /// <inheritdoc/>
    public uint InPort { get; }

    /// <summary>The sink as it is now.</summary>
    public readonly TSink Sink => _sink;

    /// <inheritdoc/>
    public readonly ActionContext Context => _memory.Context;

    /// <summary>Makes a packet of a frame.</summary>
    /// <returns>False, and the frame is dropped, when it is longer than any packet.</returns>
    public bool TryTake(ReadOnlySpan<byte> frame, ref PacketBatch batch)
    {
        Packet* packet = _memory.Pool.TryAllocate(frame.Length);
        if (packet == null)
        {
            _sink.Drop(DropReason.FrameTooSmall);
            return false;
        }

        packet->TrySetBytes(frame);
        batch.Add(packet);
        return true;
    }

    /// <inheritdoc/>
    public readonly ref FoundFlows Found => ref _memory.Scratch.Found;

    /// <inheritdoc/>
    public readonly FlowCounters Counters => _memory.Scratch.Counters.At(Environment.TickCount64);

    /// <inheritdoc/>
    public readonly ref FlowKey KeyOf(int index) => ref _memory.Scratch.Keys[index];

    /// <inheritdoc/>
    public readonly void CountHits(int packets)
    {
    }

    /// <inheritdoc/>
    public void Output(ref PacketBatch batch, uint packets, uint port)
    {
        for (uint left = packets; left != 0; left &= left - 1)
        {
            Output(batch.Pointer(BitOperations.TrailingZeroCount(left)), port);
        }
    }

    /// <inheritdoc/>
    public void Output(Packet* packet, uint port)
    {
        _sink.Output(port, packet->Bytes);
        _memory.Pool.Free(packet);
    }

    /// <inheritdoc/>
    public void Output(Packet* packet, in FlowKey key, uint port) => Output(packet, port);

    /// <inheritdoc/>
    public void Miss(ref PacketBatch batch, int start, int end)
    {
        for (int i = start; i < end; i++)
        {
            Miss(batch.Pointer(i));
        }
    }

    /// <inheritdoc/>
    public void Userspace(Packet* packet, in FlowKey key, in UserspaceArguments arguments) =>
        _sink.Userspace(packet->Bytes[..Math.Max(packet->Length - packet->CutLength, 0)], in arguments);

    /// <inheritdoc/>
    public void Recirculate(Packet* packet, ref FlowKey key)
    {
        if (!_table.TryExecute(packet, ref key, ref this))
        {
            Miss(packet);
        }
    }

    /// <inheritdoc/>
    public readonly Packet* TryClone(Packet* packet) => _memory.Pool.TryClone(ref *packet);

    /// <inheritdoc/>
    public void Drop(Packet* packet, DropReason reason)
    {
        _sink.Drop(reason);
        _memory.Pool.Free(packet);
    }

    /// <inheritdoc/>
    public readonly void Free(Packet* packet) => _memory.Pool.Free(packet);

    /// <inheritdoc/>
    public readonly bool IsOverMeter(Packet* packet, in FlowKey key, uint meterId) => false;

    /// <inheritdoc/>
    public Errno Conntrack(Packet* packet, ref FlowKey key, ConntrackArguments arguments)
    {
        Drop(packet, DropReason.Conntrack);
        return Errno.NotSupported;
    }

    /// <inheritdoc/>
    public readonly void ClearConntrack(Packet* packet, ref FlowKey key)
    {
    }

    /// <inheritdoc/>
    public readonly void SetTunnel(Packet* packet, TunnelKey tunnel)
    {
    }

    /// <inheritdoc/>
    public readonly uint NextRandom()
    {
        // xorshift32, for sample.
        uint random = _memory.Random;
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        return _memory.Random = random;
    }

    private void Miss(Packet* packet)
    {
        _sink.Miss(packet->Bytes);
        _memory.Pool.Free(packet);
    }
}
