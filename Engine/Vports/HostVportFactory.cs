using Engine.Primitives;

namespace Engine.Vports;

/// <summary>The devices of the host: existing ones by packet sockets, internal ports by TAP. Tunnels are not made here.</summary>
/// <remarks>Threads: the control thread, in the network namespace that the ports are of.</remarks>
public sealed class HostVportFactory : IVportFactory
{
    /// <inheritdoc/>
    public Errno TryCreate(VportRequest request, out VportDevice? device)
    {
        ArgumentNullException.ThrowIfNull(request);
        device = null;
        return request.Type switch
        {
            VportType.Netdev => TryAttach(request.Name, out device),
            VportType.Internal => TryMake(request, out device),
            _ => Errno.AddressFamilyNotSupported,
        };
    }

    private static Errno TryAttach(string name, out VportDevice? device)
    {
        device = null;
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
        PacketSocketDriver? driver = null;
        refusal = Directory.Exists($"/sys/class/net/{name}/master")
            ? new Refusal(Errno.Busy, $"Device {name} has a master.")
            : PacketSocketDriver.TryOpen(netdev, new PacketSocketOptions(), out driver);
        if (driver is null)
        {
            netdev.Dispose();
            return refusal.Errno;
        }

        device = new VportDevice(name, netdev.Index, new OwningDriver(driver, netdev))
        {
            MaximumTransmissionUnit = AnyLength,
            WaitHandle = driver.WaitHandle,
            IsGone = () => netdev.Refresh() == NetdevState.Gone,
        };
        return Errno.None;
    }

    private static Errno TryMake(VportRequest request, out VportDevice? device)
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

        // Packets leave by whichever thread executes them, and an io_uring is of one thread.
        Refusal refusal = InternalDriver.TryCreate(request.Name, usesUring: false, out InternalDriver? driver);
        if (driver is null)
        {
            return refusal.Errno == Errno.Busy ? Errno.Exists : refusal.Errno;
        }

        device = new VportDevice(request.Name, driver.Device.Index, driver)
        {
            MaximumTransmissionUnit = AnyLength,
            WaitHandle = driver.WaitHandle,
        };
        return Errno.None;
    }

    // The host may change a device's MTU at any time, and holds frames to it itself.
    private const int AnyLength = int.MaxValue - 64;

    // The kernel's dev_valid_name, and no pattern.
    private static bool IsName(string name) =>
        name is not ("" or "." or "..") && name.Length < 16 && !name.Any(static letter => letter is '/' or ':' or '%' || char.IsWhiteSpace(letter));

    /// <summary>A driver whose device goes with it.</summary>
    private sealed class OwningDriver(PacketSocketDriver driver, Netdev netdev) : IVportDriver
    {
        public void Receive(Packets.PacketPool pool, ref Packets.PacketBatch batch) => driver.Receive(pool, ref batch);

        public int Transmit(Packets.PacketPool pool, ref Packets.PacketBatch batch) => driver.Transmit(pool, ref batch);

        public void Dispose()
        {
            driver.Dispose();
            netdev.Dispose();
        }
    }
}
