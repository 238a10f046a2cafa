using System.Runtime.CompilerServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>An io_uring: requests are written to one ring in shared memory, results read from another, and a call moves many at once.</summary>
/// <remarks>
/// Threads: belongs to the thread that makes the first call after <see cref="Enable"/>, for good; the kernel runs the ring's work only in
/// that thread's calls (IORING_SETUP_DEFER_TASKRUN) and refuses the calls of others.
/// </remarks>
internal sealed unsafe class IoUring : IDisposable
{
    private readonly FileDescriptor _ring;
    private readonly MemoryMapping _rings;
    private readonly MemoryMapping _requestMemory;
    private readonly uint* _requestTail;
    private readonly uint* _requestHead;
    private readonly uint* _requestFlags;
    private readonly uint _requestMask;
    private readonly Libc.io_uring_sqe* _requests;
    private readonly uint* _resultHead;
    private readonly uint* _resultTail;
    private readonly uint _resultMask;
    private readonly Libc.io_uring_cqe* _results;
    private uint _written;
    private uint _submitted;
    private uint _read;

    /// <summary>Makes the rings; any thread may.</summary>
    /// <param name="requestCount">Requests that can be written before a call, a power of two.</param>
    /// <param name="resultCount">Results that can wait, a power of two.</param>
    /// <exception cref="SystemCallException">The kernel refused: ENOSYS or EPERM where io_uring is not there or not allowed, EINVAL before Linux 6.1.</exception>
    public IoUring(int requestCount, int resultCount)
    {
        Libc.io_uring_params parameters = new()
        {
            cq_entries = (uint)resultCount,
            flags = Libc.IORING_SETUP_CQSIZE | Libc.IORING_SETUP_R_DISABLED | Libc.IORING_SETUP_SINGLE_ISSUER | Libc.IORING_SETUP_DEFER_TASKRUN | Libc.IORING_SETUP_TASKRUN_FLAG,
        };
        _ring = FileDescriptor.FromCall(Libc.syscall(Libc.SYS_io_uring_setup, requestCount, (nint)(&parameters), 0), "io_uring_setup");
        try
        {
            // Both rings lie in one mapping (IORING_FEAT_SINGLE_MMAP) on every kernel that took the flags above.
            uint length = Math.Max(
                parameters.sq_off.array + (parameters.sq_entries * sizeof(uint)),
                parameters.cq_off.cqes + (parameters.cq_entries * (uint)sizeof(Libc.io_uring_cqe)));
            _rings = new MemoryMapping(_ring, length, Libc.IORING_OFF_SQ_RING);
            _requestMemory = new MemoryMapping(_ring, parameters.sq_entries * (nuint)sizeof(Libc.io_uring_sqe), Libc.IORING_OFF_SQES);
        }
        catch
        {
            Dispose();
            throw;
        }

        byte* start = _rings.Pointer;
        _requestHead = (uint*)(start + parameters.sq_off.head);
        _requestTail = (uint*)(start + parameters.sq_off.tail);
        _requestFlags = (uint*)(start + parameters.sq_off.flags);
        _requestMask = parameters.sq_entries - 1;
        _requests = (Libc.io_uring_sqe*)_requestMemory.Pointer;
        _resultHead = (uint*)(start + parameters.cq_off.head);
        _resultTail = (uint*)(start + parameters.cq_off.tail);
        _resultMask = parameters.cq_entries - 1;
        _results = (Libc.io_uring_cqe*)(start + parameters.cq_off.cqes);

        // Requests are always taken in the order of their places.
        uint* order = (uint*)(start + parameters.sq_off.array);
        for (uint i = 0; i < parameters.sq_entries; i++)
        {
            order[i] = i;
        }
    }

    /// <summary>Whether a call would bring results or take requests.</summary>
    public bool NeedsCall
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _written != _submitted || (Volatile.Read(ref *_requestFlags) & (Libc.IORING_SQ_TASKRUN | Libc.IORING_SQ_CQ_OVERFLOW)) != 0;
    }

    /// <summary>Registers buffers that the kernel takes from when something arrives.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public void Register(UringBuffers buffers, ushort group)
    {
        Libc.io_uring_buf_reg registration = new() { ring_addr = (ulong)buffers.Ring, ring_entries = (uint)buffers.Count, bgid = group };
        SystemCallException.ThrowIfFailed(Register(Libc.IORING_REGISTER_PBUF_RING, &registration, 1), "io_uring_register PBUF_RING");
    }

    /// <summary>Binds the ring to the calling thread.</summary>
    /// <returns>What the kernel said.</returns>
    public Errno Enable() => Register(Libc.IORING_REGISTER_ENABLE_RINGS, null, 0) < 0 ? Libc.LastErrno : Errno.None;

    /// <summary>The place of the next request, cleared; it is submitted with the next call. There must be room.</summary>
    public ref Libc.io_uring_sqe Add()
    {
        Invariant.Assert(_written - Volatile.Read(ref *_requestHead) <= _requestMask);
        ref Libc.io_uring_sqe request = ref _requests[_written++ & _requestMask];
        request = default;
        return ref request;
    }

    /// <summary>Submits what was added, lets the kernel do its work for this ring, and waits for results.</summary>
    /// <param name="wait">How many results to wait for; 0 does not wait.</param>
    /// <returns>What the kernel said; EEXIST when called from another thread.</returns>
    public Errno Call(uint wait)
    {
        Volatile.Write(ref *_requestTail, _written);
        nint taken = Libc.syscall6(Libc.SYS_io_uring_enter, _ring.Number, (nint)(_written - _submitted), (nint)wait, (nint)Libc.IORING_ENTER_GETEVENTS, 0, 0);
        if (taken < 0)
        {
            return Libc.LastErrno;
        }

        _submitted += (uint)taken;
        return Errno.None;
    }

    /// <summary>Takes the oldest result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTake(out Libc.io_uring_cqe result)
    {
        if (_read == Volatile.Read(ref *_resultTail))
        {
            result = default;
            return false;
        }

        result = _results[_read & _resultMask];
        Volatile.Write(ref *_resultHead, ++_read);
        return true;
    }

    /// <summary>Closes the ring; requests under way are cancelled.</summary>
    public void Dispose()
    {
        _rings?.Dispose();
        _requestMemory?.Dispose();
        _ring.Dispose();
    }

    private nint Register(int operation, void* argument, int count) =>
        Libc.syscall6(Libc.SYS_io_uring_register, _ring.Number, operation, (nint)argument, count, 0, 0);
}
