using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>Buffers of one size that an io_uring takes from when something arrives, and the ring by which they are given back.</summary>
/// <remarks>Pages that nothing was ever written to take no memory. Threads: one.</remarks>
internal sealed unsafe class UringBuffers : IDisposable
{
    private const nuint PageSize = 4096;

    // offsetof(struct io_uring_buf_ring, tail)
    private const int TailOffset = 14;

    private readonly byte* _buffers;
    private readonly Libc.io_uring_buf* _ring;
    private ushort _tail;

    /// <summary>Allocates buffers; all of them are free.</summary>
    /// <param name="count">A power of two.</param>
    /// <param name="size">Bytes of each.</param>
    public UringBuffers(int count, int size)
    {
        Count = count;
        Size = size;
        _ring = (Libc.io_uring_buf*)NativeMemory.AlignedAlloc((nuint)(count * sizeof(Libc.io_uring_buf)), PageSize);
        NativeMemory.Clear(_ring, (nuint)(count * sizeof(Libc.io_uring_buf)));
        _buffers = (byte*)NativeMemory.AllocZeroed((nuint)count, (nuint)size);
        for (int i = 0; i < count; i++)
        {
            Write(i);
        }

        Submit();
    }

    /// <summary>Frees the memory if the owner did not.</summary>
    ~UringBuffers() => Release();

    /// <summary>How many there are.</summary>
    public int Count { get; }

    /// <summary>Bytes of each.</summary>
    public int Size { get; }

    internal Libc.io_uring_buf* Ring => _ring;

    /// <summary>The first bytes of a buffer that the kernel has filled.</summary>
    public ReadOnlySpan<byte> Filled(int buffer, int length)
    {
        Invariant.Assert((uint)buffer < (uint)Count && (uint)length <= (uint)Size);
        return new ReadOnlySpan<byte>(_buffers + ((nint)buffer * Size), length);
    }

    /// <summary>Gives a buffer back.</summary>
    public void Free(int buffer)
    {
        Write(buffer);
        Submit();
    }

    /// <summary>Frees the memory. The ring it was registered with must be closed.</summary>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    // Field by field: the tail overlays the last field of the first entry.
    private void Write(int buffer)
    {
        Libc.io_uring_buf* entry = _ring + (_tail++ & (Count - 1));
        entry->addr = (ulong)(_buffers + ((nint)buffer * Size));
        entry->len = (uint)Size;
        entry->bid = (ushort)buffer;
    }

    private void Submit() => Volatile.Write(ref *(ushort*)((byte*)_ring + TailOffset), _tail);

    private void Release()
    {
        NativeMemory.AlignedFree(_ring);
        NativeMemory.Free(_buffers);
    }
}
