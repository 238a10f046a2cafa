using System.Net;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>A socket that receives the datagrams of a UDP port or of an IP protocol, with addresses, TTL and TOS.</summary>
/// <remarks>Threads: one receives.</remarks>
internal sealed unsafe class DatagramSocket : IDatagramSource, IDisposable
{
    private const int BufferSize = 32 << 20;

    private DatagramSocket(FileDescriptor descriptor, bool isIpv6, bool isRaw, bool hasChecksums)
    {
        Descriptor = descriptor;
        IsIpv6 = isIpv6;
        IsRaw = isRaw;
        HasChecksums = hasChecksums;
    }

    /// <summary>The socket.</summary>
    public FileDescriptor Descriptor { get; }

    /// <summary>Whether it is of IPv6; if not, of IPv4.</summary>
    public bool IsIpv6 { get; }

    /// <summary>Whether it receives an IP protocol; if not, a UDP port.</summary>
    public bool IsRaw { get; }

    /// <summary>Whether all its datagrams carry a UDP checksum.</summary>
    public bool HasChecksums { get; }

    /// <summary>
    /// Takes a UDP port on all addresses, with two sockets: the kernel puts datagrams without a checksum into the first and those with
    /// one into the second. Nothing else tells a receiver which is which, and a tunnel key has to say.
    /// </summary>
    /// <exception cref="SystemCallException">The kernel refused: EADDRINUSE when the port is taken, EAFNOSUPPORT without the address family.</exception>
    public static DatagramSocket[] OpenUdp(bool isIpv6, ushort port)
    {
        // Two sockets on one port could share it with a stranger's: one alone finds out whether there is any.
        using (FileDescriptor probe = FileDescriptor.Socket(Family(isIpv6), Libc.SOCK_DGRAM, 0))
        {
            Bind(probe, isIpv6, port);
        }

        DatagramSocket[] pair = new DatagramSocket[2];
        try
        {
            for (int i = 0; i < pair.Length; i++)
            {
                pair[i] = new DatagramSocket(FileDescriptor.Socket(Family(isIpv6), Libc.SOCK_DGRAM, 0), isIpv6, isRaw: false, hasChecksums: i == 1);
                FileDescriptor socket = pair[i].Descriptor;
                socket.Set(Libc.SOL_SOCKET, Libc.SO_REUSEPORT, 1, "SO_REUSEPORT");
                socket.Set(Libc.IPPROTO_UDP, Libc.UDP_GRO, 1, "UDP_GRO");
                if (isIpv6)
                {
                    socket.Set(Libc.IPPROTO_UDP, Libc.UDP_NO_CHECK6_RX, 1, "UDP_NO_CHECK6_RX");
                }

                pair[i].SetUp();
                Bind(socket, isIpv6, port);
            }

            Attach(pair[0].Descriptor, Libc.SO_ATTACH_REUSEPORT_CBPF, isIpv6 ? ChooseByChecksum6() : ChooseByChecksum4(), "SO_ATTACH_REUSEPORT_CBPF");
            return pair;
        }
        catch
        {
            foreach (DatagramSocket? socket in pair)
            {
                socket?.Dispose();
            }

            throw;
        }
    }

    /// <summary>Receives copies of all packets of an IP protocol.</summary>
    /// <exception cref="SystemCallException">The kernel refused: EPERM without CAP_NET_RAW.</exception>
    public static DatagramSocket OpenRaw(bool isIpv6, byte protocol)
    {
        DatagramSocket socket = new(FileDescriptor.Socket(Family(isIpv6), Libc.SOCK_RAW, protocol), isIpv6, isRaw: true, hasChecksums: false);
        try
        {
            socket.SetUp();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public SafeHandle? WaitHandle => Descriptor;

    /// <inheritdoc/>
    public void Receive(DatagramBatch datagrams) => datagrams.Receive(this);

    /// <inheritdoc/>
    public void Dispose() => Descriptor.Dispose();

    private static int Family(bool isIpv6) => isIpv6 ? Libc.AF_INET6 : Libc.AF_INET;

    private void SetUp()
    {
        Descriptor.Set(Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, BufferSize, "SO_RCVBUFFORCE");
        if (IsIpv6)
        {
            Descriptor.Set(Libc.IPPROTO_IPV6, Libc.IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO");
            Descriptor.Set(Libc.IPPROTO_IPV6, Libc.IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT");
            Descriptor.Set(Libc.IPPROTO_IPV6, Libc.IPV6_RECVTCLASS, 1, "IPV6_RECVTCLASS");
        }
        else
        {
            Descriptor.Set(Libc.IPPROTO_IP, Libc.IP_PKTINFO, 1, "IP_PKTINFO");
            Descriptor.Set(Libc.IPPROTO_IP, Libc.IP_RECVTTL, 1, "IP_RECVTTL");
            Descriptor.Set(Libc.IPPROTO_IP, Libc.IP_RECVTOS, 1, "IP_RECVTOS");
        }
    }

    private static void Bind(FileDescriptor socket, bool isIpv6, ushort port)
    {
        Libc.sockaddr_in6 address = default;
        if (isIpv6)
        {
            // Before bind, so that the port of IPv4 is left to its own sockets.
            socket.Set(Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 1, "IPV6_V6ONLY");
            address.sin6_family = Libc.AF_INET6;
            address.sin6_port = new Be16(port).Raw;
            SystemCallException.ThrowIfFailed(Libc.bind(socket.Number, &address, (uint)sizeof(Libc.sockaddr_in6)), $"bind [::]:{port}");
            return;
        }

        *(Libc.sockaddr_in*)&address = new Libc.sockaddr_in { sin_family = Libc.AF_INET, sin_port = new Be16(port).Raw };
        SystemCallException.ThrowIfFailed(Libc.bind(socket.Number, &address, (uint)sizeof(Libc.sockaddr_in)), $"bind {IPAddress.Any}:{port}");
    }

    private static void Attach(FileDescriptor socket, int option, Libc.sock_filter[] program, string name)
    {
        fixed (Libc.sock_filter* instructions = program)
        {
            socket.Set(Libc.SOL_SOCKET, option, new Libc.sock_fprog { len = (ushort)program.Length, filter = instructions }, name);
        }
    }

    // The program sees the packet from the UDP payload on; what lies before is reached from the network header.
    private static Libc.sock_filter[] ChooseByChecksum4() =>
    [
        new() { code = Libc.BPF_LD_B_ABS, k = unchecked((uint)Libc.SKF_NET_OFF) },
        new() { code = Libc.BPF_ALU_AND_K, k = 15 },
        new() { code = Libc.BPF_ALU_LSH_K, k = 2 },
        new() { code = Libc.BPF_MISC_TAX },
        new() { code = Libc.BPF_LD_H_IND, k = unchecked((uint)Libc.SKF_NET_OFF + 6) },
        .. ZeroOrNot(),
    ];

    // Behind extension headers the place is another; such a packet counts as one with a checksum.
    private static Libc.sock_filter[] ChooseByChecksum6() =>
    [
        new() { code = Libc.BPF_LD_B_ABS, k = unchecked((uint)Libc.SKF_NET_OFF + 6) },
        new() { code = Libc.BPF_JMP_JEQ_K, k = Libc.IPPROTO_UDP, jt = 1 },
        new() { code = Libc.BPF_RET_K, k = 1 },
        new() { code = Libc.BPF_LD_H_ABS, k = unchecked((uint)Libc.SKF_NET_OFF + 46) },
        .. ZeroOrNot(),
    ];

    private static Libc.sock_filter[] ZeroOrNot() =>
    [
        new() { code = Libc.BPF_JMP_JEQ_K, k = 0, jf = 1 },
        new() { code = Libc.BPF_RET_K, k = 0 },
        new() { code = Libc.BPF_RET_K, k = 1 },
    ];
}
