using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Engine.Primitives;

namespace Engine.Packets;

/// <summary>Packet memory of one worker: many frames of standard size, a few large ones, and the lists of the free ones.</summary>
/// <remarks>
/// <para>The regions are page aligned and never move, so that the standard one can serve as AF_XDP UMEM.</para>
/// <para>Threads: one worker allocates and frees. A pool is never shared; only <see cref="GiveBack"/> is for other threads.</para>
/// </remarks>
public sealed unsafe class PacketPool : IDisposable
{
    /// <summary>Bytes of a standard frame: a packet of up to 1,984 bytes beside descriptor and headroom.</summary>
    /// <remarks>
    /// 35 cache lines, an odd number, so that the first lines of neighbouring frames fall into different sets of the cache; with a
    /// power of two, the packets of one batch would push each other out of it (DatapathBench: 32 frames of 2,048 bytes share four sets).
    /// </remarks>
    public const int DefaultFrameSize = 35 * 64;

    /// <summary>Bytes of a standard frame where AF_XDP must find it: its chunks are powers of two.</summary>
    public const int XdpFrameSize = 2048;

    /// <summary>Bytes of a large frame, for jumbo packets and 64 KiB super-frames.</summary>
    public const int LargeFrameSize = 1 << 17;

    /// <summary>The longest packet of all.</summary>
    public const int MaximumPacketLength = 65535 + 256;

    private readonly FrameRegion _standard;
    private readonly FrameRegion _large;

    /// <summary>Maps the regions. Large frames take physical memory only when used.</summary>
    /// <param name="frameCount">How many standard packets can exist at once.</param>
    /// <param name="frameSize">Bytes of a standard frame, a multiple of 64 of at least 512.</param>
    /// <param name="largeFrameCount">How many large packets can exist at once.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is no multiple of 64, or a count is not positive.</exception>
    public PacketPool(int frameCount, int frameSize = DefaultFrameSize, int largeFrameCount = 64)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frameCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(largeFrameCount);
        if (frameSize < 512 || frameSize % 64 != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(frameSize), frameSize, "A frame is a multiple of 64 of at least 512 bytes.");
        }

        _standard = new FrameRegion(frameCount, frameSize, isLarge: false);
        _large = new FrameRegion(largeFrameCount, LargeFrameSize, isLarge: true);
    }

    /// <summary>Standard frames that are free now.</summary>
    public int FreeCount => _standard.FreeCount;

    /// <summary>All frames in use, large ones included.</summary>
    public int UsedCount => _standard.FrameCount - _standard.FreeCount + _large.FrameCount - _large.FreeCount;

    /// <summary>The longest packet that fits a standard frame with the default headroom.</summary>
    public int StandardLength => _standard.FrameSize - Packet.DefaultDataOffset;

    /// <summary>Address of the first standard frame; page aligned.</summary>
    internal nint StandardFrames => _standard.Frames;

    /// <summary>Standard frames, free or not.</summary>
    internal int StandardFrameCount => _standard.FrameCount;

    /// <summary>Bytes of a standard frame.</summary>
    internal int StandardFrameSize => _standard.FrameSize;

    /// <summary>Takes a standard frame. Its metadata is reset, its data empty.</summary>
    /// <returns>Null when all frames are in use.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Packet* TryAllocate() => _standard.TryAllocate();

    /// <summary>Takes standard frames until the batch is full. They are not reset: the caller does that to each (<see cref="Packet.Reset(int, int)"/>).</summary>
    /// <param name="batch">Gets the packets.</param>
    /// <param name="count">At most so many, for which there is room.</param>
    /// <returns>How many were added.</returns>
    internal int Allocate(ref PacketBatch batch, int count) => _standard.Allocate(ref batch, count);

    /// <summary>Takes a frame with room for <paramref name="length"/> bytes behind the default headroom.</summary>
    /// <returns>Null when all such frames are in use, or the length is above <see cref="MaximumPacketLength"/>.</returns>
    public Packet* TryAllocate(int length) =>
        length <= StandardLength ? _standard.TryAllocate()
        : length <= MaximumPacketLength ? _large.TryAllocate()
        : null;

    /// <summary>Takes a frame and copies <paramref name="source"/> with its metadata into it.</summary>
    /// <returns>Null when all frames are in use.</returns>
    public Packet* TryClone(ref Packet source)
    {
        bool fits = source.DataOffset + source.Length <= _standard.FrameSize;
        Packet* packet = fits ? _standard.TryAllocate() : _large.TryAllocate();
        if (packet != null)
        {
            packet->CopyFrom(ref source);
        }

        return packet;
    }

    /// <summary>Gives a frame back. The packet must not be used afterwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Free(Packet* packet) => (packet->IsLarge ? _large : _standard).Free(packet);

    /// <summary>Gives the frames of a batch back, and empties it.</summary>
    public void Free(ref PacketBatch batch)
    {
        int region = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            region |= batch.Pointer(i)->Region;
        }

        if (region >= 0)
        {
            _standard.Free(ref batch);
        }
        else
        {
            FreeEach(ref batch);
        }

        batch.Clear();
    }

    /// <summary>Frees a packet on any thread while the worker runs: what a driver that is closed still held.</summary>
    internal void GiveBack(Packet* packet) => (packet->IsLarge ? _large : _standard).GiveBack(packet);

    /// <summary>Unmaps the regions. No packet of the pool may be used afterwards.</summary>
    public void Dispose()
    {
        _standard.Dispose();
        _large.Dispose();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FreeEach(ref PacketBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            Free(batch.Pointer(i));
        }
    }

    /// <summary>Frames of one size and the list of the free ones.</summary>
    private sealed class FrameRegion : IDisposable
    {
        private readonly nint[] _free;
        private readonly byte* _frames;

        // Frames that other threads have freed, taken when there is no other.
        private readonly ConcurrentQueue<nint> _givenBack = new();
        private readonly HugeMemory _memory;
        private readonly bool _isLarge;
        private int _freeCount;

        // Frames at the end of the region that were never given out: their memory has not been touched yet.
        private int _unusedCount;

        public FrameRegion(int frameCount, int frameSize, bool isLarge)
        {
            FrameCount = frameCount;
            FrameSize = frameSize;
            _free = new nint[frameCount];
            _memory = new HugeMemory((long)frameCount * frameSize);
            _frames = _memory.Start;
            _isLarge = isLarge;
            _unusedCount = frameCount;
        }

        public int FrameCount { get; }

        public int FrameSize { get; }

        public int FreeCount => _freeCount + _unusedCount + _givenBack.Count;

        public nint Frames => (nint)_frames;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Packet* TryAllocate()
        {
            int count = _freeCount - 1;
            nint[] free = _free;
            if ((uint)count >= (uint)free.Length)
            {
                return TryAllocateUnused();
            }

            _freeCount = count;
            Packet* packet = (Packet*)free[count];
            packet->Reset();
            return packet;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Free(Packet* packet)
        {
            Invariant.Assert(packet == PacketAt(packet->FrameIndex) && _freeCount < _free.Length);
            _free[_freeCount++] = (nint)packet;
        }

        public int Allocate(ref PacketBatch batch, int count)
        {
            if (_freeCount < count)
            {
                count = MakeFree(count);
            }

            batch.AddRange(_free.AsSpan(_freeCount - count, count));
            _freeCount -= count;
            return count;
        }

        public void Free(ref PacketBatch batch)
        {
            Invariant.Assert(_freeCount + batch.Count <= _free.Length);
            batch.Pointers.CopyTo(_free.AsSpan(_freeCount));
            _freeCount += batch.Count;
        }

        public void GiveBack(Packet* packet)
        {
            Invariant.Assert(packet == PacketAt(packet->FrameIndex));
            _givenBack.Enqueue((nint)packet);
        }

        public void Dispose()
        {
            _memory.Dispose();
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private Packet* TryAllocateUnused()
        {
            if (_unusedCount == 0)
            {
                return TryTakeBack();
            }

            int index = FrameCount - _unusedCount--;
            Packet* packet = PacketAt(index);
            packet->InitializeFrame(FrameSize, index, _isLarge);
            return packet;
        }

        // Puts frames on the list of the free ones until so many are there, or no other is left.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private int MakeFree(int count)
        {
            while (_freeCount < count)
            {
                Packet* packet = TryAllocateUnused();
                if (packet == null)
                {
                    break;
                }

                Free(packet);
            }

            return Math.Min(count, _freeCount);
        }

        private Packet* TryTakeBack()
        {
            if (!_givenBack.TryDequeue(out nint frame))
            {
                return null;
            }

            ((Packet*)frame)->Reset();
            return (Packet*)frame;
        }

        // In bounds: an index below FrameCount times FrameSize lies inside the region.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private Packet* PacketAt(int index)
        {
            Invariant.Assert((uint)index < (uint)FrameCount);
            return (Packet*)(_frames + ((nint)(uint)index * FrameSize));
        }
    }
}
