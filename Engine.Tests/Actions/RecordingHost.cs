using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Tests.Actions;

/// <summary>Answers what actions ask for as a datapath without flows would, and writes down what they do.</summary>
internal sealed unsafe class Recording : IDisposable
{
    /// <summary>What a list for a recirculated packet does; nothing: it is a miss.</summary>
    public Dictionary<uint, ActionList> Flows { get; } = [];

    public List<RecordedOutput> Outputs { get; } = [];

    public List<RecordedUpcall> Upcalls { get; } = [];

    public List<DropReason> Drops { get; } = [];

    public List<uint> MetersAsked { get; } = [];

    public List<ConntrackArguments> Tracked { get; } = [];

    public List<byte[]> Tunnels { get; } = [];

    /// <summary>Numbers for sample, used in turn; 0 when there are no more.</summary>
    public Queue<uint> Randoms { get; } = new();

    /// <summary>The meter that drops.</summary>
    public uint OverMeter { get; set; }

    /// <summary>What ct gives.</summary>
    public Errno ConntrackResult { get; set; }

    /// <summary>Looks at each packet that leaves.</summary>
    public Action<nint>? Inspect { get; set; }

    public ActionContext Context { get; } = new();

    public PacketPool Pool { get; } = new(64);

    /// <summary>Executes a list on a copy of <paramref name="bytes"/> in a frame full of old data.</summary>
    public Errno Execute(ActionList list, ReadOnlySpan<byte> bytes, ref FlowKey key, Action<nint>? prepare = null)
    {
        Packet* packet = Prepare(bytes, ref key);
        prepare?.Invoke((nint)packet);
        RecordingHost host = new(this);
        Errno error = ActionExecutor.Execute(list, packet, ref key, Context, ref host);
        Assert.Equal(0, Pool.UsedCount);
        Assert.Equal(0, Context.Level);
        return error;
    }

    /// <summary>A packet with its key extracted.</summary>
    public Packet* Prepare(ReadOnlySpan<byte> bytes, ref FlowKey key)
    {
        Packet* packet = Pool.TryAllocate(bytes.Length);
        packet->SetData(Packet.DescriptorSize, packet->FrameSize - Packet.DescriptorSize);
        packet->Bytes.Fill(0xa5);
        Assert.True(packet->TrySetBytes(bytes));
        packet->HasEthernet = key.MacProtocol == 1;
        Assert.True(FlowKeyExtractor.TryExtract(packet, ref key));
        return packet;
    }

    public void Dispose() => Pool.Dispose();
}

/// <summary>A packet that left.</summary>
internal sealed record RecordedOutput(uint Port, byte[] Packet, bool HasEthernet);

/// <summary>A packet that went to user space.</summary>
internal sealed record RecordedUpcall(string Cmd, uint PortId, byte[] Key, byte[] Packet, byte[]? Userdata, byte[]? Actions, int? Mru, int? Len, uint? EgressTunnelPort);

/// <summary>The host of a <see cref="Recording"/>.</summary>
internal readonly unsafe struct RecordingHost(Recording recording) : IActionHost
{
    public void Output(Packet* packet, in FlowKey key, uint port)
    {
        recording.Inspect?.Invoke((nint)packet);
        recording.Outputs.Add(new RecordedOutput(port, packet->Bytes.ToArray(), packet->HasEthernet));
        Assert.Equal(packet->HasEthernet, key.MacProtocol == 1);
        recording.Pool.Free(packet);
    }

    public void Userspace(Packet* packet, in FlowKey key, in UserspaceArguments arguments) => recording.Upcalls.Add(new RecordedUpcall(
        "ACTION",
        arguments.PortId,
        KeyBytes(key),
        packet->Bytes[..(packet->Length - packet->CutLength)].ToArray(),
        arguments.HasUserdata ? arguments.Userdata.ToArray() : null,
        arguments.HasActions ? arguments.Actions.ToArray() : null,
        packet->MaximumReceiveUnit == 0 ? null : packet->MaximumReceiveUnit,
        packet->CutLength == 0 ? null : packet->Length,
        arguments.HasEgressTunnelPort ? arguments.EgressTunnelPort : null));

    public void Recirculate(Packet* packet, ref FlowKey key)
    {
        if (recording.Flows.TryGetValue(key.RecirculationId, out ActionList? list))
        {
            RecordingHost host = this;
            ActionExecutor.Execute(list, packet, ref key, recording.Context, ref host);
            return;
        }

        recording.Upcalls.Add(new RecordedUpcall("MISS", 0, KeyBytes(key), packet->Bytes.ToArray(), null, null, null, null, null));
        recording.Pool.Free(packet);
    }

    public Packet* TryClone(Packet* packet) => recording.Pool.TryClone(ref *packet);

    public void Drop(Packet* packet, DropReason reason)
    {
        recording.Drops.Add(reason);
        recording.Pool.Free(packet);
    }

    public void Free(Packet* packet) => recording.Pool.Free(packet);

    public bool IsOverMeter(Packet* packet, in FlowKey key, uint meterId)
    {
        recording.MetersAsked.Add(meterId);
        return meterId == recording.OverMeter;
    }

    public Errno Conntrack(Packet* packet, ref FlowKey key, ConntrackArguments arguments)
    {
        recording.Tracked.Add(arguments);
        if (recording.ConntrackResult != Errno.None)
        {
            recording.Pool.Free(packet);
        }

        return recording.ConntrackResult;
    }

    public void ClearConntrack(Packet* packet, ref FlowKey key) => recording.Tracked.Clear();

    public void SetTunnel(Packet* packet, TunnelKey tunnel)
    {
        NetlinkWriter writer = new(new byte[1024]);
        FlowKey.WriteTunnel(in tunnel.Key, (int)OvsKeyAttribute.Tunnel, ref writer);
        recording.Tunnels.Add(writer.Written.ToArray());
    }

    public uint NextRandom() => recording.Randoms.TryDequeue(out uint random) ? random : 0;

    private static byte[] KeyBytes(in FlowKey key)
    {
        NetlinkWriter writer = new(new byte[2048]);
        FlowKey.WriteNetlink(key, ref writer);
        return writer.Written.ToArray();
    }
}
