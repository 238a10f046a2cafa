namespace Engine.Platform;

// linux/if_xdp.h
internal static unsafe partial class Libc
{
    public const int SOL_XDP = 283;

    public const int XDP_MMAP_OFFSETS = 1;
    public const int XDP_RX_RING = 2;
    public const int XDP_TX_RING = 3;
    public const int XDP_UMEM_REG = 4;
    public const int XDP_UMEM_FILL_RING = 5;
    public const int XDP_UMEM_COMPLETION_RING = 6;
    public const int XDP_STATISTICS = 7;
    public const int XDP_OPTIONS = 8;

    public const uint XDP_OPTIONS_ZEROCOPY = 1;

    public const ushort XDP_SHARED_UMEM = 1;
    public const ushort XDP_COPY = 2;
    public const ushort XDP_USE_NEED_WAKEUP = 8;
    public const ushort XDP_USE_SG = 16;

    public const uint XDP_RING_NEED_WAKEUP = 1;

    public const uint XDP_PKT_CONTD = 1;

    public const long XDP_PGOFF_RX_RING = 0;
    public const long XDP_PGOFF_TX_RING = 0x8000_0000;
    public const long XDP_UMEM_PGOFF_FILL_RING = 0x1_0000_0000;
    public const long XDP_UMEM_PGOFF_COMPLETION_RING = 0x1_8000_0000;

    public struct sockaddr_xdp
    {
        public ushort sxdp_family;
        public ushort sxdp_flags;
        public uint sxdp_ifindex;
        public uint sxdp_queue_id;
        public uint sxdp_shared_umem_fd;
    }

    public struct xdp_umem_reg
    {
        public ulong addr;
        public ulong len;
        public uint chunk_size;
        public uint headroom;
        public uint flags;
    }

    public struct xdp_ring_offset
    {
        public ulong producer;
        public ulong consumer;
        public ulong desc;
        public ulong flags;
    }

    public struct xdp_mmap_offsets
    {
        public xdp_ring_offset rx;
        public xdp_ring_offset tx;
        public xdp_ring_offset fr;
        public xdp_ring_offset cr;
    }

    public struct xdp_desc
    {
        public ulong addr;
        public uint len;
        public uint options;
    }

    public struct xdp_statistics
    {
        public ulong rx_dropped;
        public ulong rx_invalid_descs;
        public ulong tx_invalid_descs;
        public ulong rx_ring_full;
        public ulong rx_fill_ring_empty_descs;
        public ulong tx_ring_empty_descs;
    }
}
