using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>Memory shared with the kernel, mapped from a descriptor and unmapped when disposed.</summary>
internal sealed unsafe class MemoryMapping : SafeHandle
{
    private readonly nuint _length;

    /// <summary>Maps for reading and writing, with its pages present.</summary>
    /// <exception cref="SystemCallException">mmap(2) failed.</exception>
    public MemoryMapping(FileDescriptor descriptor, nuint length, nint offset = 0)
        : base(-1, ownsHandle: true)
    {
        nint address = Libc.mmap(0, length, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED | Libc.MAP_POPULATE, descriptor.Number, offset);
        if (address == -1)
        {
            throw new SystemCallException("mmap", Libc.LastErrno);
        }

        SetHandle(address);
        _length = length;
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == -1;

    /// <summary>The first byte.</summary>
    public byte* Pointer
    {
        get
        {
            Invariant.Assert(!IsClosed);
            return (byte*)handle;
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.munmap(handle, _length) == 0;
}
