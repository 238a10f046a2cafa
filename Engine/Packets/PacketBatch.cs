using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Packets;

/// <summary>Up to 32 packets in the order they came.</summary>
/// <remarks>Holds references, not packets: who holds the batch owns the packets in it.</remarks>
public unsafe struct PacketBatch
{
    /// <summary>The most packets a batch holds.</summary>
    public const int Capacity = 32;

    private PacketArray _packets;
    private int _count;

    /// <summary>Packets in the batch.</summary>
    public readonly int Count => _count;

    /// <summary>Whether no packet can be added.</summary>
    public readonly bool IsFull => _count == Capacity;

    /// <summary>The packet at <paramref name="index"/>, which must be below <see cref="Count"/>.</summary>
    public readonly ref Packet this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *Pointer(index);
    }

    /// <summary>Adds a packet at the end. The batch must not be full.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Packet* packet)
    {
        // In bounds: a batch that is not full has room for one more.
        Invariant.Assert((uint)_count < Capacity);
        Unsafe.Add(ref _packets[0], _count++) = (nint)packet;
    }

    /// <summary>The packets as pointers.</summary>
    [UnscopedRef]
    internal readonly ReadOnlySpan<nint> Pointers => MemoryMarshal.CreateReadOnlySpan(in _packets[0], _count);

    /// <summary>Adds packets, for which there must be room.</summary>
    internal void AddRange(ReadOnlySpan<nint> packets)
    {
        // In bounds: asserted.
        Invariant.Assert(_count + packets.Length <= Capacity);
        packets.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref _packets[0], _count), packets.Length));
        _count += packets.Length;
    }

    /// <summary>Adds packets of another batch, for which there must be room, if all have an Ethernet header and none is longer than <paramref name="longest"/>; else none.</summary>
    /// <param name="other">The other batch, which keeps them.</param>
    /// <param name="packets">Bit i is set for packet i.</param>
    /// <param name="longest">Bytes of the longest packet to add.</param>
    /// <param name="bytes">Grows by what was added.</param>
    internal bool TryAdd(ref PacketBatch other, uint packets, int longest, ref ulong bytes)
    {
        // In bounds: asserted.
        Invariant.Assert(_count + BitOperations.PopCount(packets) <= Capacity);
        ref nint place = ref Unsafe.Add(ref _packets[0], _count);
        int count = 0, longestPacket = 0;
        ulong sum = 0;
        bool hasEthernet = true;
        for (uint left = packets; left != 0; left &= left - 1)
        {
            Packet* packet = other.Pointer(BitOperations.TrailingZeroCount(left));
            Unsafe.Add(ref place, count++) = (nint)packet;
            int length = packet->Length;
            sum += (uint)length;
            longestPacket = Math.Max(longestPacket, length);
            hasEthernet &= packet->HasEthernet;
        }

        if (!hasEthernet || longestPacket > longest)
        {
            return false;
        }

        _count += count;
        bytes += sum;
        return true;
    }

    /// <summary>Puts another packet in the place of one, which is the caller's afterwards.</summary>
    internal void Replace(int index, Packet* packet)
    {
        // In bounds: asserted.
        Invariant.Assert((uint)index < (uint)_count);
        Unsafe.Add(ref _packets[0], index) = (nint)packet;
    }

    /// <summary>Forgets the packets without freeing them.</summary>
    public void Clear() => _count = 0;

    /// <summary>The packet at <paramref name="index"/> as a pointer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Packet* Pointer(int index)
    {
        // In bounds: the index is below the count, the count at most the capacity.
        Invariant.Assert((uint)index < (uint)_count);
        return (Packet*)Unsafe.Add(ref Unsafe.AsRef(in _packets[0]), index);
    }

    [InlineArray(Capacity)]
    private struct PacketArray
    {
        [SuppressMessage("Style", "IDE0044:Add readonly modifier", Justification = "The element of an inline array.")]
        private nint _first;
    }
}
