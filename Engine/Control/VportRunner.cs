using System.Collections.Immutable;
using Engine.Datapaths;
using Engine.Vports;

namespace Engine.Control;

/// <summary>The worker threads: they receive from the rings of all ports, those of several datapaths together.</summary>
/// <remarks>
/// <para>A ring belongs to one worker from the time its port is added until it is removed.</para>
/// <para>Threads: the control thread starts and stops ports; anyone reads the statistics.</para>
/// </remarks>
public sealed class VportRunner : IVportRunner, IDisposable
{
    private readonly WorkerThread[] _threads;
    private ImmutableArray<Datapath> _datapaths = [];

    /// <summary>Starts the threads.</summary>
    /// <param name="options">How many, and where; null for one.</param>
    public VportRunner(WorkerOptions? options = null)
    {
        options ??= new WorkerOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Count, 1);
        _threads = new WorkerThread[options.Cores.IsEmpty ? options.Count : options.Cores.Length];
        for (int i = 0; i < _threads.Length; i++)
        {
            _threads[i] = new WorkerThread(i, options.Cores.IsEmpty ? null : options.Cores[i], options.Spin);
        }
    }

    /// <inheritdoc/>
    public int WorkerCount => _threads.Length;

    /// <inheritdoc/>
    // Rings first: of two workers with as many, the one that has been less busy.
    public double LoadOf(int worker)
    {
        WorkerStats stats = _threads[worker].ReadStats([]);
        double cycles = stats.BusyCycles + stats.IdleCycles;
        return stats.RingCount + (cycles == 0 ? 0 : stats.BusyCycles / (cycles + 1));
    }

    /// <inheritdoc/>
    public ImmutableArray<WorkerStats> ReadStats() =>
        [.. _threads.Select(thread => thread.ReadStats(_datapaths.Select(datapath => datapath.Workers[thread.Index])))];

    /// <summary>Forgets the lengths of the rounds so far, for a measurement that starts now.</summary>
    public void ClearPauses()
    {
        foreach (WorkerThread thread in _threads)
        {
            thread.ClearPauses();
        }
    }

    /// <summary>Bytes of managed memory that a worker had allocated when it last went to sleep.</summary>
    internal long AllocatedBytesOf(int worker) => _threads[worker].AllocatedBytes;

    /// <inheritdoc/>
    public void Start(ControlledVport port)
    {
        ArgumentNullException.ThrowIfNull(port);
        Datapath datapath = port.Datapath.Datapath;
        if (port.IsLocal)
        {
            _datapaths = _datapaths.Add(datapath);
        }

        foreach (VportRing ring in port.Device.Rings)
        {
            int worker = ring.Worker ?? Enumerable.Range(0, WorkerCount).MinBy(LoadOf);
            _threads[worker].Add(new WorkerRing(datapath.Workers[worker], port.Vport, ring));
        }
    }

    /// <inheritdoc/>
    public void Stop(ControlledVport port)
    {
        ArgumentNullException.ThrowIfNull(port);
        if (port.IsLocal)
        {
            _datapaths = _datapaths.Remove(port.Datapath.Datapath);
        }

        foreach (WorkerThread thread in _threads)
        {
            thread.Remove(port.Vport);
        }

        // Any worker may be sending to the port, not only those that receive from it. Forwarding goes on meanwhile.
        Interlocked.MemoryBarrierProcessWide();
        foreach (WorkerThread thread in _threads)
        {
            thread.WaitForRound();
        }
    }

    /// <summary>Stops the threads.</summary>
    public void Dispose()
    {
        foreach (WorkerThread thread in _threads)
        {
            thread.Dispose();
        }
    }
}
