using System.Runtime.InteropServices;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>A frame that holds a TCP segment directly behind Ethernet and an IP header without options or extensions, and nothing behind it.</summary>
/// <param name="Transport">Where the TCP header starts.</param>
/// <param name="Payload">Where its payload starts.</param>
/// <param name="Length">Bytes of the payload.</param>
/// <param name="Sequence">Number of its first byte.</param>
/// <param name="Identification">Of IPv4; 0 for IPv6.</param>
/// <param name="Flags">TCP flags.</param>
internal readonly record struct TcpSegment(int Transport, int Payload, int Length, uint Sequence, ushort Identification, byte Flags)
{
    /// <summary>Bytes of an Ethernet header: where IP starts.</summary>
    public const int Network = 14;

    /// <summary>TCP flags.</summary>
    public const byte Fin = 0x01, Push = 0x08, Acknowledge = 0x10, EcnEcho = 0x40;

    /// <summary>Where the checksum stands in a TCP header.</summary>
    public const int ChecksumOffset = 16;

    private const byte Version4WithoutOptions = 0x45;

    /// <summary>Whether it goes over IPv6.</summary>
    public bool IsIpv6 => Transport != Network + Ipv4Header.Size;

    /// <summary>Whether others may be merged into it: it has a payload, and no flag that says more than that there are others.</summary>
    public bool CanLead => Length != 0 && (Flags & ~EcnEcho) == Acknowledge;

    /// <summary>Whether a frame may be one at all, so that <see cref="TryRead"/> is worth its while.</summary>
    public static bool IsLikely(ReadOnlySpan<byte> frame)
    {
        const int Ipv4Protocol = Network + 9, Ipv6Protocol = Network + 6, Shortest = Network + Ipv4Header.Size + TcpHeader.Size;
        return frame.Length >= Shortest && frame[frame[Network] == Version4WithoutOptions ? Ipv4Protocol : Ipv6Protocol] == IpProtocols.Tcp;
    }

    /// <summary>Whether a frame may be one with a payload.</summary>
    public static bool HasLikelyPayload(ReadOnlySpan<byte> frame)
    {
        if (!IsLikely(frame))
        {
            return false;
        }

        int transport = Network + (frame[Network] == Version4WithoutOptions ? Ipv4Header.Size : Ipv6Header.Size);
        return frame.Length > transport + TcpHeader.Size && frame.Length > transport + (At<TcpHeader>(frame, transport).DataOffset * sizeof(uint));
    }

    /// <summary>Reads the headers.</summary>
    /// <returns>False for any other frame.</returns>
    public static bool TryRead(ReadOnlySpan<byte> frame, out TcpSegment segment)
    {
        const ushort DontFragment = 0x4000;
        segment = default;
        if (frame.Length < Network + Ipv4Header.Size + TcpHeader.Size)
        {
            return false;
        }

        int transport, length;
        ushort identification = 0;
        switch (At<EthernetHeader>(frame, 0).EtherType.Value)
        {
            case EtherTypes.Ipv4:
                ref readonly Ipv4Header ip = ref At<Ipv4Header>(frame, Network);
                if (ip.VersionAndHeaderWords != Version4WithoutOptions || ip.Protocol != IpProtocols.Tcp || (ip.FlagsAndFragmentOffset.Value & ~DontFragment) != 0)
                {
                    return false;
                }

                transport = Network + Ipv4Header.Size;
                length = Network + ip.TotalLength.Value;
                identification = ip.Identification.Value;
                break;
            case EtherTypes.Ipv6 when frame.Length >= Network + Ipv6Header.Size + TcpHeader.Size:
                ref readonly Ipv6Header ipv6 = ref At<Ipv6Header>(frame, Network);
                if (ipv6.Version != 6 || ipv6.NextHeader != IpProtocols.Tcp)
                {
                    return false;
                }

                transport = Network + Ipv6Header.Size;
                length = transport + ipv6.PayloadLength.Value;
                break;
            default:
                return false;
        }

        ref readonly TcpHeader tcp = ref At<TcpHeader>(frame, transport);
        int payload = transport + (tcp.DataOffset * sizeof(uint));
        if (length != frame.Length || payload < transport + TcpHeader.Size || payload > frame.Length)
        {
            return false;
        }

        segment = new TcpSegment(transport, payload, frame.Length - payload, tcp.SequenceNumber.Value, identification, (byte)tcp.Flags);
        return true;
    }

    /// <summary>Whether a segment is of the same connection and direction.</summary>
    /// <param name="frame">The frame that this was read from.</param>
    /// <param name="other">The other frame.</param>
    /// <param name="read">What was read from it.</param>
    public bool HasConnectionOf(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> other, in TcpSegment read)
    {
        int addresses = IsIpv6 ? 32 : 8;

        // Addresses end where the ports begin.
        int start = Transport - addresses, length = addresses + sizeof(uint);
        return Transport == read.Transport && frame.Slice(start, length).SequenceEqual(other.Slice(start, length));
    }

    /// <summary>Whether the headers are the same but for what counts up: length, identification, sequence number, checksums, and FIN and PSH, which the last may have.</summary>
    /// <param name="frame">The frame that this was read from.</param>
    /// <param name="other">A frame with <see cref="HasConnectionOf"/>.</param>
    /// <param name="read">What was read from it.</param>
    public bool HasHeadersOf(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> other, in TcpSegment read)
    {
        if (Payload != read.Payload || !frame[..Network].SequenceEqual(other[..Network]))
        {
            return false;
        }

        ref readonly TcpHeader tcp = ref At<TcpHeader>(frame, Transport);
        ref readonly TcpHeader otherTcp = ref At<TcpHeader>(other, Transport);
        return (IsIpv6
                ? AreAlike(in At<Ipv6Header>(frame, Network), in At<Ipv6Header>(other, Network))
                : AreAlike(in At<Ipv4Header>(frame, Network), in At<Ipv4Header>(other, Network)))
            && tcp.AcknowledgmentNumber == otherTcp.AcknowledgmentNumber
            && ((tcp.DataOffsetAndFlags.Value ^ otherTcp.DataOffsetAndFlags.Value) & ~(Fin | Push)) == 0
            && tcp.Window == otherTcp.Window
            && tcp.UrgentPointer == otherTcp.UrgentPointer
            && frame[(Transport + TcpHeader.Size)..Payload].SequenceEqual(other[(Transport + TcpHeader.Size)..Payload]);
    }

    /// <summary>Whether the checksums are right, and are those that would be written if they were computed anew.</summary>
    public bool HasRightChecksums(ReadOnlySpan<byte> frame)
    {
        const ushort OtherZero = 0xffff;
        if (!IsIpv6 && (OnesComplement.Fold(OnesComplement.Sum(frame[Network..Transport])) != OtherZero || At<Ipv4Header>(frame, Network).Checksum.Raw == OtherZero))
        {
            return false;
        }

        return OnesComplement.Fold(OnesComplement.Sum(frame[Transport..], PseudoHeader(frame))) == OtherZero && At<TcpHeader>(frame, Transport).Checksum.Raw != OtherZero;
    }

    /// <summary>The sum of the pseudo-header of a frame with these offsets, as long as it is now.</summary>
    public ulong PseudoHeader(ReadOnlySpan<byte> frame)
    {
        int addresses = IsIpv6 ? 32 : 8;
        return OnesComplement.Sum(frame.Slice(Transport - addresses, addresses), OnesComplement.PseudoHeader(IpProtocols.Tcp, frame.Length - Transport));
    }

    // Addresses are compared with the connection.
    private static bool AreAlike(ref readonly Ipv4Header one, ref readonly Ipv4Header other) =>
        one.VersionAndHeaderWords == other.VersionAndHeaderWords && one.Tos == other.Tos && one.FlagsAndFragmentOffset == other.FlagsAndFragmentOffset
        && one.Ttl == other.Ttl && one.Protocol == other.Protocol;

    private static bool AreAlike(ref readonly Ipv6Header one, ref readonly Ipv6Header other) =>
        one.VersionClassAndLabel == other.VersionClassAndLabel && one.NextHeader == other.NextHeader && one.HopLimit == other.HopLimit;

    private static ref readonly T At<T>(ReadOnlySpan<byte> frame, int offset)
        where T : unmanaged => ref MemoryMarshal.AsRef<T>(frame[offset..]);
}
