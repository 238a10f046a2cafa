using Engine.Primitives;

namespace Engine.Platform;

/// <summary>The filter that hands over a program's generic netlink and netfilter sockets: socket(2) of these families, and sends and options on high descriptors.</summary>
internal static unsafe class SeccompFilter
{
    /// <summary>Descriptors that select(2) can take, handed over as well: programs wait with it for netfilter sockets. From the first to before the last.</summary>
    public const int FirstSelectable = 960, SelectableEnd = 1024;

    private const uint NumberOffset = 0, ArchitectureOffset = 4, FirstArgumentOffset = 16, ThirdArgumentOffset = 32;

    // The jump distances below count from the instruction after the jump; the program ends with these two.
    private static readonly int[] DescriptorCalls =
    [
        SystemCallNumbers.SendMessage,
        SystemCallNumbers.SendTo,
        SystemCallNumbers.Write,
        SystemCallNumbers.WriteVector,
        SystemCallNumbers.Connect,
        SystemCallNumbers.Bind,
        SystemCallNumbers.GetSocketName,
        SystemCallNumbers.GetPeerName,
        SystemCallNumbers.SetSocketOption,
        SystemCallNumbers.GetSocketOption,
    ];

    /// <summary>Puts the filter on the calling thread and all it will start.</summary>
    /// <param name="firstDescriptor">Sends and options on descriptors from here on are handed over.</param>
    /// <returns>The descriptor at which the calls are received.</returns>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public static FileDescriptor Install(int firstDescriptor)
    {
        Libc.sock_filter[] program = Build((uint)firstDescriptor);
        fixed (Libc.sock_filter* instructions = program)
        {
            Libc.sock_fprog descriptor = new() { len = (ushort)program.Length, filter = instructions };
            nint flags = (nint)(Libc.SECCOMP_FILTER_FLAG_NEW_LISTENER | Libc.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
            nint listener = Libc.syscall(SystemCallNumbers.Seccomp, (nint)Libc.SECCOMP_SET_MODE_FILTER, flags, (nint)(&descriptor));
            if (listener < 0 && Libc.LastErrno == Errno.AccessDenied)
            {
                // Without CAP_SYS_ADMIN a program must first give up ever gaining privileges.
                SystemCallException.ThrowIfFailed(Libc.prctl(Libc.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl PR_SET_NO_NEW_PRIVS");
                listener = Libc.syscall(SystemCallNumbers.Seccomp, (nint)Libc.SECCOMP_SET_MODE_FILTER, flags, (nint)(&descriptor));
            }

            return FileDescriptor.FromCall(listener, "seccomp SET_MODE_FILTER");
        }
    }

    internal static Libc.sock_filter[] Build(uint firstDescriptor)
    {
        // 0 load arch, 1 other arch: allow, 2 load number, 3 socket?, 4.. other calls?, then allow
        int calls = DescriptorCalls.Length;
        int allowEarly = 4 + calls;
        int socketBlock = allowEarly + 1;
        int descriptorBlock = socketBlock + 5;
        int allow = descriptorBlock + 4;
        int notify = allow + 1;
        List<Libc.sock_filter> program =
        [
            Load(ArchitectureOffset),
            Jump(Libc.BPF_JMP_JEQ_K, SystemCallNumbers.AuditArchitecture, 0, allow - 2),
            Load(NumberOffset),
            Jump(Libc.BPF_JMP_JEQ_K, (uint)SystemCallNumbers.Socket, socketBlock - 4, 0),
        ];
        for (int i = 0; i < calls; i++)
        {
            program.Add(Jump(Libc.BPF_JMP_JEQ_K, (uint)DescriptorCalls[i], descriptorBlock - (5 + i), 0));
        }

        program.Add(Return(Libc.SECCOMP_RET_ALLOW));
        program.Add(Load(FirstArgumentOffset));
        program.Add(Jump(Libc.BPF_JMP_JEQ_K, Libc.AF_NETLINK, 0, allow - (socketBlock + 2)));
        program.Add(Load(ThirdArgumentOffset));
        program.Add(Jump(Libc.BPF_JMP_JEQ_K, Libc.NETLINK_GENERIC, notify - (socketBlock + 4), 0));
        program.Add(Jump(Libc.BPF_JMP_JEQ_K, Libc.NETLINK_NETFILTER, notify - (socketBlock + 5), allow - (socketBlock + 5)));
        program.Add(Load(FirstArgumentOffset));
        program.Add(Jump(Libc.BPF_JMP_JGE_K, firstDescriptor, notify - (descriptorBlock + 2), 0));
        program.Add(Jump(Libc.BPF_JMP_JGE_K, SelectableEnd, allow - (descriptorBlock + 3), 0));
        program.Add(Jump(Libc.BPF_JMP_JGE_K, FirstSelectable, notify - (descriptorBlock + 4), allow - (descriptorBlock + 4)));
        program.Add(Return(Libc.SECCOMP_RET_ALLOW));
        program.Add(Return(Libc.SECCOMP_RET_USER_NOTIF));
        Invariant.Assert(program.Count == notify + 1);
        return [.. program];
    }

    private static Libc.sock_filter Load(uint offset) => new() { code = Libc.BPF_LD_W_ABS, k = offset };

    private static Libc.sock_filter Jump(ushort code, uint value, int whenTrue, int whenFalse) =>
        new() { code = code, k = value, jt = checked((byte)whenTrue), jf = checked((byte)whenFalse) };

    private static Libc.sock_filter Return(uint value) => new() { code = Libc.BPF_RET_K, k = value };
}
