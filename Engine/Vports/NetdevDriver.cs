using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>An existing device taken into a datapath: its receive rings, each for a worker, and a way out for every worker.</summary>
/// <remarks>
/// <para>A worker sends by the ring it receives from, since both are its own. One that has no ring of the device sends by a packet socket.</para>
/// <para>Threads: the control thread attaches and disposes. Without workers it is driven as one, by <see cref="IVportDriver"/>'s rules.</para>
/// </remarks>
internal sealed class NetdevDriver : IVportDriver
{
    private readonly Netdev _netdev;
    private readonly List<VportRing> _rings = [];
    private readonly IVportDriver[] _channels;

    // Of all packet rings so far.
    private bool _hasXdpSenders = true;

    private NetdevDriver(Netdev netdev, int workerCount)
    {
        _netdev = netdev;
        _channels = new IVportDriver[workerCount];
    }

    /// <summary>The device.</summary>
    public Netdev Device => _netdev;

    /// <summary>The ways in.</summary>
    public IReadOnlyList<VportRing> Rings => _rings;

    /// <summary>The way out of each worker.</summary>
    public IReadOnlyList<IVportDriver> Channels => _channels;

    /// <summary>How the frames are moved.</summary>
    public DriverChoice Choice { get; private set; } = new("packet", string.Empty, null);

    /// <summary>Takes a device by the driver that was asked for, or the best that works.</summary>
    /// <param name="netdev">The device; the driver's from now on, unless refused.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="workers">The workers that are to serve it; null for one that is not known.</param>
    /// <param name="driver">The driver, or null when refused.</param>
    public static Refusal TryAttach(Netdev netdev, VportOptions options, VportWorkers? workers, out NetdevDriver? driver)
    {
        driver = null;
        string? reason = null;
        Refusal refusal = Refusal.None;
        foreach (NetdevDriverKind kind in Candidates(netdev, options.Driver, ref reason))
        {
            NetdevDriver attempt = new(netdev, workers?.Count ?? 1);
            refusal = attempt.TryOpen(kind, options, workers);
            if (!refusal.IsRefused)
            {
                attempt.Choice = attempt.Choice with { Reason = reason };
                driver = attempt;
                return refusal;
            }

            attempt.Close();
            reason = $"{kind.ToString().ToLowerInvariant()}: {refusal.Reason}";
        }

        return refusal;
    }

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch) => _rings[0].Driver.Receive(pool, ref batch);

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch) => _channels[0].Transmit(pool, ref batch);

    /// <inheritdoc/>
    public void AddStats(ref VportStats stats)
    {
        foreach (VportRing ring in _rings)
        {
            ring.Driver.AddStats(ref stats);
        }
    }

    /// <summary>Closes everything and gives the device back to the host.</summary>
    public void Dispose()
    {
        Close();
        _netdev.Dispose();
    }

    private static NetdevDriverKind[] Candidates(Netdev netdev, NetdevDriverKind wished, ref string? reason)
    {
        if (wished != NetdevDriverKind.Auto)
        {
            return [wished];
        }

        if (netdev.IsVirtual)
        {
            string name = netdev.DriverName;
            reason = $"xdp: not taken on a device made of software{(name.Length == 0 ? "" : $" ({name})")}, it loses partial checksums and super-frames";
            return [NetdevDriverKind.Packet];
        }

        return [NetdevDriverKind.Xdp, NetdevDriverKind.Packet];
    }

    private Refusal TryOpen(NetdevDriverKind kind, VportOptions options, VportWorkers? workers)
    {
        int queues = _netdev.CountQueues();
        int receivers = workers?.ReceiverCount ?? 1;
        int count = kind switch
        {
            // Frames of a queue without a ring would go to the host.
            NetdevDriverKind.Xdp => queues,
            NetdevDriverKind.Uring => 1,
            _ => options.RingCount > 0 ? options.RingCount : Math.Min(queues, receivers),
        };
        int[] assigned = new int[count];
        Refusal refusal = workers?.TryAssign(options, count, out assigned) ?? Refusal.None;
        int[] ringSizes = [.. assigned.Select(worker => workers?.MemoryOf(worker)?.ChooseRingSize(assigned.Count(other => other == worker)) ?? 0)];
        for (int i = 0; i < count && !refusal.IsRefused; i++)
        {
            refusal = kind switch
            {
                NetdevDriverKind.Xdp => TryOpenXdp(i, assigned[i], ringSizes[i], workers),
                NetdevDriverKind.Uring => TryOpenUring(assigned[i]),
                _ => TryOpenPacket(i, assigned[i], count),
            };
        }

        return refusal.IsRefused ? refusal : TryOpenSenders();
    }

    private Refusal TryOpenXdp(int queue, int worker, int ringSize, VportWorkers? workers)
    {
        if (workers?.MemoryOf(worker) is not { } memory)
        {
            return new Refusal(Errno.NotSupported, "the datapath's frames have not the size that AF_XDP takes");
        }

        if (ringSize == 0)
        {
            return new Refusal(Errno.NoMemory, $"AF_XDP ports have most frames of worker {worker} already");
        }

        XdpOptions options = new() { Queue = queue, RingSize = ringSize };
        Refusal refusal = XdpDriver.TryOpen(_netdev, memory, options, out XdpDriver? driver);
        if (driver is not null)
        {
            Add(driver, driver.WaitHandle, worker, sends: queue < _netdev.CountTransmitQueues());
            string mode = _netdev.XdpMode == XdpMode.Native ? "native" : "generic";
            Choice = new DriverChoice("xdp", $"{mode}, {(driver.IsZeroCopy ? "zero-copy" : "copy")}", null);
        }

        return refusal;
    }

    private Refusal TryOpenUring(int worker)
    {
        Refusal refusal = UringDriver.TryOpen(_netdev, out UringDriver? driver);
        if (driver is not null)
        {
            Add(driver, driver.WaitHandle, worker);
            Choice = new DriverChoice("uring", ModeOf(1, driver.HasXdpSender), null);
        }

        return refusal;
    }

    private Refusal TryOpenPacket(int ring, int worker, int count)
    {
        ushort? group = count == 1 ? null : ring == 0 ? (ushort)0 : ((PacketSocketDriver)_rings[0].Driver).FanoutGroup;
        Refusal refusal = PacketSocketDriver.TryOpen(_netdev, new PacketSocketOptions { FanoutGroup = group, Queue = ring }, out PacketSocketDriver? driver);
        if (driver is not null)
        {
            Add(driver, driver.WaitHandle, worker);
            _hasXdpSenders &= driver.HasXdpSender;
            Choice = new DriverChoice("packet", ModeOf(count, _hasXdpSenders), null);
        }

        return refusal;
    }

    // How a packet socket works: the rings that share the device, and a way out that is slower than it could be.
    private static string ModeOf(int rings, bool hasXdpSenders) =>
        string.Join(", ", ((string?[])[rings == 1 ? null : $"fanout of {rings}", hasXdpSenders ? null : "sends by calls, not AF_XDP"]).Where(static part => part is not null));

    private void Add(IVportDriver driver, System.Runtime.InteropServices.SafeHandle handle, int worker, bool sends = true)
    {
        _rings.Add(new VportRing(driver, handle) { Worker = worker });
        if (sends)
        {
            _channels[worker] ??= driver;
        }
    }

    private Refusal TryOpenSenders()
    {
        for (int i = 0; i < _channels.Length; i++)
        {
            try
            {
                _channels[i] ??= PacketSocketSender.Open(_netdev);
            }
            catch (SystemCallException exception)
            {
                return new Refusal(exception.Errno, exception.Message);
            }
        }

        return Refusal.None;
    }

    private void Close()
    {
        // First: a device that moves packets itself puts none into frames any more when they are given back.
        _netdev.DetachXdp();
        foreach (VportRing ring in _rings)
        {
            ring.Driver.Dispose();
        }

        foreach (IVportDriver? channel in _channels)
        {
            (channel as PacketSocketSender)?.Dispose();
        }
    }
}
