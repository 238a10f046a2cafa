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
    private DeviceClaim? _claim;
    private FileDescriptor? _takeLink;
    private FileDescriptor? _xdpLink;
    private FileDescriptor? _xdpSockets;
    private volatile NetdevState _state;
    private volatile int _mtu;

    private Netdev(NetworkDevice device, NetdevState state)
    {
        _device = device;
        _state = state;
    }

    /// <summary>The interface index, which stays when the device is renamed.</summary>
    public int Index => _device.Index;

    /// <summary>What was last seen of the device: by a driver, or by <see cref="Refresh"/>.</summary>
    public NetdevState State => _state;

    /// <summary>The MTU in bytes that was last seen, by <see cref="TryOpen"/> or <see cref="Refresh"/>.</summary>
    public int Mtu => _mtu;

    /// <summary>
    /// Whether the device is made of software whose packets may carry partial checksums (veth, TAP): <c>auto</c> takes the packet
    /// socket there, which carries them and the super-frames of GSO; AF_XDP loses both.
    /// </summary>
    public bool IsVirtual => _device.DriverName() is "" or "veth" or "tun" or "bridge" or "dummy" or "bonding" or "team" or "vxlan" or "geneve";

    /// <summary>How the XDP program of the device is attached, once an <see cref="XdpDriver"/> is open.</summary>
    public XdpMode XdpMode { get; private set; }

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
        netdev.Refresh();
        return Refusal.None;
    }

    /// <summary>Gets the Ethernet address.</summary>
    /// <returns>ENODEV when the device is gone from the namespace.</returns>
    public Errno TryGetAddress(out EthernetAddress address) => _device.TryGetAddress(out _, out address);

    /// <summary>Gets the name it has now.</summary>
    /// <returns>ENODEV when the device is gone from the namespace.</returns>
    public Errno TryGetName(out string name) => _device.TryGetName(out name);

    /// <summary>Sets it up or down.</summary>
    /// <returns>ENODEV when the device is gone from the namespace, EPERM without CAP_NET_ADMIN.</returns>
    public Errno TrySetUp(bool up) => _device.TrySetUp(up);

    /// <summary>Sets the MTU in bytes.</summary>
    /// <returns>EINVAL when the device cannot; else as <see cref="TrySetUp"/>.</returns>
    public Errno TrySetMtu(int mtu) => _device.TrySetMtu(mtu);

    /// <summary>Sets the Ethernet address.</summary>
    /// <returns>EADDRNOTAVAIL for an address no device can have; else as <see cref="TrySetUp"/>.</returns>
    public Errno TrySetAddress(EthernetAddress address) => _device.TrySetAddress(address);

    /// <summary>Asks the kernel whether the device is there and up, and for its MTU.</summary>
    public NetdevState Refresh()
    {
        if (_device.TryGetMtu(out int mtu) == Errno.None)
        {
            _mtu = mtu;
        }

        return _state = _device.TryGetFlags(out int flags) == Errno.None ? StateOf(flags) : NetdevState.Gone;
    }

    /// <summary>Gives the device's frames back to the host.</summary>
    public void Dispose()
    {
        if (_takeLink is { } link)
        {
            Bpf.Detach(link);
            _takeLink = null;
        }

        DetachXdp();
        _claim?.Dispose();
        _device.Dispose();
    }

    /// <summary>Makes sure that no other engine has the device, and keeps others off as long as this object lives.</summary>
    /// <returns>False when another one has it.</returns>
    internal bool TryClaim() => (_claim ??= DeviceClaim.TryMake(Index)) is not null;

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

    /// <summary>
    /// Attaches the XDP program that hands the packets of a queue to the AF_XDP socket in the map, and those of a queue without one to the
    /// host. Does nothing when it is attached already.
    /// </summary>
    /// <returns>The map from queue to socket.</returns>
    /// <exception cref="SystemCallException">The kernel refused; <see cref="Errno.Busy"/> when another program is attached.</exception>
    internal FileDescriptor AttachXdp(XdpMode mode)
    {
        if (_xdpLink is not null)
        {
            return _xdpSockets!;
        }

        const uint MaximumQueues = 256;
        FileDescriptor sockets = Bpf.CreateSocketMap(MaximumQueues);
        try
        {
            Errno errno = Errno.NotSupported;
            using FileDescriptor program = Bpf.LoadRedirectProgram(sockets, hasFragments: true);
            if (mode is not XdpMode.Generic)
            {
                errno = Bpf.TryAttach(program, Index, Libc.BPF_XDP, Libc.XDP_FLAGS_DRV_MODE, out _xdpLink);
                XdpMode = XdpMode.Native;
            }

            if (_xdpLink is null && errno != Errno.Busy && mode is not XdpMode.Native)
            {
                errno = Bpf.TryAttach(program, Index, Libc.BPF_XDP, Libc.XDP_FLAGS_SKB_MODE, out _xdpLink);
                XdpMode = XdpMode.Generic;
            }

            if (_xdpLink is null)
            {
                throw new SystemCallException("bpf LINK_CREATE (xdp)", errno);
            }
        }
        catch
        {
            sockets.Dispose();
            throw;
        }

        _xdpSockets = sockets;
        return sockets;
    }

    /// <summary>Takes the XDP program off again, when no driver has come of it.</summary>
    internal void DetachXdp()
    {
        if (_xdpLink is { } link)
        {
            Bpf.Detach(link);
        }

        _xdpSockets?.Dispose();
        (_xdpLink, _xdpSockets) = (null, null);
    }

    /// <summary>Receive queues that the device spreads its frames over.</summary>
    internal int CountQueues() => _device.CountQueues();

    /// <summary>Transmit queues: AF_XDP sends nothing by the others, without a word.</summary>
    internal int CountTransmitQueues() => _device.CountTransmitQueues();

    /// <summary>Name of the kernel driver; empty when it has none.</summary>
    internal string DriverName => _device.DriverName();

    /// <summary>Makes the device promiscuous until the descriptor is closed.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    internal FileDescriptor TakeAllAddresses() => PacketSocket.OpenPromiscuous(Index);

    /// <summary>Notes what a packet call said about the device.</summary>
    /// <returns>Whether the error means that the device takes no frame now.</returns>
    internal bool Report(Errno errno)
    {
        switch (errno)
        {
            case Errno.NetworkDown:
                _state = NetdevState.Down;
                return true;
            case Errno.NoSuchDeviceOrAddress or Errno.NoDevice or Errno.BadDescriptorState:
                _state = NetdevState.Gone;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Notes that the device has taken a frame: it is up.</summary>
    internal void ReportSent()
    {
        if (_state == NetdevState.Down)
        {
            _state = NetdevState.Up;
        }
    }

    private static NetdevState StateOf(int flags) => (flags & Libc.IFF_UP) != 0 ? NetdevState.Up : NetdevState.Down;
}
