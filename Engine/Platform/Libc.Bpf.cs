using System.Runtime.InteropServices;

namespace Engine.Platform;

// linux/bpf.h, linux/if_link.h, sys/syscall.h
internal static unsafe partial class Libc
{
    // x86-64 and arm64 number bpf(2) differently; the others of this file's callers are the same on both.
    public static readonly nint SYS_bpf = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 321 : 280;

    public const int BPF_MAP_CREATE = 0;
    public const int BPF_MAP_UPDATE_ELEM = 2;
    public const int BPF_PROG_LOAD = 5;
    public const int BPF_LINK_CREATE = 28;
    public const int BPF_LINK_DETACH = 34;

    public const uint BPF_MAP_TYPE_XSKMAP = 17;

    public const uint BPF_PROG_TYPE_SCHED_CLS = 3;
    public const uint BPF_PROG_TYPE_XDP = 6;

    public const uint BPF_XDP = 37;
    public const uint BPF_TCX_INGRESS = 46;

    public const uint BPF_F_XDP_HAS_FRAGS = 1 << 5;

    public const uint XDP_FLAGS_SKB_MODE = 1 << 1;
    public const uint XDP_FLAGS_DRV_MODE = 1 << 2;

    public const int TCX_DROP = 2;
    public const int XDP_PASS = 2;

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint syscall(nint number, nint a, nint b, nint c);

    public struct bpf_insn
    {
        public byte code;
        public byte regs;
        public short off;
        public int imm;
    }

    /// <summary>union bpf_attr, the parts of it that are used; each command has its own fields.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 144)]
    public struct bpf_attr
    {
        [FieldOffset(0)]
        public uint map_type;

        [FieldOffset(4)]
        public uint key_size;

        [FieldOffset(8)]
        public uint value_size;

        [FieldOffset(12)]
        public uint max_entries;

        [FieldOffset(0)]
        public uint map_fd;

        [FieldOffset(8)]
        public ulong key;

        [FieldOffset(16)]
        public ulong value;

        [FieldOffset(0)]
        public uint prog_type;

        [FieldOffset(4)]
        public uint insn_cnt;

        [FieldOffset(8)]
        public ulong insns;

        [FieldOffset(16)]
        public ulong license;

        [FieldOffset(44)]
        public uint prog_flags;

        [FieldOffset(68)]
        public uint expected_attach_type;

        [FieldOffset(0)]
        public uint link_create_prog_fd;

        [FieldOffset(4)]
        public uint link_create_target_ifindex;

        [FieldOffset(8)]
        public uint link_create_attach_type;

        [FieldOffset(12)]
        public uint link_create_flags;

        [FieldOffset(0)]
        public uint link_detach_link_fd;
    }
}
