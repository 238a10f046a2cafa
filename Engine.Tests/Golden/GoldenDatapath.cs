using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Golden;

/// <summary>A datapath with the ports that the recorder's had, which does what a step says and keeps what comes out.</summary>
internal sealed unsafe class GoldenDatapath : IDisposable
{
    private const int ProbeAttribute = 8, MaximumReceiveUnitAttribute = 9, HashAttribute = 11;

    private readonly Datapath _datapath;
    private readonly SortedDictionary<uint, RecordingDriver> _ports = [];
    private readonly GoldenUnderlay _underlay = new();

    /// <summary>Makes the ports.</summary>
    /// <param name="cacheEntries">As <see cref="DatapathOptions.CacheEntries"/>.</param>
    public GoldenDatapath(int cacheEntries)
    {
        _datapath = new Datapath(new DatapathOptions { FrameCount = 256, CacheEntries = cacheEntries });
        foreach (uint number in (uint[])[0, 1, 2, 3, 4, 5])
        {
            RecordingDriver driver = new();
            _ports.Add(number, driver);
            Vport vport = new(number, $"port{number}", VportType.Loopback, driver)
            {
                MaximumTransmissionUnit = number == 4 ? 1400 : 9200,
            };
            Assert.False(_datapath.Vports.TryAdd(vport).IsRefused);
        }

        foreach (Vport vport in _underlay.Vports)
        {
            Assert.False(_datapath.Vports.TryAdd(vport).IsRefused);
        }

        _datapath.UpcallHandler = Handler;
    }

    /// <summary>What came up.</summary>
    public RecordingHandler Handler { get; } = new();

    /// <summary>The datapath.</summary>
    public Datapath Datapath => _datapath;

    private Worker Worker => _datapath.Workers[0];

    /// <summary>Packets sent, first those to the underlay, then port by port, in the order of each.</summary>
    public IEnumerable<(GoldenPort Port, byte[] Packet)> Outputs =>
        _underlay.Sent.Select(packet => (new GoldenPort(0, "underlay"), packet))
            .Concat(_ports.SelectMany(port => port.Value.Sent.Select(packet => (new GoldenPort(port.Key, null), packet))));

    /// <summary>Forgets what came out so far.</summary>
    public void Clear()
    {
        Handler.Clear();
        foreach (RecordingDriver driver in _ports.Values)
        {
            driver.Clear();
        }

        _underlay.Clear();
    }

    /// <summary>Whether every frame is back in its pool.</summary>
    public bool AllFramesFree => Worker.Pool.UsedCount == 0;

    /// <summary>OVS_FLOW_CMD_NEW.</summary>
    public Refusal PutFlow(ReadOnlySpan<byte> keyAttributes, ReadOnlySpan<byte> maskAttributes, ReadOnlySpan<byte> actionAttributes)
    {
        Refusal refusal = FlowKey.TryParseNetlink(keyAttributes, maskAttributes, out FlowKey key, out FlowKey mask);
        return refusal.IsRefused ? refusal : PutFlow(in key, in mask, actionAttributes);
    }

    /// <summary>Validates the actions and puts the flow.</summary>
    public Refusal PutFlow(in FlowKey key, in FlowKey mask, ReadOnlySpan<byte> actionAttributes)
    {
        FlowKey.MaskedCopy(in key, in mask, out FlowKey masked);
        Refusal refusal = ActionList.TryCreate(actionAttributes, in masked, ActionFeatures.Linux61, out ActionList? actions);
        return refusal.IsRefused
            ? refusal
            : _datapath.Flows.Put(in key, in mask, actions!, default, FlowPutMode.CreateOrReplace, out _);
    }

    /// <summary>A frame arrives on a port, or on the device below the tunnels.</summary>
    public void Inject(GoldenPort port, ReadOnlySpan<byte> frame)
    {
        if (port.Device is null)
        {
            Inject(port.Number, frame);
            return;
        }

        _underlay.Inject(frame);
        foreach (Vport tunnel in _underlay.Vports)
        {
            Worker.Poll(tunnel, tunnel.Tunnel!.Rings[0].Driver);
        }
    }

    /// <summary>A frame arrives on a port.</summary>
    public void Inject(uint port, ReadOnlySpan<byte> frame)
    {
        PacketBatch batch = default;
        batch.Add(Allocate(frame));
        _datapath.Process(Worker, port, ref batch);
        Worker.Flush();
    }

    /// <summary>OVS_PACKET_CMD_EXECUTE.</summary>
    public Errno Execute(ReadOnlySpan<byte> keyAttributes, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> actionAttributes, ReadOnlySpan<byte> extraAttributes = default)
    {
        Refusal refusal = FlowKey.TryParseMetadata(keyAttributes, out FlowKey key, out ulong present);
        if (refusal.IsRefused)
        {
            return refusal.Errno;
        }

        Packet* packet = Allocate(bytes);
        packet->HasEthernet = key.MacProtocol != 0;
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(extraAttributes))
        {
            switch (attribute.Type)
            {
                case MaximumReceiveUnitAttribute:
                    packet->MaximumReceiveUnit = attribute.Read<ushort>();
                    break;
                case HashAttribute:
                    packet->FlowHash = attribute.Read<ulong>();
                    break;
                default:
                    Assert.Equal(ProbeAttribute, attribute.Type);
                    break;
            }
        }

        Errno errno = Errno.InvalidArgument;
        ActionList? actions = null;
        if (FlowKeyExtractor.TryExtract(packet, ref key))
        {
            refusal = FlowKey.CheckMetadata(in key, present);
            if (!refusal.IsRefused)
            {
                refusal = ActionList.TryCreate(actionAttributes, in key, ActionFeatures.Linux61, out actions);
            }

            errno = refusal.Errno;
        }

        if (actions is null)
        {
            Worker.Pool.Free(packet);
            return errno;
        }

        errno = Worker.Execute(packet, ref key, actions);
        Worker.Flush();
        return errno;
    }

    public void Dispose() => _datapath.Dispose();

    private Packet* Allocate(ReadOnlySpan<byte> bytes)
    {
        Packet* packet = Worker.Pool.TryAllocate(bytes.Length);
        Assert.True(packet != null && packet->TrySetBytes(bytes));
        return packet;
    }
}
