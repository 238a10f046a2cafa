using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Engine.Vports;

/// <summary>A port of the datapath: number, name, type, one driver, statistics.</summary>
/// <remarks>Threads: made and removed by the control thread; each worker writes only its own statistics.</remarks>
public sealed class Vport
{
    // Less than the length of any packet without its link header.
    private const int TakesNone = int.MinValue / 2;

    private readonly WorkerStats[] _stats;
    private readonly TransmitQueue[] _queues;
    private volatile int _mtu;

    /// <summary>Describes a port. It takes part once it is in a <see cref="VportTable"/>.</summary>
    /// <param name="number">0 to 65,534.</param>
    /// <param name="name">Unique in the datapath.</param>
    /// <param name="type">What it is.</param>
    /// <param name="driver">The outside; disposed with the port.</param>
    /// <param name="workerCount">How many workers count packets.</param>
    /// <param name="channels">The way out of each worker; null when all send by the driver, one at a time.</param>
    public Vport(uint number, string name, VportType type, IVportDriver driver, int workerCount = 1, IReadOnlyList<IVportDriver>? channels = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, VportTable.MaximumNumber);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(driver);
        Number = number;
        Name = name;
        Type = type;
        Driver = driver;
        Tunnel = driver as ITunnelDriver;
        _mtu = Tunnel is null ? int.MaxValue - 64 : TakesNone;
        _stats = new WorkerStats[1 + workerCount];
        _queues = new TransmitQueue[workerCount];
        Lock? gate = channels is null && workerCount > 1 ? new Lock() : null;
        for (int i = 0; i < workerCount; i++)
        {
            _queues[i] = new TransmitQueue(this, channels?[i] ?? driver, gate, i);
        }
    }

    /// <summary>The number by which keys and actions name the port.</summary>
    public uint Number { get; }

    /// <summary>The name by which people do.</summary>
    public string Name { get; internal set; }

    /// <summary>What the port is.</summary>
    public VportType Type { get; }

    /// <summary>The way out and in.</summary>
    public IVportDriver Driver { get; }

    /// <summary>The longest L3 packet the port takes, in bytes; the link header and one VLAN tag come on top. The control thread may change it.</summary>
    /// <remarks>
    /// Negative for a tunnel, whatever is set: no packet goes out as it is, so that the question of length, asked anyway, is the only one asked of
    /// packets to other ports.
    /// </remarks>
    public int MaximumTransmissionUnit
    {
        get => _mtu;
        set => _mtu = Tunnel is null ? value : TakesNone;
    }

    /// <summary>Whether the port takes packets without an Ethernet header.</summary>
    public bool TakesBarePackets { get; init; }

    /// <summary>The driver, when it is a tunnel's.</summary>
    internal ITunnelDriver? Tunnel { get; }

    /// <summary>What all workers have counted.</summary>
    public VportStats ReadStats()
    {
        VportStats sum = default;
        foreach (ref WorkerStats worker in _stats.AsSpan())
        {
            ref VportStats stats = ref worker.Stats;
            sum.RxPackets += stats.RxPackets;
            sum.TxPackets += stats.TxPackets;
            sum.RxBytes += stats.RxBytes;
            sum.TxBytes += stats.TxBytes;
            sum.RxErrors += stats.RxErrors;
            sum.TxErrors += stats.TxErrors;
            sum.RxDropped += stats.RxDropped;
            sum.TxDropped += stats.TxDropped;
        }

        Driver.AddStats(ref sum);
        return sum;
    }

    /// <summary>Packets that were not sent because the port takes none like them: too long, or without an Ethernet header.</summary>
    internal ulong CountTxErrors()
    {
        ulong sum = 0;
        foreach (ref WorkerStats worker in _stats.AsSpan())
        {
            sum += worker.Stats.TxErrors;
        }

        return sum;
    }

    /// <summary>The counters of one worker.</summary>
    internal ref VportStats StatsOf(int worker) => ref _stats[1 + worker].Stats;

    /// <summary>The packets of one worker that wait to leave here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal TransmitQueue QueueOf(int worker) => _queues[worker];

    // Two cache lines, so that workers do not share one whatever the alignment of the array. The first is nobody's: what lies before it, the
    // length of the array and the port itself, is read by all workers for every batch.
    [InlineArray(2)]
    private struct WorkerStats
    {
        private VportStats _first;

        [UnscopedRef]
        public ref VportStats Stats => ref _first;
    }
}
