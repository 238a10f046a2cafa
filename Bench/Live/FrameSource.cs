using System.Runtime.InteropServices;
using Engine.Platform;

namespace Bench.Live;

/// <summary>An XDP program that makes frames in the kernel (BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES), at a rate or without one, and sends them by the device it is run on.</summary>
/// <remarks>
/// No socket buffer and no system call is spent on a frame, so that the switch is the limit and not its generator. The peer of a veth
/// device takes such frames only when it has NAPI: by an XDP program of its own, or by GRO. Threads: one runs it; any reads the count.
/// </remarks>
internal sealed unsafe class FrameSource : IDisposable
{
    private const byte MoveImmediate = 0xb7, Move = 0xbf, AddImmediate = 0x07, Add = 0x0f, Subtract = 0x1f, ShiftLeft = 0x67;
    private const byte LoadWord = 0x61, Load64 = 0x79, Store64 = 0x7b, StoreByte = 0x73, LoadImmediate64 = 0x18;
    private const byte JumpIfEqual = 0x15, JumpIfGreater = 0x2d, JumpIfLess = 0xad, JumpIfNotGreater = 0xb5, CallFunction = 0x85, ExitProgram = 0x95;
    private const byte PseudoMapValue = 2; // BPF_PSEUDO_MAP_VALUE
    private const int ReadTime = 5; // BPF_FUNC_ktime_get_ns
    private const int Drop = 1, Transmit = 3; // XDP_DROP, XDP_TX
    private const uint ArrayMap = 2; // BPF_MAP_TYPE_ARRAY
    private const uint Mappable = 1 << 10; // BPF_F_MMAPABLE
    private const int TestRun = 10; // BPF_PROG_TEST_RUN
    private const uint LiveFrames = 1 << 1; // BPF_F_TEST_XDP_LIVE_FRAMES
    private const nuint PageSize = 4096;

    // What program and process share: frames sent; time between two, and the time of the next one, in 1/256 ns.
    private const short SentAt = 0, IntervalAt = 8, NextAt = 16;
    private const int TimeShift = 8;

    // What is late by more than 100 us is not caught up: the burst would be lost before it reaches the switch.
    private const int LatestBehind = 100_000 << TimeShift;

    private const byte PortByte = 35; // of the UDP source port, the low one

    // Runs of the program in one call: those that come too early drop their frame, 25 million a second.
    private const uint Repeats = 8_000_000;
    private const uint Batch = 64;

    private readonly FileDescriptor _map;
    private readonly FileDescriptor _program;
    private readonly MemoryMapping _shared;

    /// <summary>Loads the program.</summary>
    /// <param name="rate">Frames a second; 0 for as many as go.</param>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public FrameSource(double rate)
    {
        Libc.bpf_attr attributes = new() { map_type = ArrayMap, key_size = sizeof(uint), value_size = (uint)PageSize, max_entries = 1 };
        ((uint*)&attributes)[4] = Mappable; // map_flags
        _map = FileDescriptor.FromCall(Libc.syscall(Libc.SYS_bpf, Libc.BPF_MAP_CREATE, (nint)(&attributes), sizeof(Libc.bpf_attr)), "bpf MAP_CREATE (array)");
        _program = Bpf.LoadProgram(Libc.BPF_PROG_TYPE_XDP, Instructions(_map), 0, "bpf PROG_LOAD (frame source)");
        _shared = new MemoryMapping(_map, PageSize);
        *(long*)(_shared.Pointer + IntervalAt) = rate == 0 ? 0 : (long)((1e9 * (1 << TimeShift)) / rate);
    }

    /// <summary>Frames sent so far.</summary>
    public long Sent => Volatile.Read(ref *(long*)(_shared.Pointer + SentAt));

    /// <summary>Makes frames until <see cref="Stop"/>, or the call's end after some seconds.</summary>
    /// <param name="interfaceIndex">The device that sends them, in the network namespace of the calling thread.</param>
    /// <param name="frame">Their bytes; the source port is changed.</param>
    /// <exception cref="SystemCallException">The kernel refused: it is older than 5.18, or has no such device.</exception>
    public void Run(int interfaceIndex, ReadOnlySpan<byte> frame)
    {
        Context context = new() { DataEnd = (uint)frame.Length, IngressIndex = (uint)interfaceIndex };
        fixed (byte* bytes = frame)
        {
            TestRunAttributes attributes = new()
            {
                Program = (uint)_program.Number,
                LengthIn = (uint)frame.Length,
                DataIn = (ulong)bytes,
                Repeat = Repeats,
                ContextLengthIn = (uint)sizeof(Context),
                ContextIn = (ulong)(&context),
                Flags = LiveFrames,
                BatchSize = Batch,
            };
            SystemCallException.ThrowIfFailed(Libc.syscall(Libc.SYS_bpf, TestRun, (nint)(&attributes), sizeof(TestRunAttributes)), "bpf PROG_TEST_RUN (live frames)");
        }
    }

    /// <summary>Sends nothing more.</summary>
    // The program reads the interval for each frame: one more may go, the next is due in a hundred years.
    public void Stop() => Volatile.Write(ref *(long*)(_shared.Pointer + IntervalAt), long.MaxValue >> 1);

    /// <inheritdoc/>
    public void Dispose()
    {
        _shared?.Dispose();
        _program?.Dispose();
        _map.Dispose();
    }

    private static Libc.bpf_insn[] Instructions(FileDescriptor map) =>
    [
        // r6: context, r7: what is shared.
        Of(Move, 6, 1),
        Of(LoadImmediate64, 7, PseudoMapValue, imm: map.Number),
        default,

        // Without a rate every frame is due.
        Of(Load64, 8, 7, IntervalAt),
        Of(JumpIfEqual, 8, off: 10),

        // Too early: dropped. Late: the next one follows one interval after the time this one should have had.
        Of(CallFunction, imm: ReadTime),
        Of(ShiftLeft, 0, imm: TimeShift),
        Of(Load64, 9, 7, NextAt),
        Of(JumpIfLess, 0, 9, off: 17),
        Of(Move, 1, 0),
        Of(Subtract, 1, 9),
        Of(JumpIfNotGreater, 1, off: 1, imm: LatestBehind),
        Of(Move, 9, 0),
        Of(Add, 9, 8),
        Of(Store64, 7, 9, NextAt),

        // Of a connection in turn.
        Of(LoadWord, 2, 6, off: 0),
        Of(LoadWord, 3, 6, off: 4),
        Of(Move, 4, 2),
        Of(AddImmediate, 4, imm: PortByte + 1),
        Of(JumpIfGreater, 4, 3, off: 6),
        Of(Load64, 5, 7, SentAt),
        Of(StoreByte, 2, 5, PortByte),
        Of(AddImmediate, 5, imm: 1),
        Of(Store64, 7, 5, SentAt),
        Of(MoveImmediate, 0, imm: Transmit),
        Of(ExitProgram),
        Of(MoveImmediate, 0, imm: Drop),
        Of(ExitProgram),
    ];

    private static Libc.bpf_insn Of(byte code, int destination = 0, int source = 0, short off = 0, int imm = 0) =>
        new() { code = code, regs = (byte)((source << 4) | destination), off = off, imm = imm };

    /// <summary>struct xdp_md.</summary>
    private struct Context
    {
        public uint Data;
        public uint DataEnd;
        public uint DataMeta;
        public uint IngressIndex;
        public uint Queue;
        public uint EgressIndex;
    }

    /// <summary>union bpf_attr of BPF_PROG_TEST_RUN.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 80)]
    private struct TestRunAttributes
    {
        public uint Program;
        public uint Result;
        public uint LengthIn;
        public uint LengthOut;
        public ulong DataIn;
        public ulong DataOut;
        public uint Repeat;
        public uint Duration;
        public uint ContextLengthIn;
        public uint ContextLengthOut;
        public ulong ContextIn;
        public ulong ContextOut;
        public uint Flags;
        public uint Processor;
        public uint BatchSize;
    }
}
