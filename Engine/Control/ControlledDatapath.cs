using Engine.Datapaths;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Control;

/// <summary>A datapath with what only control programs know of it: its device's index, features, and where its upcalls go.</summary>
/// <remarks>Threads: changed by the control thread; workers read features, port ids and ports for upcalls.</remarks>
public sealed class ControlledDatapath
{
    /// <summary>Highest number of a port, and one more (DP_MAX_PORTS).</summary>
    internal const uint MaximumPorts = ushort.MaxValue;

    // Recirculation ids are not shared with the host's traffic control, so that is refused, as by a kernel without NET_TC_SKB_EXT.
    private const DatapathFeatures Known = DatapathFeatures.Unaligned | DatapathFeatures.VportPortIds | DatapathFeatures.PerProcessorUpcalls;

    // The kernel dumps ports bucket by bucket, in each the newest first.
    private const uint PortBuckets = 1024;

    private readonly int _processorCount;
    private ControlledVport?[] _ports = new ControlledVport?[16];
    private ControlledVport? _local;
    private uint[] _portIds = [];
    private long _changes;
    private PacedReading<DatapathStats> _stats;

    internal ControlledDatapath(Datapath datapath, int processorCount, IVportRunner? runner)
    {
        Datapath = datapath;
        Workers = new VportWorkers(datapath.Workers.Select(static worker => worker.Pool), runner?.WorkerCount ?? 1, runner is null ? null : runner.LoadOf);
        _processorCount = processorCount;
    }

    /// <summary>What processes packets.</summary>
    public Datapath Datapath { get; }

    /// <summary>The control thread's own worker, which executes packets that control programs send. It receives nothing, unless it is the only one.</summary>
    public Worker ControlWorker => Datapath.Workers[^1];

    /// <summary>The workers as ports see them.</summary>
    internal VportWorkers Workers { get; }

    /// <summary>The local port, whose device gives the datapath its name and index. It stays when the datapath is removed: workers may be in their last round.</summary>
    public ControlledVport Local => _local!;

    /// <summary>The name.</summary>
    public string Name => Local.Device.Name;

    /// <summary>Index of the local port's device, by which requests name the datapath.</summary>
    public int Ifindex => Local.Device.Ifindex;

    /// <summary>What the control program asked for.</summary>
    public DatapathFeatures Features { get; private set; }

    /// <summary>Entries of the kernel's cache of masks: kept and told, without effect here.</summary>
    public uint MasksCacheSize { get; private set; } = 256;

    /// <summary>The port ids of upcalls by processor, as they are told.</summary>
    public ReadOnlySpan<uint> PortIds
    {
        get
        {
            uint[] portIds = Volatile.Read(ref _portIds);
            return portIds.AsSpan(0, Math.Min(portIds.Length, _processorCount));
        }
    }

    /// <summary>What its workers have counted.</summary>
    internal DatapathStats ReadStats() => _stats.Read(Datapath, static datapath => datapath.ReadStats());

    /// <summary>Changes with every port that comes or goes.</summary>
    internal long PortChanges => _changes;

    /// <summary>Changes with every flow that comes or goes.</summary>
    internal long FlowChanges { get; set; }

    /// <summary>The port of this number, or null. Any thread.</summary>
    public ControlledVport? Find(uint number)
    {
        ControlledVport?[] ports = Volatile.Read(ref _ports);
        return number < (uint)ports.Length ? Volatile.Read(ref ports[number]) : null;
    }

    /// <summary>All ports in the order in which the kernel dumps them. Control thread only.</summary>
    internal List<ControlledVport> ListPorts() =>
        [.. _ports.OfType<ControlledVport>().OrderBy(static port => port.Vport.Number % PortBuckets).ThenByDescending(static port => port.Age)];

    /// <summary>The first number from 1 on that no port has; <see cref="MaximumPorts"/> when there is none.</summary>
    internal uint FindFreeNumber()
    {
        for (uint number = 1; number < MaximumPorts; number++)
        {
            if (Find(number) is null)
            {
                return number;
            }
        }

        return MaximumPorts;
    }

    internal void Add(ControlledVport port)
    {
        uint number = port.Vport.Number;
        _local ??= port.IsLocal ? port : null;
        if (number >= _ports.Length)
        {
            ControlledVport?[] ports = _ports;
            Array.Resize(ref ports, (int)System.Numerics.BitOperations.RoundUpToPowerOf2(number + 1));
            Volatile.Write(ref _ports, ports);
        }

        port.Age = ++_changes;
        Volatile.Write(ref _ports[number], port);
    }

    internal void Remove(ControlledVport port)
    {
        Volatile.Write(ref _ports[port.Vport.Number], null);
        _changes++;
    }

    /// <summary>Sets what a request carries (<c>ovs_dp_change</c>). Features that it does not carry are switched off.</summary>
    internal Errno Change(in Netlink.OvsDatapathAttributes attributes)
    {
        DatapathFeatures features = (DatapathFeatures)attributes.UserFeatures;
        if ((features & ~Known) != 0)
        {
            return Errno.NotSupported;
        }

        if (attributes.HasMasksCacheSize)
        {
            uint size = attributes.MasksCacheSize;
            if (size != 0 && !System.Numerics.BitOperations.IsPow2(size))
            {
                return Errno.InvalidArgument;
            }

            MasksCacheSize = size;
        }

        Features = features;
        if ((features & DatapathFeatures.PerProcessorUpcalls) != 0 && attributes.HasPerProcessorPortIds)
        {
            Errno errno = ControlledVport.TryReadPortIds(attributes.PerProcessorPortIds, out uint[] portIds);
            if (errno != Errno.None)
            {
                return errno;
            }

            Volatile.Write(ref _portIds, portIds);
        }

        return Errno.None;
    }

    /// <summary>Switches all features off: a program that knows of none has come upon this datapath.</summary>
    internal void ResetFeatures() => Features = DatapathFeatures.None;

    /// <summary>The port id for an upcall made on a processor (<c>ovs_dp_get_upcall_portid</c>); 0 when there is none.</summary>
    internal uint ChoosePortId(int processor)
    {
        uint[] portIds = Volatile.Read(ref _portIds);
        return portIds.Length == 0 ? 0 : portIds[processor % portIds.Length];
    }
}
