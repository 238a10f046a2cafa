using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>The devices of the host: existing ones as <see cref="VportOptions"/> says, internal ports by TAP. Tunnels are not made here.</summary>
/// <remarks>Threads: the control thread, in the network namespace that the ports are of.</remarks>
public sealed class HostVportFactory : IVportFactory, IDisposable
{
    private LinkSocket? _links;

    // Opened when the first device comes, in the namespace that it is of.
    private LinkSocket Links => _links ??= new LinkSocket();

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

    /// <summary>Ends the asking; devices stay.</summary>
    public void Dispose() => _links?.Dispose();

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

        // A device that is part of a bridge or bond has a master already, and one that another engine drives is as good as that.
        NetdevDriver? driver = null;
        refusal = Links.TryRead(netdev.Index) is { Master: not 0 } || !netdev.TryClaim()
            ? new Refusal(Errno.Busy, $"Device {name} has a master")
            : NetdevDriver.TryAttach(netdev, request.Options, request.Workers, out driver);
        if (driver is null)
        {
            netdev.Dispose();
            return refusal.Errno;
        }

        device = new VportDevice(name, netdev.Index, driver)
        {
            MaximumTransmissionUnit = netdev.Mtu,
            Rings = driver.Rings,
            Channels = driver.Channels,
            Choice = driver.Choice,
            ReadStats = CountersOf(netdev.Index, driver),
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
            MaximumTransmissionUnit = driver.Device.Mtu,
            Rings = [new VportRing(driver, driver.WaitHandle) { Worker = assigned[0], LooksByCall = !driver.UsesUring }],
            Channels = [.. Enumerable.Range(0, workers?.Count ?? 1).Select(worker => worker == assigned[0] ? driver : sender)],
            Choice = new DriverChoice("tap", driver.UsesUring ? "uring" : "calls", null),
            ReadStats = CountersOf(driver.Device.Index, driver),
        };
        return Errno.None;
    }

    // As the kernel does, a port tells what its device has counted, from before it was a port too; and what was lost between the device and the
    // datapath. A device that has gone tells what it told last.
    private Func<VportStats> CountersOf(int ifindex, IVportDriver driver)
    {
        LinkSocket links = Links;
        VportStats last = default;
        return () =>
        {
            links.TryReadStats(ifindex, MemoryMarshal.Cast<VportStats, ulong>(new Span<VportStats>(ref last)));
            VportStats stats = last;
            driver.AddStats(ref stats);
            return stats;
        };
    }

    // The kernel's dev_valid_name, and no pattern.
    internal static bool IsName(string name) =>
        name is not ("" or "." or "..") && name.Length < 16 && !name.Any(static letter => letter is '/' or ':' or '%' || char.IsWhiteSpace(letter));
}
