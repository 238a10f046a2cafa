using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>Geneve with Ethernet payloads (the kernel's geneve_udp_encap_recv and geneve_build_skb). Options are the flow table's to understand.</summary>
internal readonly struct GeneveCodec(ushort port) : ITunnelCodec
{
    private const int HeaderSize = 8;

    /// <inheritdoc/>
    public byte Protocol => IpProtocols.Udp;

    /// <inheritdoc/>
    public ushort Port => port;

    /// <inheritdoc/>
    public bool TakesBarePackets => false;

    /// <inheritdoc/>
    public bool IsReadAlone => true;

    /// <inheritdoc/>
    public bool NeedsFinish(in FlowKey tunnel) => false;

    /// <inheritdoc/>
    // The kernel does so whether the outer packet may be cut or not.
    public bool AnswersTooBig(in FlowKey tunnel) => true;

    /// <inheritdoc/>
    public bool GoesOver(bool isIpv6) => true;

    /// <inheritdoc/>
    public ushort DestinationPortOf(in FlowKey tunnel) => port;

    /// <inheritdoc/>
    public int Write(in FlowKey tunnel, Span<byte> header)
    {
        ReadOnlySpan<byte> options = tunnel.TunnelOptions;
        bool hasOptions = (tunnel.TunnelFlags & TunnelKeyFlags.GeneveOptions) != 0;
        options = options[..(hasOptions ? tunnel.TunnelOptionsLength : 0)];
        GeneveHeader fields = new()
        {
            OptionWords = (byte)(options.Length / 4),
            IsControl = (tunnel.TunnelFlags & TunnelKeyFlags.Oam) != 0,
            HasCriticalOption = hasOptions && (tunnel.TunnelFlags & TunnelKeyFlags.CriticalOption) != 0,
            Protocol = EtherTypes.TransparentEthernet,
            Vni = (uint)tunnel.TunnelId.Value & 0xff_ffff,
        };
        MemoryMarshal.Write(header, fields);
        options.CopyTo(header[HeaderSize..]);
        return HeaderSize + options.Length;
    }

    /// <inheritdoc/>
    public bool TryFinish(in FlowKey tunnel, Span<byte> bytes, int headerLength, ushort etherType, uint number) => true;

    /// <inheritdoc/>
    public bool TryRead(ReadOnlySpan<byte> bytes, ref FlowKey key, out TunnelPayload payload)
    {
        payload = default;
        if (bytes.Length < HeaderSize)
        {
            return false;
        }

        GeneveHeader header = MemoryMarshal.Read<GeneveHeader>(bytes);
        int optionsLength = header.OptionWords * 4;
        if (header.Version != 0 || header.Protocol.Value != EtherTypes.TransparentEthernet || bytes.Length < HeaderSize + optionsLength)
        {
            return false;
        }

        payload = new TunnelPayload(HeaderSize + optionsLength, EtherTypes.TransparentEthernet);
        key.TunnelId = header.Vni;
        key.TunnelFlags |= TunnelKeyFlags.Key
            | (header.IsControl ? TunnelKeyFlags.Oam : 0)
            | (header.HasCriticalOption ? TunnelKeyFlags.CriticalOption : 0);
        key.SetTunnelOptions(bytes.Slice(HeaderSize, optionsLength), TunnelKeyFlags.GeneveOptions);
        return true;
    }
}
