using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>LISP data packets, RFC 6830: IP packets behind UDP, the instance id as the tunnel's (vports of type lisp, which Open vSwitch's own module had).</summary>
internal readonly struct LispCodec(ushort port) : ITunnelCodec
{
    private const int HeaderSize = 8;

    // The one locator there is, the sender, is up.
    private const byte FirstLocator = 1;

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
    public bool AnswersTooBig(in FlowKey tunnel) => (tunnel.TunnelFlags & TunnelKeyFlags.DontFragment) != 0;

    /// <inheritdoc/>
    public bool GoesOver(bool isIpv6) => true;

    /// <inheritdoc/>
    public ushort DestinationPortOf(in FlowKey tunnel) => port;

    /// <inheritdoc/>
    public int Write(in FlowKey tunnel, Span<byte> header)
    {
        LispHeader fields = new()
        {
            Flags = LispHeader.HasLocatorStatus | LispHeader.HasInstance,
            Instance = (uint)tunnel.TunnelId.Value & 0xff_ffff,
            LocatorStatus = FirstLocator,
        };
        MemoryMarshal.Write(header, fields);
        return HeaderSize;
    }

    /// <inheritdoc/>
    public bool TryFinish(in FlowKey tunnel, Span<byte> bytes, int headerLength, ushort etherType, uint number) =>
        etherType is EtherTypes.Ipv4 or EtherTypes.Ipv6;

    /// <inheritdoc/>
    public bool TryRead(ReadOnlySpan<byte> bytes, ref FlowKey key, out TunnelPayload payload)
    {
        const uint NonceAndVersion = LispHeader.HasNonce | LispHeader.HasMapVersion;
        payload = default;
        if (bytes.Length < HeaderSize)
        {
            return false;
        }

        LispHeader header = MemoryMarshal.Read<LispHeader>(bytes);
        uint flags = header.Flags.Value;
        if ((flags & NonceAndVersion) == NonceAndVersion)
        {
            return false;
        }

        key.TunnelId = (flags & LispHeader.HasInstance) != 0 ? header.Instance : 0;
        key.TunnelFlags |= TunnelKeyFlags.Key;
        payload = TunnelPayload.OfIp(bytes, HeaderSize);
        return true;
    }
}
