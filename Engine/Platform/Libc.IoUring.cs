using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Engine.Platform;

// linux/io_uring.h
internal static unsafe partial class Libc
{
    // The same numbers on all architectures.
    public const int SYS_io_uring_setup = 425;
    public const int SYS_io_uring_enter = 426;
    public const int SYS_io_uring_register = 427;

    public const uint IORING_SETUP_CQSIZE = 1 << 3;
    public const uint IORING_SETUP_R_DISABLED = 1 << 6;
    public const uint IORING_SETUP_TASKRUN_FLAG = 1 << 9;
    public const uint IORING_SETUP_SINGLE_ISSUER = 1 << 12;
    public const uint IORING_SETUP_DEFER_TASKRUN = 1 << 13;

    public const uint IORING_FEAT_SINGLE_MMAP = 1 << 0;

    public const uint IORING_SQ_CQ_OVERFLOW = 1 << 1;
    public const uint IORING_SQ_TASKRUN = 1 << 2;

    public const uint IORING_ENTER_GETEVENTS = 1 << 0;

    public const int IORING_REGISTER_ENABLE_RINGS = 12;
    public const int IORING_REGISTER_PBUF_RING = 22;

    public const int IORING_OFF_SQ_RING = 0;
    public const int IORING_OFF_SQES = 0x10000000;

    public const byte IORING_OP_WRITEV = 2;
    public const byte IORING_OP_SENDMSG = 9;
    public const byte IORING_OP_RECVMSG = 10;
    public const byte IORING_OP_READ_MULTISHOT = 49;

    public const byte IOSQE_BUFFER_SELECT = 1 << 5;
    public const ushort IORING_RECV_MULTISHOT = 1 << 1;

    public const uint IORING_CQE_F_BUFFER = 1 << 0;
    public const uint IORING_CQE_F_MORE = 1 << 1;
    public const int IORING_CQE_BUFFER_SHIFT = 16;

    public const int RWF_NOWAIT = 8;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    public static partial nint syscall6(nint number, nint a, nint b, nint c, nint d, nint e, nint f);

    public struct io_sqring_offsets
    {
        public uint head;
        public uint tail;
        public uint ring_mask;
        public uint ring_entries;
        public uint flags;
        public uint dropped;
        public uint array;
        public uint resv1;
        public ulong user_addr;
    }

    public struct io_cqring_offsets
    {
        public uint head;
        public uint tail;
        public uint ring_mask;
        public uint ring_entries;
        public uint overflow;
        public uint cqes;
        public uint flags;
        public uint resv1;
        public ulong user_addr;
    }

    public struct io_uring_params
    {
        public uint sq_entries;
        public uint cq_entries;
        public uint flags;
        public uint sq_thread_cpu;
        public uint sq_thread_idle;
        public uint features;
        public uint wq_fd;
        public io_uring_resv_words resv;
        public io_sqring_offsets sq_off;
        public io_cqring_offsets cq_off;
    }

    [InlineArray(3)]
    public struct io_uring_resv_words
    {
        private uint _first;
    }

    [StructLayout(LayoutKind.Explicit, Size = 64)]
    public struct io_uring_sqe
    {
        [FieldOffset(0)]
        public byte opcode;

        [FieldOffset(1)]
        public byte flags;

        [FieldOffset(2)]
        public ushort ioprio;

        [FieldOffset(4)]
        public int fd;

        [FieldOffset(8)]
        public ulong off;

        [FieldOffset(16)]
        public ulong addr;

        [FieldOffset(24)]
        public uint len;

        [FieldOffset(28)]
        public int rw_flags;

        [FieldOffset(28)]
        public uint msg_flags;

        [FieldOffset(32)]
        public ulong user_data;

        [FieldOffset(40)]
        public ushort buf_group;
    }

    public struct io_uring_cqe
    {
        public ulong user_data;
        public int res;
        public uint flags;
    }

    public struct io_uring_buf
    {
        public ulong addr;
        public uint len;
        public ushort bid;
        public ushort resv;
    }

    public struct io_uring_buf_reg
    {
        public ulong ring_addr;
        public uint ring_entries;
        public ushort bgid;
        public ushort flags;
        public io_uring_resv_longs resv;
    }

    [InlineArray(3)]
    public struct io_uring_resv_longs
    {
        private ulong _first;
    }

    public struct io_uring_recvmsg_out
    {
        public uint namelen;
        public uint controllen;
        public uint payloadlen;
        public uint flags;
    }
}
