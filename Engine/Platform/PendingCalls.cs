using Engine.Primitives;

namespace Engine.Platform;

/// <summary>The calls that a server has received and not answered, in memory that it shares with whoever answers them when it dies.</summary>
/// <remarks>
/// <para>The kernel writes a call here as it hands it over, so that none is ever in the hands of a process that has died.</para>
/// <para>Threads: a slot belongs to one thread of the server; another process reads it when that one has ended.</para>
/// </remarks>
internal sealed unsafe class PendingCalls : IDisposable
{
    /// <summary>Threads that may serve at once.</summary>
    public const int Capacity = 32;

    private const int SlotSize = 128;

    private readonly MemoryMapping _memory;

    /// <summary>Makes new memory, without calls.</summary>
    /// <exception cref="SystemCallException">There is no memory.</exception>
    public PendingCalls()
        : this(Create())
    {
    }

    /// <summary>Takes memory over that another process has made.</summary>
    /// <exception cref="SystemCallException">It is too small, may become so, or cannot be mapped.</exception>
    public PendingCalls(FileDescriptor descriptor)
    {
        // Memory that another process takes away under a reader ends the reader (SIGBUS).
        Descriptor = descriptor;
        int seals = Libc.fcntl(descriptor.Number, Libc.F_GET_SEALS, 0);
        if (seals < 0 || (seals & Libc.F_SEAL_SHRINK) == 0 || Libc.lseek(descriptor.Number, 0, Libc.SEEK_END) < Capacity * SlotSize)
        {
            descriptor.Dispose();
            throw new SystemCallException("memory for calls", Errno.InvalidArgument);
        }

        _memory = new MemoryMapping(descriptor, Capacity * SlotSize);
    }

    /// <summary>The memory, to be handed on.</summary>
    public FileDescriptor Descriptor { get; }

    /// <summary>Where the kernel writes a call; all zero while there is none, as the kernel wants it.</summary>
    internal Libc.seccomp_notif* this[int slot] => (Libc.seccomp_notif*)(_memory.Pointer + (slot * SlotSize));

    /// <summary>The call in a slot, if there is one.</summary>
    public bool TryGet(int slot, out SeccompCall call)
    {
        call = new SeccompCall(in *this[slot]);
        return call.Id != 0;
    }

    /// <summary>Forgets a call, which has been answered.</summary>
    public void Clear(int slot) => *this[slot] = default;

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory.Dispose();
        Descriptor.Dispose();
    }

    private static FileDescriptor Create()
    {
        FileDescriptor descriptor = FileDescriptor.FromCall(Libc.memfd_create("engine calls", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING), "memfd_create");
        SystemCallException.ThrowIfFailed(Libc.ftruncate(descriptor.Number, Capacity * SlotSize), "ftruncate");
        SystemCallException.ThrowIfFailed(Libc.fcntl(descriptor.Number, Libc.F_ADD_SEALS, Libc.F_SEAL_SHRINK | Libc.F_SEAL_SEAL), "fcntl F_ADD_SEALS");
        return descriptor;
    }
}
