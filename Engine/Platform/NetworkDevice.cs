using System.Runtime.InteropServices;
using System.Text;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>A network device of the namespace in which the object was made, asked and changed by ioctl(2).</summary>
/// <remarks>Keeps a socket of that namespace, so it works from any thread afterwards. A device is known by its index: it may be renamed.</remarks>
internal sealed unsafe class NetworkDevice : IDisposable
{
    private readonly FileDescriptor _control;

    private NetworkDevice(FileDescriptor control, int index)
    {
        _control = control;
        Index = index;
    }

    /// <summary>The interface index.</summary>
    public int Index { get; }

    /// <summary>Finds a device by its name in the network namespace of the calling thread.</summary>
    /// <returns>What the kernel said; <see cref="Errno.NoDevice"/> when there is none of that name.</returns>
    /// <exception cref="SystemCallException">No socket could be made.</exception>
    public static Errno TryFind(string name, out NetworkDevice? device)
    {
        device = null;
        int length = Encoding.UTF8.GetByteCount(name);
        if (length is 0 or >= Libc.IFNAMSIZ)
        {
            return Errno.NoDevice;
        }

        FileDescriptor control = FileDescriptor.Socket(Libc.AF_INET, Libc.SOCK_DGRAM, 0);
        Libc.ifreq request = default;
        Encoding.UTF8.GetBytes(name, request.ifr_name);
        if (Libc.ioctl(control.Number, Libc.SIOCGIFINDEX, &request) < 0)
        {
            Errno errno = Libc.LastErrno;
            control.Dispose();
            return errno;
        }

        device = new NetworkDevice(control, request.ifr_ifindex);
        return Errno.None;
    }

    /// <summary>The name it has now.</summary>
    /// <returns><see cref="Errno.NoDevice"/> when the device is gone from the namespace, as for every other question.</returns>
    public Errno TryGetName(out string name)
    {
        Libc.ifreq request = new() { ifr_ifindex = Index };
        if (Libc.ioctl(_control.Number, Libc.SIOCGIFNAME, &request) < 0)
        {
            name = string.Empty;
            return Libc.LastErrno;
        }

        ReadOnlySpan<byte> bytes = request.ifr_name;
        int end = bytes.IndexOf((byte)0);
        name = Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        return Errno.None;
    }

    /// <summary>Gets the IFF_* flags.</summary>
    public Errno TryGetFlags(out int flags)
    {
        Errno errno = TryAsk(Libc.SIOCGIFFLAGS, out Libc.ifreq request);
        flags = (ushort)request.ifr_flags;
        return errno;
    }

    /// <summary>Sets it up or down.</summary>
    public Errno TrySetUp(bool up)
    {
        Errno errno = TryAsk(Libc.SIOCGIFFLAGS, out Libc.ifreq request);
        if (errno != Errno.None)
        {
            return errno;
        }

        request.ifr_flags = (short)(up ? request.ifr_flags | Libc.IFF_UP : request.ifr_flags & ~Libc.IFF_UP);
        return Change(Libc.SIOCSIFFLAGS, ref request);
    }

    /// <summary>Gets the MTU in bytes.</summary>
    public Errno TryGetMtu(out int mtu)
    {
        Errno errno = TryAsk(Libc.SIOCGIFMTU, out Libc.ifreq request);
        mtu = request.ifr_mtu;
        return errno;
    }

    /// <summary>Sets the MTU in bytes.</summary>
    public Errno TrySetMtu(int mtu)
    {
        Errno errno = TryName(out Libc.ifreq request);
        request.ifr_mtu = mtu;
        return errno == Errno.None ? Change(Libc.SIOCSIFMTU, ref request) : errno;
    }

    /// <summary>Gets the type (ARPHRD_*) and the Ethernet address.</summary>
    public Errno TryGetAddress(out ushort hardwareType, out EthernetAddress address)
    {
        Errno errno = TryAsk(Libc.SIOCGIFHWADDR, out Libc.ifreq request);
        hardwareType = request.ifr_hwaddr_family;
        address = MemoryMarshal.Read<EthernetAddress>(request.ifr_hwaddr_data);
        return errno;
    }

    /// <summary>Sets the Ethernet address.</summary>
    public Errno TrySetAddress(EthernetAddress address)
    {
        Errno errno = TryName(out Libc.ifreq request);
        request.ifr_hwaddr_family = Libc.ARPHRD_ETHER;
        MemoryMarshal.Write(request.ifr_hwaddr_data, in address);
        return errno == Errno.None ? Change(Libc.SIOCSIFHWADDR, ref request) : errno;
    }

    /// <summary>Gets the name of the kernel driver, for instance <c>veth</c>; empty when it has none.</summary>
    public string DriverName()
    {
        Libc.ethtool_drvinfo driver = new() { cmd = Libc.ETHTOOL_GDRVINFO };
        if (TryName(out Libc.ifreq request) != Errno.None)
        {
            return string.Empty;
        }

        request.ifr_data = (nint)(&driver);
        return Libc.ioctl(_control.Number, Libc.SIOCETHTOOL, &request) < 0 ? string.Empty : Marshal.PtrToStringUTF8((nint)driver.driver) ?? string.Empty;
    }

    /// <summary>Receive queues in use; 1 where the device does not tell.</summary>
    public int CountQueues()
    {
        Libc.ethtool_channels channels = ReadChannels();
        return (int)Math.Max(channels.rx_count + channels.combined_count, 1);
    }

    /// <summary>Transmit queues in use; 1 where the device does not tell.</summary>
    public int CountTransmitQueues()
    {
        Libc.ethtool_channels channels = ReadChannels();
        return (int)Math.Max(channels.tx_count + channels.combined_count, 1);
    }

    /// <summary>Closes the socket. The device stays.</summary>
    public void Dispose() => _control.Dispose();

    // Zeros where the device does not tell.
    private Libc.ethtool_channels ReadChannels()
    {
        Libc.ethtool_channels channels = new() { cmd = Libc.ETHTOOL_GCHANNELS };
        if (TryName(out Libc.ifreq request) != Errno.None)
        {
            return default;
        }

        request.ifr_data = (nint)(&channels);
        return Libc.ioctl(_control.Number, Libc.SIOCETHTOOL, &request) < 0 ? default : channels;
    }

    private Errno TryName(out Libc.ifreq request)
    {
        Libc.ifreq named = new() { ifr_ifindex = Index };
        Errno errno = Libc.ioctl(_control.Number, Libc.SIOCGIFNAME, &named) < 0 ? Libc.LastErrno : Errno.None;
        request = named;
        return errno;
    }

    private Errno TryAsk(nuint question, out Libc.ifreq request)
    {
        Errno errno = TryName(out request);
        return errno == Errno.None ? Change(question, ref request) : errno;
    }

    private Errno Change(nuint command, ref Libc.ifreq request)
    {
        fixed (Libc.ifreq* pointer = &request)
        {
            return Libc.ioctl(_control.Number, command, pointer) < 0 ? Libc.LastErrno : Errno.None;
        }
    }
}
