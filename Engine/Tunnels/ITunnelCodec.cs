using Engine.Flows;

namespace Engine.Tunnels;

/// <summary>One kind of tunnel header, from and to a flow key's tunnel fields.</summary>
/// <remarks>Pure functions on bytes. Implemented by structs and passed as a type argument, so that the calls can be inlined.</remarks>
internal interface ITunnelCodec
{
    /// <summary>The IP protocol that carries it: UDP, GRE, or the routing header of IPv6.</summary>
    byte Protocol { get; }

    /// <summary>Its UDP port; 0 for other protocols.</summary>
    ushort Port { get; }

    /// <summary>Whether packets without an Ethernet header can be sent.</summary>
    bool TakesBarePackets { get; }

    /// <summary>Whether what <see cref="TryRead"/> gives for a header of 8 bytes depends on these alone, so that it need not be read again for the next packet.</summary>
    bool IsReadAlone { get; }

    /// <summary>Whether the header depends on the packet, so that <see cref="TryFinish"/> is to be called for each.</summary>
    bool NeedsFinish(in FlowKey tunnel);

    /// <summary>
    /// Whether the sender of a packet too long for this tunnel is told by ICMP and the packet dropped, where it may be answered; if not, it is cut
    /// into outer fragments, or dropped in silence when the tunnel forbids that.
    /// </summary>
    bool AnswersTooBig(in FlowKey tunnel);

    /// <summary>Whether it goes over this version of IP.</summary>
    bool GoesOver(bool isIpv6);

    /// <summary>The UDP port packets of this tunnel are sent to.</summary>
    ushort DestinationPortOf(in FlowKey tunnel);

    /// <summary>Writes what all packets of a tunnel have in common.</summary>
    /// <param name="tunnel">The tunnel fields.</param>
    /// <param name="header">Zeros; at least <see cref="TunnelTemplate.MaximumHeader"/> bytes.</param>
    /// <returns>Length of the header, a multiple of 2; -1 when such a tunnel cannot be carried.</returns>
    int Write(in FlowKey tunnel, Span<byte> header);

    /// <summary>Writes what this packet has of its own.</summary>
    /// <param name="tunnel">The tunnel fields.</param>
    /// <param name="bytes">The header that <see cref="Write"/> made, and the packet behind it.</param>
    /// <param name="headerLength">Where the packet starts.</param>
    /// <param name="etherType">Type of the packet; <see cref="Protocols.EtherTypes.TransparentEthernet"/> for an Ethernet frame.</param>
    /// <param name="number">Counts the packets of a port.</param>
    /// <returns>False when a packet of this type cannot be carried.</returns>
    bool TryFinish(in FlowKey tunnel, Span<byte> bytes, int headerLength, ushort etherType, uint number);

    /// <summary>Reads a header.</summary>
    /// <param name="bytes">From the tunnel header on.</param>
    /// <param name="key">Gets tunnel id, flags and options; the other tunnel fields are set already.</param>
    /// <param name="payload">What follows. It may be cut short.</param>
    /// <returns>False when the packet must be dropped: cut short, malformed, or with bits that say what is not understood.</returns>
    bool TryRead(ReadOnlySpan<byte> bytes, ref FlowKey key, out TunnelPayload payload);
}
