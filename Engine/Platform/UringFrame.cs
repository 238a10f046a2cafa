namespace Engine.Platform;

/// <summary>A frame that has arrived in a buffer of a <see cref="UringChannel"/>. Valid until the channel is asked for the next one.</summary>
internal readonly ref struct UringFrame
{
    /// <summary>The frame; on a packet socket without its outermost VLAN tag.</summary>
    public ReadOnlySpan<byte> Bytes { get; init; }

    /// <summary>The virtio_net header that stood before it.</summary>
    public Libc.virtio_net_hdr Offload { get; init; }

    /// <summary>Whether the kernel took an outermost VLAN tag off.</summary>
    public bool HasVlan { get; init; }

    /// <summary>The tag's type.</summary>
    public ushort VlanType { get; init; }

    /// <summary>The tag's priority, drop eligibility and VLAN id.</summary>
    public ushort VlanControl { get; init; }
}
