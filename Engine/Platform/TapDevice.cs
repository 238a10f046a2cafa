using System.Runtime.CompilerServices;
using System.Text;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>A TAP device: what the host sends by it is read here, what is written here the host receives. Frames have a virtio_net header before them.</summary>
/// <remarks>Lives as long as the descriptor: it is gone when this is disposed or the process ends. Threads: one reads and writes.</remarks>
internal sealed unsafe class TapDevice : IDisposable
{
    private const int PatienceMs = 500;

    private readonly FileDescriptor _descriptor;
    private readonly string _name;

    /// <summary>Makes a device in the network namespace of the calling thread. It is down, its address random.</summary>
    /// <exception cref="SystemCallException">The kernel refused; <see cref="Errno.Exists"/> when the name is taken.</exception>
    public TapDevice(string name)
    {
        _name = $"tap {name}";
        _descriptor = FileDescriptor.Open("/dev/net/tun", Libc.O_RDWR | Libc.O_NONBLOCK);
        try
        {
            // The name is cut off where the kernel would refuse a longer one.
            Libc.ifreq request = new() { ifr_flags = unchecked((short)(Libc.IFF_TAP | Libc.IFF_NO_PI | Libc.IFF_VNET_HDR | Libc.IFF_TUN_EXCL)) };
            Span<byte> bytes = request.ifr_name;
            if (!Encoding.UTF8.TryGetBytes(name, bytes[..(Libc.IFNAMSIZ - 1)], out _))
            {
                throw new SystemCallException("ioctl TUNSETIFF", Errno.InvalidArgument);
            }

            Lingering lingering = new(_name, PatienceMs);
            while (Libc.ioctl(_descriptor.Number, Libc.TUNSETIFF, &request) < 0)
            {
                // The kernel's own internal ports say EEXIST where TAP says EBUSY.
                Errno errno = Libc.LastErrno;
                if (errno != Errno.Busy || !lingering.Wait())
                {
                    throw new SystemCallException("ioctl TUNSETIFF", errno == Errno.Busy ? Errno.Exists : errno);
                }
            }

            // What the host may leave undone. USO is refused by kernels before 6.2, which then have the rest.
            const int Offloads = Libc.TUN_F_CSUM | Libc.TUN_F_TSO4 | Libc.TUN_F_TSO6 | Libc.TUN_F_TSO_ECN;
            if (Libc.ioctl_long(_descriptor.Number, Libc.TUNSETOFFLOAD, Offloads | Libc.TUN_F_USO4 | Libc.TUN_F_USO6) < 0)
            {
                SystemCallException.ThrowIfFailed(Libc.ioctl_long(_descriptor.Number, Libc.TUNSETOFFLOAD, Offloads), "ioctl TUNSETOFFLOAD");
            }
        }
        catch
        {
            _descriptor.Dispose();
            throw;
        }
    }

    /// <summary>What to wait on for a frame.</summary>
    public FileDescriptor Descriptor => _descriptor;

    /// <summary>Reads a frame with its header.</summary>
    /// <param name="destination">Where they go; a longer frame is cut off.</param>
    /// <param name="errno">Why there is none: <see cref="Errno.TryAgain"/> when none waits.</param>
    /// <returns>Bytes of both, or 0.</returns>
    public int Read(Span<byte> destination, out Errno errno)
    {
        fixed (byte* first = destination)
        {
            nint length = Libc.read(_descriptor.Number, first, (nuint)destination.Length);
            errno = length < 0 ? Libc.LastErrno : Errno.None;
            return (int)Math.Max(length, 0);
        }
    }

    /// <summary>Writes a frame with its header before it.</summary>
    /// <param name="data">The frame.</param>
    /// <param name="length">Bytes of the frame.</param>
    /// <param name="headroom">Bytes before the frame that may be overwritten.</param>
    /// <param name="header">The header.</param>
    /// <returns>What the kernel said; <see cref="Errno.InputOutput"/> when the device is down.</returns>
    public Errno Write(nint data, int length, int headroom, in Libc.virtio_net_hdr header)
    {
        nint written;
        if (headroom >= PacketSocket.OffloadHeaderSize)
        {
            // In bounds: the caller owns the headroom.
            nint start = data - PacketSocket.OffloadHeaderSize;
            Unsafe.WriteUnaligned((void*)start, header);
            written = Libc.write(_descriptor.Number, (void*)start, (nuint)(length + PacketSocket.OffloadHeaderSize));
        }
        else
        {
            Libc.virtio_net_hdr copy = header;
            Libc.iovec* pieces = stackalloc Libc.iovec[2];
            pieces[0] = new Libc.iovec { iov_base = (nint)(&copy), iov_len = PacketSocket.OffloadHeaderSize };
            pieces[1] = new Libc.iovec { iov_base = data, iov_len = (nuint)length };
            written = Libc.writev(_descriptor.Number, pieces, 2);
        }

        return written < 0 ? Libc.LastErrno : Errno.None;
    }

    /// <summary>Removes the device.</summary>
    public void Dispose()
    {
        _descriptor.Dispose();
        Lingering.Left(_name);
    }
}
