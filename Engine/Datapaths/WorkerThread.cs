using System.Diagnostics;
using Engine.Platform;

namespace Engine.Datapaths;

/// <summary>A thread that runs the workers of one number, one of each datapath: it looks at their rings in turn, and sleeps when nothing comes.</summary>
/// <remarks>
/// <para>After packets it keeps looking for a while, since the next ones are often an answer to them; then it waits for all rings at once.</para>
/// <para>Nothing of a ring or port is kept from one round to the next, so that one that was taken away is free when the round is over
/// (<see cref="WaitForRound"/>). The thread itself takes no lock for that.</para>
/// <para>Threads: one of its own; the control thread adds and removes rings; anyone reads the statistics.</para>
/// </remarks>
internal sealed class WorkerThread : IDisposable
{
    // Milliseconds after which a driver that is behind is looked at again: a device that was crowded has sent some by then.
    private const int PatienceMs = 1;

    // How often a busy thread asks for rings that are looked at by a call.
    private const int RoundsBetweenAsks = 8;

    private readonly EventPoll _poll = new();
    private readonly List<PollEvent> _happened = new(64);
    private readonly Thread _thread;
    private readonly long _spinTicks;
    private readonly PauseHistogram _pauses = new();
    private WorkerRing[] _rings = [];
    private uint _lastTag;
    private volatile bool _isStopping;

    // Odd while rings are in use: in a round, and while what happened to them is looked at.
    private ulong _round;
    private ulong _rounds;
    private ulong _busyCycles;
    private ulong _idleCycles;
    private ulong _sleeps;
    private ulong _batches;
    private ulong _packets;

    /// <summary>Starts the thread.</summary>
    /// <param name="index">Its number: the workers of this number are its own.</param>
    /// <param name="core">The processor to stay on, or null.</param>
    /// <param name="spin">How long to look for packets after the last one before sleeping.</param>
    public WorkerThread(int index, int? core, TimeSpan spin)
    {
        Index = index;
        Core = core;
        _spinTicks = (long)(spin.TotalSeconds * Stopwatch.Frequency);
        _thread = new Thread(Run) { IsBackground = true, Name = $"worker {index}" };
        _thread.Start();
    }

    public int Index { get; }

    public int? Core { get; }

    /// <summary>Bytes of managed memory that the thread had allocated when it last went to sleep.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Rings that it looks at.</summary>
    public int RingCount => Volatile.Read(ref _rings).Length;

    /// <summary>Looks at a ring from the next round on.</summary>
    public void Add(WorkerRing ring)
    {
        ring.Tag = ++_lastTag;
        Volatile.Write(ref _rings, [.. _rings, ring]);
        if (ring.Descriptor >= 0)
        {
            _poll.Add(ring.Descriptor, ring.Tag);
        }

        // A round in which it is looked at, so that a driver can start to receive on its own thread.
        _poll.Wake();
    }

    /// <summary>Looks no more at the rings of a port from the next round on.</summary>
    public void Remove(Vports.Vport vport)
    {
        WorkerRing[] rings = _rings;
        foreach (WorkerRing ring in rings)
        {
            if (ring.Vport == vport && ring.Descriptor >= 0)
            {
                _poll.Remove(ring.Descriptor);
            }
        }

        Volatile.Write(ref _rings, Array.FindAll(rings, ring => ring.Vport != vport));
    }

    /// <summary>Returns when a round that had begun before is over. Everything must have been made invisible with <see cref="Interlocked.MemoryBarrierProcessWide"/>.</summary>
    public void WaitForRound()
    {
        ulong round = Volatile.Read(ref _round);
        SpinWait spin = default;
        while ((round & 1) != 0 && Volatile.Read(ref _round) == round && _thread.IsAlive)
        {
            spin.SpinOnce();
        }
    }

    /// <summary>What it has done so far.</summary>
    public WorkerStats ReadStats(IEnumerable<Worker> workers)
    {
        ulong misses = 0, upcalls = 0;
        foreach (Worker worker in workers)
        {
            misses += worker.Stats.Missed;
            upcalls += worker.UpcallCount;
        }

        return new WorkerStats
        {
            Index = Index,
            Core = Core,
            RingCount = RingCount,
            BusyCycles = Volatile.Read(ref _busyCycles),
            IdleCycles = Volatile.Read(ref _idleCycles),
            Rounds = Volatile.Read(ref _rounds),
            Sleeps = Volatile.Read(ref _sleeps),
            Batches = Volatile.Read(ref _batches),
            Packets = Volatile.Read(ref _packets),
            Misses = misses,
            Upcalls = upcalls,
            Pauses = _pauses.Copy(),
        };
    }

    /// <summary>Forgets the lengths of the rounds so far.</summary>
    public void ClearPauses() => _pauses.Clear();

    /// <summary>Stops the thread.</summary>
    public void Dispose()
    {
        if (!_isStopping)
        {
            _isStopping = true;
            _poll.Wake();
            _thread.Join();
            _poll.Dispose();
        }
    }

    private void Run()
    {
        if (Core is { } core)
        {
            // RunOptions has asked before whether the process may use it; without the pin it works as well.
            _ = ProcessorSet.TryPin(core);
        }

        ulong cycles = TimestampCounter.Now;
        long started = Stopwatch.GetTimestamp(), lastWork = started;
        while (!_isStopping)
        {
            int packets = Round();
            bool sleeps = packets == 0 && started - lastWork >= _spinTicks;
            if (sleeps)
            {
                Sleep();
            }

            ulong cyclesNow = TimestampCounter.Now;
            long now = Stopwatch.GetTimestamp();
            if (packets != 0)
            {
                _busyCycles += cyclesNow - cycles;
                lastWork = now;
            }
            else
            {
                _idleCycles += cyclesNow - cycles;
            }

            if (sleeps)
            {
                // What woke it is found in the next round, and looking goes on for a while even if that is for another.
                lastWork = now;
            }
            else
            {
                _pauses.Add((now - started) * (1_000_000_000 / Stopwatch.Frequency));
            }

            cycles = cyclesNow;
            started = now;
        }
    }

    // Looks at every ring once.
    private int Round()
    {
        // The control thread makes a barrier for both sides, so plain writes in this order will do.
        Volatile.Write(ref _round, _round + 1);
        WorkerRing[] rings = Volatile.Read(ref _rings);
        int packets = 0;
        bool hasCalls = false;
        foreach (WorkerRing ring in rings)
        {
            hasCalls |= ring.LooksByCall;
            int count = ring.Poll();
            packets += count;
            _batches += count != 0 ? 1u : 0u;
        }

        _packets += (uint)packets;
        _rounds++;
        Volatile.Write(ref _round, _round + 1);
        if (hasCalls && (packets == 0 || _rounds % RoundsBetweenAsks == 0))
        {
            Ask(0);
        }

        return packets;
    }

    private void Sleep()
    {
        AllocatedBytes = GC.GetAllocatedBytesForCurrentThread();
        _sleeps++;
        Ask(Array.Exists(Volatile.Read(ref _rings), static ring => ring.IsBehind) ? PatienceMs : -1);
        _poll.ClearWake();
    }

    // Learns which rings have something, waiting for it if told to.
    private void Ask(int timeoutMs)
    {
        _poll.Wait(_happened, timeoutMs);
        if (_happened.Count == 0)
        {
            return;
        }

        // As in a round: a ring that is found here is not closed meanwhile, and its descriptor is its own.
        Volatile.Write(ref _round, _round + 1);
        WorkerRing[] rings = Volatile.Read(ref _rings);
        foreach (PollEvent item in _happened)
        {
            foreach (WorkerRing ring in rings)
            {
                if (ring.Tag != item.Tag)
                {
                    continue;
                }

                // A device that went down says so once. What stays is that the device is gone: its port is taken away by who watches devices.
                if (item.IsClosed && !EventPoll.TryTakeError(item.Descriptor))
                {
                    _poll.Remove(item.Descriptor);
                }

                ring.IsReady = true;
            }
        }

        Volatile.Write(ref _round, _round + 1);
    }
}
