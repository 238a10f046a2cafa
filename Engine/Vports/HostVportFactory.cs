using System.Runtime.InteropServices;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>The devices of the host: existing ones as <see cref="VportOptions"/> says, internal ports by TAP. Tunnels are not made here.</summary>
/// <remarks>Threads: the control thread, in the network namespace that the ports are of.</remarks>
public sealed class HostVportFactory : IVportFactory
{
    private LinkStatistics? _statistics;

    /// <inheritdoc/>
    public Errno TryCreate(VportRequest request, out VportDevice? device)
    {
        ArgumentNullException.ThrowIfNull(request);
        device = null;
        return request.Type switch
        {
            VportType.Netdev => TryAttach(request, out device),
            VportType.Internal => TryMake(request, out device),
            _ => Errno.AddressFamilyNotSupported,
        };
    }

    private Errno TryAttach(VportRequest request, out VportDevice? device)
    {
        device = null;
        string name = request.Name;
        if (name.Length == 0)
        {
            return Errno.NoDevice;
        }

        Refusal refusal = Netdev.TryOpen(name, out Netdev? netdev);
        if (netdev is null)
        {
            return refusal.Errno;
        }

        // A device that is part of a bridge or bond has a master already.
        NetdevDriver? driver = null;
        refusal = Directory.Exists($"/sys/class/net/{name}/master")
            ? new Refusal(Errno.Busy, $"Device {name} has a master.")
            : NetdevDriver.TryAttach(netdev, request.Options, request.Workers, out driver);
        if (driver is null)
        {
            netdev.Dispose();
            return refusal.Errno;
        }

        device = new VportDevice(name, netdev.Index, driver)
        {
            MaximumTransmissionUnit = AnyLength,
            Rings = driver.Rings,
            Channels = driver.Channels,
            Choice = driver.Choice,
            ReadStats = CountersOf(netdev.Index),
        };
        return Errno.None;
    }

    private Errno TryMake(VportRequest request, out VportDevice? device)
    {
        device = null;
        if (!IsName(request.Name))
        {
            return Errno.InvalidArgument;
        }

        // TAP devices take the index that is next.
        if (request.Ifindex != 0)
        {
            return Errno.NotSupported;
        }

        VportWorkers? workers = request.Workers;
        int[] assigned = [0];
        Refusal refusal = workers?.TryAssign(request.Options, 1, out assigned) ?? Refusal.None;
        if (refusal.IsRefused)
        {
            return refusal.Errno;
        }

        refusal = InternalDriver.TryCreate(request.Name, usesUring: true, out InternalDriver? driver);
        if (driver is null)
        {
            return refusal.Errno == Errno.Busy ? Errno.Exists : refusal.Errno;
        }

        // The ring is of the thread that receives; the others write to the device themselves.
        IVportDriver sender = driver.OpenSender();
        device = new VportDevice(request.Name, driver.Device.Index, driver)
        {
            MaximumTransmissionUnit = AnyLength,
            Rings = [new VportRing(driver, driver.WaitHandle) { Worker = assigned[0], LooksByCall = !driver.UsesUring }],
            Channels = [.. Enumerable.Range(0, workers?.Count ?? 1).Select(worker => worker == assigned[0] ? driver : sender)],
            Choice = new DriverChoice("tap", driver.UsesUring ? "uring" : "calls", null),
            ReadStats = CountersOf(driver.Device.Index),
        };
        return Errno.None;
    }

    // As the kernel does, a port tells what its device has counted, from before it was a port too. A device that has gone tells what it told last.
    private Func<VportStats>? CountersOf(int ifindex)
    {
        _statistics ??= LinkStatistics.TryOpen();
        if (_statistics is not { } statistics)
        {
            return null;
        }

        VportStats stats = default;
        return () =>
        {
            statistics.TryRead(ifindex, MemoryMarshal.Cast<VportStats, ulong>(new Span<VportStats>(ref stats)));
            return stats;
        };
    }

    // The host may change a device's MTU at any time, and holds frames to it itself.
    private const int AnyLength = int.MaxValue - 64;

    // The kernel's dev_valid_name, and no pattern.
    internal static bool IsName(string name) =>
        name is not ("" or "." or "..") && name.Length < 16 && !name.Any(static letter => letter is '/' or ':' or '%' || char.IsWhiteSpace(letter));
}
