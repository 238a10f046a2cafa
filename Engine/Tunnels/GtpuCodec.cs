using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>GTP-U, 3GPP TS 29.281: IP packets of mobile devices behind UDP, the endpoint id as the tunnel's. Messages about tunnels and paths are dropped.</summary>
/// <remarks>Extension headers are walked over; one that must be understood is known only as the PDU session container, whose marks a tunnel key has no place for.</remarks>
internal readonly struct GtpuCodec(ushort port) : ITunnelCodec
{
    private const int HeaderSize = 8, OptionalFieldsSize = 4, ExtensionUnit = 4;
    private const int LengthOffset = 2, NextExtensionOffset = 11;

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
        MemoryMarshal.Write(header, new GtpuHeader { Flags = GtpuHeader.Version, MessageType = GtpuHeader.UserPacket, EndpointId = (uint)tunnel.TunnelId.Value });
        return HeaderSize;
    }

    /// <inheritdoc/>
    public bool TryFinish(in FlowKey tunnel, Span<byte> bytes, int headerLength, ushort etherType, uint number)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(bytes[LengthOffset..], (ushort)(bytes.Length - HeaderSize));
        return etherType is EtherTypes.Ipv4 or EtherTypes.Ipv6;
    }

    /// <inheritdoc/>
    public bool TryRead(ReadOnlySpan<byte> bytes, ref FlowKey key, out TunnelPayload payload)
    {
        payload = default;
        if (bytes.Length < HeaderSize)
        {
            return false;
        }

        GtpuHeader header = MemoryMarshal.Read<GtpuHeader>(bytes);
        int end = HeaderSize + header.Length.Value;
        if ((header.Flags & GtpuHeader.VersionMask) != GtpuHeader.Version || end > bytes.Length || !TrySkipOptions(bytes[..end], header.Flags, out int offset))
        {
            return false;
        }

        key.TunnelId = header.EndpointId.Value;
        key.TunnelFlags |= TunnelKeyFlags.Key;
        payload = header.MessageType == GtpuHeader.UserPacket ? TunnelPayload.OfIp(bytes, offset) : new TunnelPayload(offset, TunnelPayload.Unknown);
        return true;
    }

    private static bool TrySkipOptions(ReadOnlySpan<byte> packet, byte flags, out int offset)
    {
        offset = HeaderSize;
        if ((flags & GtpuHeader.HasOptionalFields) == 0)
        {
            return true;
        }

        offset += OptionalFieldsSize;
        if (packet.Length < offset)
        {
            return false;
        }

        byte next = (flags & GtpuHeader.HasExtension) != 0 ? packet[NextExtensionOffset] : GtpuHeader.NoMoreExtensions;
        while (next != GtpuHeader.NoMoreExtensions)
        {
            int size = offset < packet.Length ? packet[offset] * ExtensionUnit : 0;
            if (size == 0 || size > packet.Length - offset || ((next & GtpuHeader.MustBeUnderstood) != 0 && next != GtpuHeader.PduSessionContainer))
            {
                return false;
            }

            offset += size;
            next = packet[offset - 1];
        }

        return true;
    }
}
