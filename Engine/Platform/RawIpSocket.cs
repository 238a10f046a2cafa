using System.Runtime.CompilerServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>Sends whole IP packets, header included, by the host's routes, neighbours and policies.</summary>
/// <remarks>Threads: any number at once.</remarks>
internal sealed unsafe class RawIpSocket : IDisposable
{
    /// <summary>Packets of one call.</summary>
    public const int Capacity = 32;

    private const int BufferSize = 32 << 20;
    private const int Ipv4DestinationOffset = 16, Ipv6DestinationOffset = 24;

    private readonly FileDescriptor _socket;
    private readonly bool _isIpv6;

    /// <summary>Opens the socket.</summary>
    /// <exception cref="SystemCallException">The kernel refused: EPERM without CAP_NET_RAW.</exception>
    public RawIpSocket(bool isIpv6)
    {
        _isIpv6 = isIpv6;
        _socket = FileDescriptor.Socket(isIpv6 ? Libc.AF_INET6 : Libc.AF_INET, Libc.SOCK_RAW, Libc.IPPROTO_RAW);
        try
        {
            _socket.Set(Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, BufferSize, "SO_SNDBUFFORCE");
            if (isIpv6)
            {
                _socket.Set(Libc.IPPROTO_IPV6, Libc.IPV6_HDRINCL, 1, "IPV6_HDRINCL");
            }
            else
            {
                _socket.Set(Libc.IPPROTO_IP, Libc.IP_HDRINCL, 1, "IP_HDRINCL");
            }
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends packets, each to the destination its header names.</summary>
    /// <param name="packets">Where each starts, and its length of at least a header. At most <see cref="Capacity"/>.</param>
    /// <returns>How many the kernel took. It refuses one that is too long for the device, and one without a route; those after it are still sent.</returns>
    [SkipLocalsInit]
    public int Send(ReadOnlySpan<(nint Data, int Length)> packets)
    {
        Invariant.Assert(packets.Length <= Capacity);
        Libc.mmsghdr* messages = stackalloc Libc.mmsghdr[Capacity];
        Libc.iovec* pieces = stackalloc Libc.iovec[Capacity];
        Libc.sockaddr_in6* names = stackalloc Libc.sockaddr_in6[Capacity];
        for (int i = 0; i < packets.Length; i++)
        {
            pieces[i] = new Libc.iovec { iov_base = packets[i].Data, iov_len = (nuint)packets[i].Length };
            messages[i] = new Libc.mmsghdr
            {
                msg_hdr = new Libc.msghdr { msg_name = (nint)(names + i), msg_namelen = Name(names + i, (byte*)packets[i].Data), msg_iov = pieces + i, msg_iovlen = 1 },
            };
        }

        int sent = 0;
        for (int first = 0; first < packets.Length;)
        {
            int count = Libc.sendmmsg(_socket.Number, messages + first, (uint)(packets.Length - first), Libc.MSG_DONTWAIT);
            if (count <= 0)
            {
                // The first of them failed: it is given up, the others are tried.
                first++;
                continue;
            }

            sent += count;
            first += count;
        }

        return sent;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    // In bounds: the packet starts with a whole header.
    private uint Name(Libc.sockaddr_in6* name, byte* packet)
    {
        *name = default;
        if (_isIpv6)
        {
            name->sin6_family = Libc.AF_INET6;
            Unsafe.CopyBlockUnaligned(name->sin6_addr, packet + Ipv6DestinationOffset, 16);
            return (uint)sizeof(Libc.sockaddr_in6);
        }

        *(Libc.sockaddr_in*)name = new Libc.sockaddr_in { sin_family = Libc.AF_INET, sin_addr = Unsafe.ReadUnaligned<uint>(packet + Ipv4DestinationOffset) };
        return (uint)sizeof(Libc.sockaddr_in);
    }
}
