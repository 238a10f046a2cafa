using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Engine.Platform;

// net/if.h, net/if_arp.h, bits/ioctls.h, linux/ethtool.h
internal static unsafe partial class Libc
{
    public const int IFNAMSIZ = 16;

    public const int IFF_UP = 0x1;
    public const int IFF_LOOPBACK = 0x8;
    public const int IFF_RUNNING = 0x40;

    public const ushort ARPHRD_ETHER = 1;

    public const nuint SIOCGIFNAME = 0x8910;
    public const nuint SIOCGIFFLAGS = 0x8913;
    public const nuint SIOCSIFFLAGS = 0x8914;
    public const nuint SIOCGIFMTU = 0x8921;
    public const nuint SIOCSIFMTU = 0x8922;
    public const nuint SIOCSIFHWADDR = 0x8924;
    public const nuint SIOCGIFHWADDR = 0x8927;
    public const nuint SIOCGIFINDEX = 0x8933;
    public const nuint SIOCETHTOOL = 0x8946;

    public const uint ETHTOOL_GDRVINFO = 3;
    public const uint ETHTOOL_GCHANNELS = 0x3c;

    [StructLayout(LayoutKind.Explicit, Size = 40)]
    public struct ifreq
    {
        [FieldOffset(0)]
        public ifr_name_bytes ifr_name;

        [FieldOffset(16)]
        public int ifr_ifindex;

        [FieldOffset(16)]
        public int ifr_mtu;

        [FieldOffset(16)]
        public short ifr_flags;

        [FieldOffset(16)]
        public ushort ifr_hwaddr_family;

        [FieldOffset(18)]
        public ifr_hwaddr_bytes ifr_hwaddr_data;

        [FieldOffset(16)]
        public nint ifr_data;
    }

    [InlineArray(IFNAMSIZ)]
    public struct ifr_name_bytes
    {
        private byte _first;
    }

    [InlineArray(6)]
    public struct ifr_hwaddr_bytes
    {
        private byte _first;
    }

    [StructLayout(LayoutKind.Explicit, Size = 196)]
    public struct ethtool_drvinfo
    {
        [FieldOffset(0)]
        public uint cmd;

        [FieldOffset(4)]
        public fixed byte driver[32];
    }

    public struct ethtool_channels
    {
        public uint cmd;
        public uint max_rx;
        public uint max_tx;
        public uint max_other;
        public uint max_combined;
        public uint rx_count;
        public uint tx_count;
        public uint other_count;
        public uint combined_count;
    }
}
