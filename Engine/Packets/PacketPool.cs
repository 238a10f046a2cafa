using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Packets;

/// <summary>Packet memory: frames of one size in one native region, and the list of the free ones.</summary>
/// <remarks>
/// <para>The region is page aligned and never moves, so it can serve as AF_XDP UMEM.</para>
/// <para>Threads: one worker allocates and frees. A pool is never shared.</para>
/// </remarks>
public sealed unsafe class PacketPool : IDisposable
{
    /// <summary>Frames for ordinary packets: a payload of up to 1,792 bytes beside descriptor and headroom.</summary>
    public const int DefaultFrameSize = 2048;

    /// <summary>The longest packet a frame of any pool can hold: a 64 KiB super-frame with its headers.</summary>
    public const int MaximumPacketLength = 65535 + 256;

    private readonly int[] _free;
    private readonly byte* _region;
    private int _freeCount;

    /// <summary>Maps a region of <paramref name="frameCount"/> frames.</summary>
    /// <param name="frameCount">How many packets can exist at once.</param>
    /// <param name="frameSize">Bytes of a frame, a power of two of at least 512.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is no power of two, or the count is not positive.</exception>
    public PacketPool(int frameCount, int frameSize = DefaultFrameSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frameCount);
        if (frameSize < 512 || !BitOperations.IsPow2(frameSize))
        {
            throw new ArgumentOutOfRangeException(nameof(frameSize), frameSize, "A frame is a power of two of at least 512 bytes.");
        }

        FrameSize = frameSize;
        FrameCount = frameCount;
        _free = new int[frameCount];
        nuint bytes = (nuint)frameCount * (nuint)frameSize;
        _region = (byte*)NativeMemory.AlignedAlloc(bytes, 4096);
        NativeMemory.Clear(_region, bytes);
        for (int i = 0; i < frameCount; i++)
        {
            PacketAt(i)->InitializeFrame(frameSize, 0, i);
            _free[i] = frameCount - 1 - i;
        }

        _freeCount = frameCount;
    }

    /// <summary>Bytes of a frame.</summary>
    public int FrameSize { get; }

    /// <summary>Frames in the region.</summary>
    public int FrameCount { get; }

    /// <summary>Frames that are free now.</summary>
    public int FreeCount => _freeCount;

    /// <summary>The longest packet that fits with the default headroom.</summary>
    public int MaximumLength => FrameSize - Packet.DefaultDataOffset;

    /// <summary>Takes a frame. Its metadata is reset, its data empty.</summary>
    /// <returns>Null when all frames are in use.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Packet* TryAllocate()
    {
        int count = _freeCount - 1;
        int[] free = _free;
        if ((uint)count >= (uint)free.Length)
        {
            return null;
        }

        _freeCount = count;
        Packet* packet = PacketAt(free[count]);
        packet->Reset();
        return packet;
    }

    /// <summary>Takes a frame and copies <paramref name="source"/> with its metadata into it.</summary>
    /// <returns>Null when all frames are in use or the data does not fit.</returns>
    public Packet* TryClone(ref Packet source)
    {
        Packet* packet = TryAllocate();
        if (packet != null && !packet->TryCopyFrom(ref source))
        {
            Free(packet);
            packet = null;
        }

        return packet;
    }

    /// <summary>Gives a frame back. The packet must not be used afterwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Free(Packet* packet)
    {
        Invariant.Assert(packet == PacketAt(packet->FrameIndex) && _freeCount < _free.Length);
        _free[_freeCount++] = packet->FrameIndex;
    }

    /// <summary>Unmaps the region. No packet of it may be in use.</summary>
    public void Dispose() => NativeMemory.AlignedFree(_region);

    // In bounds: an index below FrameCount times FrameSize lies inside the region.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Packet* PacketAt(int index)
    {
        Invariant.Assert((uint)index < (uint)FrameCount);
        return (Packet*)(_region + ((nint)(uint)index * FrameSize));
    }
}
