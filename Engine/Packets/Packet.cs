using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Engine.Primitives;

namespace Engine.Packets;

/// <summary>A packet: this descriptor stands at the start of its frame, the bytes follow in the same frame.</summary>
/// <remarks>
/// <para>Frame: <c>[descriptor 128][headroom 128][data ...]</c>. A packet exists only inside a frame of a
/// <see cref="PacketPool"/> and is always passed by reference: a copy of the descriptor would point nowhere.</para>
/// <para>Threads: owned by one worker at a time, from the pool until it is freed or handed to a driver.</para>
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = DescriptorSize)]
public struct Packet
{
    /// <summary>Bytes of a frame taken by the descriptor.</summary>
    public const int DescriptorSize = 128;

    /// <summary>Free bytes before the data of a fresh packet, for pushed headers. With the descriptor, the 256 bytes that AF_XDP keeps free.</summary>
    public const int Headroom = 128;

    /// <summary>Offset of the data of a fresh packet from the start of its frame.</summary>
    public const int DefaultDataOffset = DescriptorSize + Headroom;

    // The frame, for good. 8 bytes; the bits of the index are turned over in a frame of the large region.
    private int _frameSize;
    private int _frame;

    // The packet in it: 56 bytes, which fill the first cache line. Reset and SetHeaders know where the fields stand.
    private int _dataOffset;
    private int _length;

    /// <summary>
    /// Bytes at the end that the next output or upcall leaves out, 0 if none. Set by the action trunc from the length the packet
    /// had then, so what is pushed or popped afterwards does not change it.
    /// </summary>
    public int CutLength;

    // Where the headers are, from the start of the data; written by the extractor.

    /// <summary>Offset of the network header.</summary>
    public ushort NetworkOffset;

    /// <summary>Offset of the transport header; meaningful when <see cref="HasTransport"/>.</summary>
    public ushort TransportOffset;

    /// <summary>Whether the extractor found a transport header.</summary>
    public bool HasTransport;

    /// <summary>Whether the data starts with an Ethernet header; false for a bare L3 packet.</summary>
    public bool HasEthernet;

    /// <summary>
    /// Whether the outermost VLAN tag counts as outside of the packet's length, as the kernel keeps it in
    /// <c>skb-&gt;vlan_tci</c>: lengths compared by check_pkt_len and cut by trunc leave it out.
    /// </summary>
    public bool HasOuterTag;

    /// <summary>Whether actions changed the packet in a way its flow key does not show; the key must be extracted again before a lookup.</summary>
    public bool IsKeyStale;

    /// <summary>Largest L3 length of the fragments this packet was reassembled from, 0 if none (OVS_PACKET_ATTR_MRU).</summary>
    public ushort MaximumReceiveUnit;

    /// <summary>Ethernet type of what follows the link layer (<c>skb-&gt;protocol</c>), while <see cref="IsKeyStale"/>; otherwise the key tells.</summary>
    public Be16 Protocol;

    /// <summary>Flow hash of the source, as OVS_PACKET_ATTR_HASH carries it; 0 if not computed.</summary>
    public ulong FlowHash;

    /// <summary>When the packet arrived, in nanoseconds since 1970-01-01 UTC, as its source says; 0 if it does not.</summary>
    public long TimestampNs;

    /// <summary>The checksum and segmentation state from the source to the sink; <see cref="PacketOffload"/>.</summary>
    public PacketOffload Offload;

    /// <summary>Which of its worker's tunnel keys the packet carries to a tunnel port, from 1; 0 for none.</summary>
    internal int TunnelIndex;

    /// <summary>Bytes of the frame, descriptor included.</summary>
    public readonly int FrameSize => _frameSize;

    /// <summary>Index of the frame in its region of the pool.</summary>
    internal readonly int FrameIndex => _frame ^ (_frame >> 31);

    /// <summary>Whether the frame is of the pool's large region.</summary>
    internal readonly bool IsLarge => _frame < 0;

    /// <summary>Less than 0 when the frame is of the large region, so that many are asked about at once.</summary>
    internal readonly int Region => _frame;

    /// <summary>Number of bytes of data.</summary>
    public readonly int Length => _length;

    /// <summary>Offset of the data from the start of the frame.</summary>
    public readonly int DataOffset => _dataOffset;

    /// <summary>Free bytes before the data.</summary>
    public readonly int AvailableHeadroom => _dataOffset - DescriptorSize;

    /// <summary>Free bytes after the data.</summary>
    public readonly int AvailableTailroom => _frameSize - _dataOffset - _length;

    /// <summary>The data, from the first header to the last byte.</summary>
    [UnscopedRef]
    public Span<byte> Bytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            Invariant.Assert(_dataOffset >= DescriptorSize && _length >= 0 && _dataOffset + _length <= _frameSize);
            return MemoryMarshal.CreateSpan(ref DataReference, _length);
        }
    }

    /// <summary>Bytes that the kernel would count as <c>skb-&gt;len</c>: all but an outermost VLAN tag.</summary>
    public readonly int LengthWithoutOuterTag => _length - (HasOuterTag ? 4 : 0);

    /// <summary>A reference to the first byte of data.</summary>
    // In bounds: the descriptor stands at offset 0 of the frame and _dataOffset lies inside the frame.
    [UnscopedRef]
    internal ref byte DataReference
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref Unsafe.AddByteOffset(ref Unsafe.As<Packet, byte>(ref this), (nint)(uint)_dataOffset);
    }

    /// <summary>A packet as a pointer. Packets exist in native memory only, so it does not move.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe Packet* PointerTo(ref Packet packet) => (Packet*)Unsafe.AsPointer(ref packet);

    /// <summary>Forgets everything but the frame: no data, default headroom, no metadata.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Reset() => Reset(DefaultDataOffset, 0);

    /// <summary><see cref="Reset()"/>, with data that are in the frame already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Reset(int dataOffset, int length)
    {
        // In bounds: 8, 16 and 32 bytes from _dataOffset on end with the first line of the descriptor; one store of 64 bytes would
        // reach into the next. The third word of the 16 holds HasEthernet in its second byte.
        ref byte start = ref Unsafe.As<int, byte>(ref _dataOffset);
        Unaligned.Store(ref start, 0, (uint)dataOffset | ((ulong)(uint)length << 32));
        Unaligned.Store(ref start, 8, Vector128.Create(0, 0, 1 << 8, 0));
        Unaligned.Store(ref start, 24, Vector256<int>.Zero);
    }

    /// <summary>Says where the headers of a packet with an Ethernet header are, whose key is as it was extracted. On little-endian machines only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void SetHeaders(ushort networkOffset, ushort transportOffset, bool hasTransport, bool hasOuterTag)
    {
        // In bounds: the 8 bytes from NetworkOffset on are both offsets and the four flags behind them, HasEthernet the second.
        Unsafe.WriteUnaligned(
            ref Unsafe.As<ushort, byte>(ref NetworkOffset),
            networkOffset | ((ulong)transportOffset << 16) | (hasTransport ? 1UL << 32 : 0) | (1UL << 40) | (hasOuterTag ? 1UL << 48 : 0));
    }

    /// <summary>Replaces the data by a copy of <paramref name="bytes"/> at the default headroom.</summary>
    /// <returns>False, with the packet unchanged, when the frame is too small.</returns>
    public bool TrySetBytes(scoped ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _frameSize - DefaultDataOffset)
        {
            return false;
        }

        _dataOffset = DefaultDataOffset;
        _length = bytes.Length;
        bytes.CopyTo(Bytes);
        return true;
    }

    /// <summary>Sets where the data is, after a driver or the kernel has put it there.</summary>
    public void SetData(int dataOffset, int length)
    {
        Invariant.Assert(dataOffset >= DescriptorSize && length >= 0 && dataOffset + length <= _frameSize);
        _dataOffset = dataOffset;
        _length = length;
    }

    /// <summary>Grows the data by <paramref name="count"/> bytes at the front. The new bytes hold old data. Header offsets are not moved.</summary>
    /// <returns>False, with the packet unchanged, when the headroom is too small.</returns>
    public bool TryPush(int count)
    {
        if (count > AvailableHeadroom)
        {
            return false;
        }

        _dataOffset -= count;
        _length += count;
        return true;
    }

    /// <summary>Removes <paramref name="count"/> bytes at the front. Header offsets are not moved.</summary>
    public void Pull(int count)
    {
        Invariant.Assert(count >= 0 && count <= _length);
        _dataOffset += count;
        _length -= count;
    }

    /// <summary>Cuts the data to <paramref name="length"/> bytes if it is longer.</summary>
    public void Trim(int length)
    {
        Invariant.Assert(length >= 0);
        _length = Math.Min(_length, length);
    }

    internal void InitializeFrame(int frameSize, int frameIndex, bool isLarge)
    {
        _frameSize = frameSize;
        _frame = isLarge ? ~frameIndex : frameIndex;
        Reset();
    }

    /// <summary>Copies data and metadata of <paramref name="source"/>, which must fit; the frame stays.</summary>
    internal void CopyFrom(ref Packet source)
    {
        Invariant.Assert(source._dataOffset + source._length <= _frameSize);
        int frameSize = _frameSize, frame = _frame;
        this = source;
        _frameSize = frameSize;
        _frame = frame;
        source.Bytes.CopyTo(Bytes);
    }
}
