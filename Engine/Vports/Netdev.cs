using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>An existing Ethernet device that the datapath takes its frames from: what drivers of one device share.</summary>
/// <remarks>
/// <para>Must outlive its drivers. Belongs to the network namespace of the thread that opened it; drivers are opened by a thread
/// of the same namespace, and run on any.</para>
/// <para>Threads: the control thread opens, asks and disposes; workers only report what their calls said.</para>
/// </remarks>
public sealed class Netdev : IDisposable
{
    private readonly NetworkDevice _device;
    private FileDescriptor? _takeLink;
    private volatile NetdevState _state;

    private Netdev(NetworkDevice device, NetdevState state)
    {
        _device = device;
        _state = state;
    }

    /// <summary>The interface index, which stays when the device is renamed.</summary>
    public int Index => _device.Index;

    /// <summary>What was last seen of the device: by a driver, or by <see cref="Refresh"/>.</summary>
    public NetdevState State => _state;

    /// <summary>
    /// Whether the device is made of software whose packets may carry partial checksums (veth, TAP): <c>auto</c> takes the packet
    /// socket there, which carries them and the super-frames of GSO; AF_XDP loses both.
    /// </summary>
    public bool IsVirtual => _device.DriverName() is "" or "veth" or "tun" or "bridge" or "dummy" or "bonding" or "team" or "vxlan" or "geneve";

    /// <summary>Finds a device in the network namespace of the calling thread.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="netdev">The device, or null when refused.</param>
    /// <returns>
    /// What the kernel datapath refuses, in its words (ovs_netdev_link): ENODEV when there is no such device; EINVAL for a loopback
    /// device and one that is not Ethernet.
    /// </returns>
    public static Refusal TryOpen(string name, out Netdev? netdev)
    {
        ArgumentNullException.ThrowIfNull(name);
        netdev = null;
        Errno errno = NetworkDevice.TryFind(name, out NetworkDevice? device);
        if (device is null)
        {
            return new Refusal(errno, $"There is no device {name} in this network namespace.");
        }

        errno = device.TryGetFlags(out int flags);
        ushort hardwareType = 0;
        if (errno == Errno.None)
        {
            errno = device.TryGetAddress(out hardwareType, out _);
        }

        Refusal refusal = errno != Errno.None ? new Refusal(errno, $"Device {name} could not be asked.")
            : (flags & Libc.IFF_LOOPBACK) != 0 ? Refusal.Invalid($"Device {name} is a loopback device.")
            : hardwareType != Libc.ARPHRD_ETHER ? Refusal.Invalid($"Device {name} is not an Ethernet device.")
            : Refusal.None;
        if (refusal.IsRefused)
        {
            device.Dispose();
            return refusal;
        }

        netdev = new Netdev(device, StateOf(flags));
        return Refusal.None;
    }

    /// <summary>Gets the MTU in bytes; it may change at any time.</summary>
    /// <returns>ENODEV when the device is gone from the namespace.</returns>
    public Errno TryGetMtu(out int mtu) => _device.TryGetMtu(out mtu);

    /// <summary>Gets the Ethernet address.</summary>
    /// <returns>ENODEV when the device is gone from the namespace.</returns>
    public Errno TryGetAddress(out EthernetAddress address) => _device.TryGetAddress(out _, out address);

    /// <summary>Gets the name it has now.</summary>
    /// <returns>ENODEV when the device is gone from the namespace.</returns>
    public Errno TryGetName(out string name) => _device.TryGetName(out name);

    /// <summary>Asks the kernel whether the device is there and up.</summary>
    public NetdevState Refresh() => _state = _device.TryGetFlags(out int flags) == Errno.None ? StateOf(flags) : NetdevState.Gone;

    /// <summary>Gives the device's frames back to the host.</summary>
    public void Dispose()
    {
        _takeLink?.Dispose();
        _device.Dispose();
    }

    /// <summary>
    /// Keeps the device's frames from the host's stack, as the kernel's rx handler does: packet sockets see a frame before tcx
    /// does, so a program there that drops all leaves the frames to them.
    /// </summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    internal void TakeFrames()
    {
        if (_takeLink is not null)
        {
            return;
        }

        using FileDescriptor program = Bpf.LoadDropProgram();
        Errno errno = Bpf.TryAttach(program, Index, Libc.BPF_TCX_INGRESS, 0, out _takeLink);
        if (errno != Errno.None)
        {
            throw new SystemCallException("bpf LINK_CREATE (tcx ingress)", errno);
        }
    }

    /// <summary>Notes what a packet call said about the device.</summary>
    /// <returns>Whether the error means that the device takes no frame now.</returns>
    internal bool Report(Errno errno)
    {
        switch (errno)
        {
            case Errno.NetworkDown:
                _state = NetdevState.Down;
                return true;
            case Errno.NoSuchDeviceOrAddress or Errno.NoDevice:
                _state = NetdevState.Gone;
                return true;
            default:
                return false;
        }
    }

    private static NetdevState StateOf(int flags) => (flags & Libc.IFF_UP) != 0 ? NetdevState.Up : NetdevState.Down;
}
