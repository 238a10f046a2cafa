using System.Runtime.InteropServices;

namespace Engine.Platform;

// netinet/in.h, netinet/udp.h, linux/filter.h as far as sockets of the Internet protocols need them
internal static unsafe partial class Libc
{
    public const int AF_UNSPEC = 0;
    public const int AF_INET6 = 10;

    public const int IPPROTO_IP = 0;
    public const int IPPROTO_UDP = 17;
    public const int IPPROTO_IPV6 = 41;
    public const int IPPROTO_RAW = 255;

    public const int IP_TOS = 1;
    public const int IP_TTL = 2;
    public const int IP_HDRINCL = 3;
    public const int IP_PKTINFO = 8;
    public const int IP_RECVTTL = 12;
    public const int IP_RECVTOS = 13;
    public const int IP_MTU = 14;

    public const int IPV6_MTU = 24;
    public const int IPV6_V6ONLY = 26;
    public const int IPV6_HDRINCL = 36;
    public const int IPV6_RECVPKTINFO = 49;
    public const int IPV6_PKTINFO = 50;
    public const int IPV6_RECVHOPLIMIT = 51;
    public const int IPV6_HOPLIMIT = 52;
    public const int IPV6_RECVTCLASS = 66;
    public const int IPV6_TCLASS = 67;

    public const int UDP_NO_CHECK6_RX = 102;
    public const int UDP_SEGMENT = 103;
    public const int UDP_GRO = 104;

    public const int SO_REUSEPORT = 15;
    public const int SO_ATTACH_FILTER = 26;
    public const int SO_ATTACH_REUSEPORT_CBPF = 51;

    public const int SKF_NET_OFF = -0x100000;

    public const ushort BPF_LD_B_ABS = 0x30; // BPF_LD | BPF_B | BPF_ABS
    public const ushort BPF_LD_H_ABS = 0x28; // BPF_LD | BPF_H | BPF_ABS
    public const ushort BPF_LD_H_IND = 0x48; // BPF_LD | BPF_H | BPF_IND
    public const ushort BPF_ALU_AND_K = 0x54; // BPF_ALU | BPF_AND | BPF_K
    public const ushort BPF_ALU_LSH_K = 0x64; // BPF_ALU | BPF_LSH | BPF_K
    public const ushort BPF_MISC_TAX = 0x07; // BPF_MISC | BPF_TAX

    [LibraryImport(Library, SetLastError = true)]
    public static partial int recvmmsg(int sockfd, mmsghdr* msgvec, uint vlen, int flags, void* timeout);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getsockname(int sockfd, void* addr, uint* addrlen);

    public struct sockaddr_in
    {
        public ushort sin_family;
        public ushort sin_port;
        public uint sin_addr;
        public ulong sin_zero;
    }

    public struct sockaddr_in6
    {
        public ushort sin6_family;
        public ushort sin6_port;
        public uint sin6_flowinfo;
        public fixed byte sin6_addr[16];
        public uint sin6_scope_id;
    }

    public struct in_pktinfo
    {
        public int ipi_ifindex;
        public uint ipi_spec_dst;
        public uint ipi_addr;
    }
}
