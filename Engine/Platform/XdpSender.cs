using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>Sends complete frames by the transmit ring of an AF_XDP socket, copied into memory of its own: the kernel's shortest way from a process to a device.</summary>
/// <remarks>
/// <para>The device needs no XDP program and is not changed. The kernel copies each frame into a socket buffer of its own, in one call for 32 of them.</para>
/// <para>Threads: one at a time.</para>
/// </remarks>
internal sealed unsafe class XdpSender : IDisposable
{
    /// <summary>The longest frame it takes.</summary>
    public const int MaximumLength = 2048;

    private const int RingSize = 256;
    private const int PageSize = 4096;

    // An interrupted or crowded call is repeated so often before the rest has to wait.
    private const int Calls = 64;

    private readonly byte* _memory;
    private readonly XdpSocket _socket;

    // Slots of the memory that are free, by number.
    private readonly ushort[] _free = new ushort[RingSize];
    private int _freeCount;

    private XdpSender(byte* memory, XdpSocket socket)
    {
        _memory = memory;
        _socket = socket;
        for (ushort i = 0; i < RingSize; i++)
        {
            _free[_freeCount++] = i;
        }
    }

    /// <summary>Frees the memory if the owner did not.</summary>
    ~XdpSender() => NativeMemory.AlignedFree(_memory);

    /// <summary>Opens one on a queue of a device of the calling thread's network namespace.</summary>
    /// <returns>Null where the kernel gives none: there is no such queue, another program has it, or there is no AF_XDP.</returns>
    public static XdpSender? TryOpen(int interfaceIndex, int queue)
    {
        const int Length = RingSize * MaximumLength;
        byte* memory = (byte*)NativeMemory.AlignedAlloc(Length, PageSize);
        XdpSocket? socket = null;
        try
        {
            socket = new XdpSocket((nint)memory, Length, MaximumLength, sharesMemory: false, RingSize);
            if (socket.TryBind(interfaceIndex, queue, sharedWith: null, copies: true) == Errno.None)
            {
                return new XdpSender(memory, socket);
            }
        }
        catch (SystemCallException)
        {
            // A kernel without AF_XDP, or one that may not lock the memory.
        }

        socket?.Dispose();
        NativeMemory.AlignedFree(memory);
        return null;
    }

    /// <summary>Frames added that <see cref="Send"/> has not been called for.</summary>
    public int Waiting { get; private set; }

    /// <summary>Adds a frame of 1 to <see cref="MaximumLength"/> bytes.</summary>
    /// <returns>False when there is no room.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAdd(ReadOnlySpan<byte> frame)
    {
        Invariant.Assert(frame.Length is > 0 and <= MaximumLength);
        XdpRing<Libc.xdp_desc> ring = _socket.Transmit;
        if (_freeCount == 0)
        {
            // All are on their way, behind a queueing discipline or in a device that is slow: there is no further Send to take them back.
            Complete();
        }

        if (_freeCount == 0 || ring.Free(1) == 0)
        {
            return false;
        }

        // In bounds: a slot holds the longest frame.
        int address = _free[--_freeCount] * MaximumLength;
        frame.CopyTo(new Span<byte>(_memory + address, MaximumLength));
        ring.Write(new Libc.xdp_desc { addr = (ulong)address, len = (uint)frame.Length });
        Waiting++;
        return true;
    }

    /// <summary>Whether frames wait that an earlier <see cref="Send"/> left over.</summary>
    public bool IsBehind { get; private set; }

    /// <summary>Whether the kernel takes frames no more without a word: the device has fewer transmit queues now than when this was opened.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Has the kernel send what was added, and what was left over.</summary>
    /// <param name="errno">What is wrong with the device; <see cref="Errno.None"/> when it only is crowded.</param>
    /// <returns>How many of those added were taken. What is left over goes with the next call.</returns>
    public int Send(out Errno errno)
    {
        XdpRing<Libc.xdp_desc> ring = _socket.Transmit;
        ring.Submit();
        int added = Waiting, pending = ring.Pending;
        bool isCrowded = false;
        Waiting = 0;
        for (int i = 0; i < Calls; i++)
        {
            errno = _socket.Kick();
            Complete();
            IsBehind = ring.Pending != 0;
            if (!IsBehind)
            {
                errno = Errno.None;
                return added;
            }

            isCrowded |= errno != Errno.None;
            if (errno is not (Errno.None or Errno.TryAgain or Errno.NoBuffers or Errno.Busy or Errno.Interrupted))
            {
                return added - Math.Min(ring.Pending, added);
            }
        }

        errno = Errno.None;
        IsDead = !isCrowded && ring.Pending == pending;
        IsBehind &= !IsDead;
        return IsDead ? 0 : added;
    }

    /// <summary>Closes the socket and frees the memory.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        NativeMemory.AlignedFree(_memory);
        GC.SuppressFinalize(this);
    }

    // Takes the slots of frames that were sent back.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Complete()
    {
        XdpRing<ulong> ring = _socket.Completion;
        int available = ring.Available();
        for (int i = 0; i < available; i++)
        {
            // In bounds: the kernel gives back only what it was given.
            _free[_freeCount++] = (ushort)(ring.Read() / MaximumLength);
        }

        if (available != 0)
        {
            ring.Release();
        }
    }
}
