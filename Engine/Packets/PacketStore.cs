using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Engine.Primitives;

namespace Engine.Packets;

/// <summary>Ethernet packets kept by value in native memory, to be copied into frames as fast as memory allows.</summary>
/// <remarks>
/// <para>Each starts at a multiple of 64 bytes and is padded to one, so that copies are whole cache lines on both sides.</para>
/// <para>Threads: one writer; once nothing is added any more, any number of readers.</para>
/// </remarks>
public sealed unsafe class PacketStore : IDisposable
{
    private const int LineSize = 64;

    // Index word: [40-bit line of the first byte][24-bit length]
    private const int LengthBits = 24;
    private const uint LengthMask = (1u << LengthBits) - 1;

    private byte* _bytes;
    private ulong* _index;
    private long _bytesSize;
    private long _bytesUsed;
    private int _indexSize;

    /// <summary>Packets in the store.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all packets together.</summary>
    public long TotalLength { get; private set; }

    /// <summary>The longest packet's bytes.</summary>
    public int MaximumLength { get; private set; }

    /// <summary>Adds a copy of a packet.</summary>
    /// <param name="packet">Its bytes, from the Ethernet header on; fewer than 16 MiB.</param>
    public void Add(ReadOnlySpan<byte> packet)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)packet.Length, LengthMask);
        int padded = (packet.Length + LineSize - 1) & -LineSize;
        Grow(padded);
        _index[Count] = ((ulong)(_bytesUsed / LineSize) << LengthBits) | (uint)packet.Length;

        // In bounds: Grow has made room for the padded length and one more index word.
        packet.CopyTo(new Span<byte>(_bytes + _bytesUsed, packet.Length));
        _bytesUsed += padded;
        Count++;
        TotalLength += packet.Length;
        MaximumLength = Math.Max(MaximumLength, packet.Length);
    }

    /// <summary>Bytes of the packet at <paramref name="index"/>, which must be below <see cref="Count"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int LengthOf(int index)
    {
        Invariant.Assert((uint)index < (uint)Count);
        return (int)((uint)_index[index] & LengthMask);
    }

    /// <summary>Copies a packet into a fresh frame.</summary>
    /// <param name="index">Which one, below <see cref="Count"/>.</param>
    /// <param name="packet">A packet of a frame that is long enough. It is reset.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CopyTo(int index, Packet* packet)
    {
        Invariant.Assert((uint)index < (uint)Count);
        ulong word = _index[index];
        int length = (int)((uint)word & LengthMask);
        Invariant.Assert(length <= packet->FrameSize - Packet.DefaultDataOffset);
        byte* source = _bytes + ((nint)(word >> LengthBits) * LineSize);
        byte* destination = (byte*)packet + Packet.DefaultDataOffset;

        // In bounds: the source is padded to whole lines, and what a frame holds behind the headroom is a multiple of a line.
        for (int offset = 0; offset < length; offset += LineSize)
        {
            Vector512.LoadAligned(source + offset).StoreAligned(destination + offset);
        }

        packet->Reset(Packet.DefaultDataOffset, length);
    }

    /// <summary>Frees the memory. Nothing may be copied any more.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_bytes);
        NativeMemory.Free(_index);
        _bytes = null;
        _index = null;
        Count = 0;
    }

    private void Grow(int padded)
    {
        if (_bytesUsed + padded > _bytesSize)
        {
            _bytesSize = Math.Max(_bytesSize * 2, _bytesUsed + padded + (1 << 16));
            _bytes = (byte*)NativeMemory.AlignedRealloc(_bytes, (nuint)_bytesSize, 4096);
        }

        if (Count == _indexSize)
        {
            _indexSize = Math.Max(1024, checked(_indexSize * 2));
            _index = (ulong*)NativeMemory.Realloc(_index, (nuint)_indexSize * sizeof(ulong));
        }
    }
}
