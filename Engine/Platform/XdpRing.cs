using System.Runtime.CompilerServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>One of the four rings between an AF_XDP socket and the kernel: one side writes entries, the other reads them.</summary>
/// <remarks>
/// <para>Indices count on without end; an entry's place is its index modulo the size. What the other side has done is looked up only
/// when the last known state does not suffice.</para>
/// <para>Threads: one on this side.</para>
/// </remarks>
/// <typeparam name="T">An entry: a frame's address, or a descriptor.</typeparam>
internal sealed unsafe class XdpRing<T> : IDisposable
    where T : unmanaged
{
    private readonly MemoryMapping _mapping;
    private readonly uint* _producer;
    private readonly uint* _consumer;
    private readonly uint* _flags;
    private readonly T* _entries;
    private readonly uint _mask;

    // On the producer's side: written so far, and how far the kernel is known to have read, plus the size. On the consumer's side:
    // read so far, and how far the kernel is known to have written.
    private uint _next;
    private uint _limit;

    /// <summary>Maps a ring whose size was set on the socket.</summary>
    /// <exception cref="SystemCallException">mmap(2) failed.</exception>
    public XdpRing(FileDescriptor socket, in Libc.xdp_ring_offset offsets, long page, int size, bool produces)
    {
        _mapping = new MemoryMapping(socket, (nuint)offsets.desc + ((nuint)size * (nuint)sizeof(T)), (nint)page);
        byte* start = _mapping.Pointer;
        _producer = (uint*)(start + offsets.producer);
        _consumer = (uint*)(start + offsets.consumer);
        _flags = (uint*)(start + offsets.flags);
        _entries = (T*)(start + offsets.desc);
        _mask = (uint)size - 1;
        Size = size;
        _limit = produces ? (uint)size : 0;
    }

    /// <summary>Entries the ring holds.</summary>
    public int Size { get; }

    /// <summary>Whether the kernel wants a call to go on with this ring.</summary>
    public bool NeedsWakeup => (Volatile.Read(ref *_flags) & Libc.XDP_RING_NEED_WAKEUP) != 0;

    /// <summary>Producer: entries that can be written. Looked up again when fewer than <paramref name="wanted"/> are known.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Free(int wanted)
    {
        if (_limit - _next < (uint)wanted)
        {
            _limit = Volatile.Read(ref *_consumer) + (uint)Size;
        }

        return (int)(_limit - _next);
    }

    /// <summary>Producer: writes an entry, seen by the kernel after <see cref="Submit"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(T entry)
    {
        Invariant.Assert(_limit != _next);
        _entries[_next++ & _mask] = entry;
    }

    /// <summary>Producer: hands what was written to the kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Submit() => Volatile.Write(ref *_producer, _next);

    /// <summary>Producer: entries handed over that the kernel has not read yet.</summary>
    public int Pending => (int)(_next - Volatile.Read(ref *_consumer));

    /// <summary>Consumer: entries that can be read. Looked up again when none is known.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Available()
    {
        if (_limit == _next)
        {
            _limit = Volatile.Read(ref *_producer);
        }

        return (int)(_limit - _next);
    }

    /// <summary>Consumer: reads an entry; its place goes back to the kernel with <see cref="Release"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Read()
    {
        Invariant.Assert(_limit != _next);
        return _entries[_next++ & _mask];
    }

    /// <summary>Consumer: gives the places of what was read back to the kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Release() => Volatile.Write(ref *_consumer, _next);

    /// <inheritdoc/>
    public void Dispose() => _mapping.Dispose();
}
