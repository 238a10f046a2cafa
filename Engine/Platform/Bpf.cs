using Engine.Primitives;

namespace Engine.Platform;

/// <summary>The engine's BPF programs, written here instruction by instruction, and bpf(2) to load and attach them.</summary>
/// <remarks>
/// Programs are attached with BPF links: a link ends with the last descriptor to it, so what a process has attached
/// vanishes with the process, however that ends.
/// </remarks>
internal static unsafe class Bpf
{
    // Opcodes of linux/bpf_common.h and linux/bpf.h, put together.
    private const byte MoveImmediate = 0xb7; // BPF_ALU64 | BPF_MOV | BPF_K
    private const byte LoadWord = 0x61; // BPF_LDX | BPF_MEM | BPF_W
    private const byte LoadImmediate64 = 0x18; // BPF_LD | BPF_DW | BPF_IMM, two instructions
    private const byte CallFunction = 0x85; // BPF_JMP | BPF_CALL
    private const byte ExitProgram = 0x95; // BPF_JMP | BPF_EXIT

    private const byte PseudoMapDescriptor = 1; // BPF_PSEUDO_MAP_FD
    private const int RedirectMap = 51; // BPF_FUNC_redirect_map
    private const short ReceiveQueueIndex = 16; // offsetof(struct xdp_md, rx_queue_index)

    /// <summary>Loads a program for tcx that drops every packet.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public static FileDescriptor LoadDropProgram()
    {
        ReadOnlySpan<Libc.bpf_insn> instructions =
        [
            new() { code = MoveImmediate, regs = Registers(0, 0), imm = Libc.TCX_DROP },
            new() { code = ExitProgram },
        ];
        return LoadProgram(Libc.BPF_PROG_TYPE_SCHED_CLS, instructions, 0, "bpf PROG_LOAD (tcx drop)");
    }

    /// <summary>Loads an XDP program that hands a packet to the AF_XDP socket of its receive queue, and to the host when that queue has none.</summary>
    /// <param name="socketMap">The map from queue to socket.</param>
    /// <param name="hasFragments">Whether the program may see packets of several buffers.</param>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public static FileDescriptor LoadRedirectProgram(FileDescriptor socketMap, bool hasFragments)
    {
        // return bpf_redirect_map(&map, ctx->rx_queue_index, XDP_PASS);
        ReadOnlySpan<Libc.bpf_insn> instructions =
        [
            new() { code = LoadWord, regs = Registers(2, 1), off = ReceiveQueueIndex },
            new() { code = LoadImmediate64, regs = Registers(1, PseudoMapDescriptor), imm = socketMap.Number },
            new(),
            new() { code = MoveImmediate, regs = Registers(3, 0), imm = Libc.XDP_PASS },
            new() { code = CallFunction, imm = RedirectMap },
            new() { code = ExitProgram },
        ];
        return LoadProgram(Libc.BPF_PROG_TYPE_XDP, instructions, hasFragments ? Libc.BPF_F_XDP_HAS_FRAGS : 0, "bpf PROG_LOAD (xdp redirect)");
    }

    /// <summary>Makes a map from receive queue to AF_XDP socket.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public static FileDescriptor CreateSocketMap(uint queueCount)
    {
        Libc.bpf_attr attributes = new() { map_type = Libc.BPF_MAP_TYPE_XSKMAP, key_size = 4, value_size = 4, max_entries = queueCount };
        return FileDescriptor.FromCall(Call(Libc.BPF_MAP_CREATE, ref attributes), "bpf MAP_CREATE (XSKMAP)");
    }

    /// <summary>Puts a socket into the map. It leaves the map by itself when it is closed.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public static void SetSocket(FileDescriptor socketMap, uint queue, FileDescriptor socket)
    {
        int number = socket.Number;
        Libc.bpf_attr attributes = new() { map_fd = (uint)socketMap.Number, key = (ulong)&queue, value = (ulong)&number };
        SystemCallException.ThrowIfFailed(Call(Libc.BPF_MAP_UPDATE_ELEM, ref attributes), "bpf MAP_UPDATE_ELEM (XSKMAP)");
    }

    /// <summary>Attaches a program to a device.</summary>
    /// <param name="program">A loaded program.</param>
    /// <param name="interfaceIndex">The device, in the network namespace of the calling thread.</param>
    /// <param name="attachType">BPF_XDP or BPF_TCX_INGRESS.</param>
    /// <param name="flags">XDP_FLAGS_* for XDP.</param>
    /// <param name="link">The link, for <see cref="Detach"/>; the program goes also when the last copy of it is closed, as when the process ends.</param>
    /// <returns>What the kernel said.</returns>
    public static Errno TryAttach(FileDescriptor program, int interfaceIndex, uint attachType, uint flags, out FileDescriptor? link)
    {
        Libc.bpf_attr attributes = new()
        {
            link_create_prog_fd = (uint)program.Number,
            link_create_target_ifindex = (uint)interfaceIndex,
            link_create_attach_type = attachType,
            link_create_flags = flags,
        };
        nint result = Call(Libc.BPF_LINK_CREATE, ref attributes);
        link = result < 0 ? null : new FileDescriptor((int)result);
        return result < 0 ? Libc.LastErrno : Errno.None;
    }

    /// <summary>Takes a program off its device at once, other copies of the link notwithstanding, and closes the link.</summary>
    public static void Detach(FileDescriptor link)
    {
        // ENOLINK when the device has gone before.
        Libc.bpf_attr attributes = new() { link_detach_link_fd = (uint)link.Number };
        _ = Call(Libc.BPF_LINK_DETACH, ref attributes);
        link.Dispose();
    }

    /// <summary>Loads a program.</summary>
    /// <param name="type">BPF_PROG_TYPE_*.</param>
    /// <param name="instructions">The instructions.</param>
    /// <param name="flags">BPF_F_*.</param>
    /// <param name="call">What failed, for the exception.</param>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public static FileDescriptor LoadProgram(uint type, ReadOnlySpan<Libc.bpf_insn> instructions, uint flags, string call)
    {
        fixed (Libc.bpf_insn* first = instructions)
        fixed (byte* license = "Apache-2.0"u8)
        {
            Libc.bpf_attr attributes = new()
            {
                prog_type = type,
                insn_cnt = (uint)instructions.Length,
                insns = (ulong)first,
                license = (ulong)license,
                prog_flags = flags,
            };
            return FileDescriptor.FromCall(Call(Libc.BPF_PROG_LOAD, ref attributes), call);
        }
    }

    private static nint Call(int command, ref Libc.bpf_attr attributes)
    {
        fixed (Libc.bpf_attr* pointer = &attributes)
        {
            return Libc.syscall(Libc.SYS_bpf, command, (nint)pointer, sizeof(Libc.bpf_attr));
        }
    }

    private static byte Registers(int destination, int source) => (byte)((source << 4) | destination);
}
