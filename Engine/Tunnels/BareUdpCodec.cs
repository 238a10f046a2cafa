using Engine.Flows;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>IP packets or MPLS right behind UDP, RFC 7510 (the kernel's bareudp devices). Which of them, the first bits tell, since a port's request does not.</summary>
internal readonly struct BareUdpCodec(ushort port) : ITunnelCodec
{
    /// <inheritdoc/>
    public byte Protocol => IpProtocols.Udp;

    /// <inheritdoc/>
    public ushort Port => port;

    /// <inheritdoc/>
    public bool TakesBarePackets => true;

    /// <inheritdoc/>
    public bool IsReadAlone => false;

    /// <inheritdoc/>
    public bool NeedsFinish(in FlowKey tunnel) => true;

    /// <inheritdoc/>
    // The kernel's bareudp_xmit_skb asks for no reply.
    public bool AnswersTooBig(in FlowKey tunnel) => false;

    /// <inheritdoc/>
    public bool GoesOver(bool isIpv6) => true;

    /// <inheritdoc/>
    public ushort DestinationPortOf(in FlowKey tunnel) => port;

    /// <inheritdoc/>
    public int Write(in FlowKey tunnel, Span<byte> header) => 0;

    /// <inheritdoc/>
    public bool TryFinish(in FlowKey tunnel, Span<byte> bytes, int headerLength, ushort etherType, uint number) =>
        etherType is EtherTypes.Ipv4 or EtherTypes.Ipv6 || EtherTypes.IsMpls(etherType);

    /// <inheritdoc/>
    public bool TryRead(ReadOnlySpan<byte> bytes, ref FlowKey key, out TunnelPayload payload)
    {
        payload = TunnelPayload.OfIp(bytes, 0);
        if (payload.EtherType == TunnelPayload.Unknown)
        {
            payload = new TunnelPayload(0, EtherTypes.Mpls);
        }

        key.TunnelFlags |= TunnelKeyFlags.Key;
        return true;
    }
}
