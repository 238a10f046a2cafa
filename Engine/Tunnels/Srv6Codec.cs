using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>IP packets in IPv6 behind a segment routing header, RFC 8754, of which this is the last segment (RFC 8986, End.DT46). There is no id.</summary>
/// <remarks>What is sent has one segment, the tunnel's destination: a tunnel key has no place for more.</remarks>
internal readonly struct Srv6Codec : ITunnelCodec
{
    private const int HeaderSize = 8, Unit = 8, OptionHeaderSize = 2;

    // An option of one byte, without a length.
    private const byte SinglePad = 0;

    /// <inheritdoc/>
    public byte Protocol => IpProtocols.Routing;

    /// <inheritdoc/>
    public ushort Port => 0;

    /// <inheritdoc/>
    public bool TakesBarePackets => true;

    /// <inheritdoc/>
    public bool IsReadAlone => false;

    /// <inheritdoc/>
    public bool NeedsFinish(in FlowKey tunnel) => true;

    /// <inheritdoc/>
    public bool AnswersTooBig(in FlowKey tunnel) => (tunnel.TunnelFlags & TunnelKeyFlags.DontFragment) != 0;

    /// <inheritdoc/>
    public bool GoesOver(bool isIpv6) => isIpv6;

    /// <inheritdoc/>
    public ushort DestinationPortOf(in FlowKey tunnel) => 0;

    /// <inheritdoc/>
    public int Write(in FlowKey tunnel, Span<byte> header)
    {
        const int Length = HeaderSize + SegmentRoutingHeader.SegmentSize;
        MemoryMarshal.Write(header, new SegmentRoutingHeader { Length = (Length / Unit) - 1, RoutingType = SegmentRoutingHeader.SegmentRouting });
        tunnel.TunnelIpv6Destination.CopyTo(header[HeaderSize..]);
        return Length;
    }

    /// <inheritdoc/>
    public bool TryFinish(in FlowKey tunnel, Span<byte> bytes, int headerLength, ushort etherType, uint number)
    {
        bytes[0] = etherType == EtherTypes.Ipv4 ? IpProtocols.Ipv4 : IpProtocols.Ipv6;
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

        SegmentRoutingHeader header = MemoryMarshal.Read<SegmentRoutingHeader>(bytes);
        int length = (header.Length + 1) * Unit;
        int options = HeaderSize + ((header.LastEntry + 1) * SegmentRoutingHeader.SegmentSize);
        if (header.RoutingType != SegmentRoutingHeader.SegmentRouting || header.SegmentsLeft != 0
            || length > bytes.Length || options > length || !AreOptionsWhole(bytes[options..length]))
        {
            return false;
        }

        payload = new TunnelPayload(length, header.NextHeader switch
        {
            IpProtocols.Ipv4 => EtherTypes.Ipv4,
            IpProtocols.Ipv6 => EtherTypes.Ipv6,
            _ => TunnelPayload.Unknown,
        });
        return true;
    }

    // RFC 8754 section 2.1: what is not known, and a signature nobody asked for, is passed over.
    private static bool AreOptionsWhole(ReadOnlySpan<byte> options)
    {
        while (!options.IsEmpty)
        {
            int size = options[0] == SinglePad ? 1 : options.Length < OptionHeaderSize ? int.MaxValue : OptionHeaderSize + options[1];
            if (size > options.Length)
            {
                return false;
            }

            options = options[size..];
        }

        return true;
    }
}
