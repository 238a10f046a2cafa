using System.Runtime.CompilerServices;

namespace Engine.Platform;

/// <summary>A frame in a slot of a packet socket's ring. Valid until the slot is released.</summary>
internal readonly unsafe ref struct PacketSocketFrame
{
    private readonly Libc.tpacket2_hdr* _header;
    private readonly byte* _offload;
    private readonly uint _status;

    internal PacketSocketFrame(Libc.tpacket2_hdr* header, uint status, ReadOnlySpan<byte> bytes, byte* offload)
    {
        _header = header;
        _status = status;
        Bytes = bytes;
        _offload = offload;
    }

    /// <summary>The bytes in the slot: the frame without its outermost VLAN tag, or the start of it.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Bytes of the whole frame without its outermost VLAN tag.</summary>
    public int Length => (int)_header->tp_len;

    /// <summary>Whether the slot holds all of the frame.</summary>
    public bool IsWhole => _header->tp_snaplen == _header->tp_len;

    /// <summary>Whether the whole frame waits in the socket's queue.</summary>
    public bool IsQueued => (_status & Libc.TP_STATUS_COPY) != 0;

    /// <summary>Whether the kernel took an outermost VLAN tag off.</summary>
    public bool HasVlan => (_status & Libc.TP_STATUS_VLAN_VALID) != 0;

    /// <summary>The tag's type; 802.1Q when the kernel does not say.</summary>
    public ushort VlanType => (_status & Libc.TP_STATUS_VLAN_TPID_VALID) != 0 ? _header->tp_vlan_tpid : (ushort)0x8100;

    /// <summary>The tag's priority, drop eligibility and VLAN id.</summary>
    public ushort VlanControl => _header->tp_vlan_tci;

    /// <summary>When the kernel took it, in nanoseconds since 1970-01-01 UTC.</summary>
    public long TimestampNs => (_header->tp_sec * 1_000_000_000L) + _header->tp_nsec;

    /// <summary>The virtio_net header.</summary>
    public Libc.virtio_net_hdr Offload
    {
        // In bounds: the kernel wrote it in the slot right before the frame.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unsafe.ReadUnaligned<Libc.virtio_net_hdr>(_offload);
    }
}
