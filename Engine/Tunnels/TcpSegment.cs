using System.Buffers.Binary;
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

    /// <summary>Where the flags and the checksum stand in a TCP header.</summary>
    public const int FlagsOffset = 13, ChecksumOffset = 16;

    private const int Ipv4Length = 20, Ipv6Length = 40, TcpLength = 20;

    /// <summary>Whether it goes over IPv6.</summary>
    public bool IsIpv6 => Transport != Network + Ipv4Length;

    /// <summary>Whether others may be merged into it: it has a payload, and no flag that says more than that there are others.</summary>
    public bool CanLead => Length != 0 && (Flags & ~EcnEcho) == Acknowledge;

    /// <summary>Whether a frame may be one at all, so that <see cref="TryRead"/> is worth its while.</summary>
    public static bool IsLikely(ReadOnlySpan<byte> frame)
    {
        const int Ipv4Protocol = Network + 9, Ipv6Protocol = Network + 6, Shortest = Network + Ipv4Length + TcpLength;
        return frame.Length >= Shortest && frame[frame[Network] == 0x45 ? Ipv4Protocol : Ipv6Protocol] == IpProtocols.Tcp;
    }

    /// <summary>Whether a frame may be one with a payload.</summary>
    public static bool HasLikelyPayload(ReadOnlySpan<byte> frame)
    {
        const int LengthOffset = 12;
        if (!IsLikely(frame))
        {
            return false;
        }

        int transport = Network + (frame[Network] == 0x45 ? Ipv4Length : Ipv6Length);
        return frame.Length > transport + LengthOffset && frame.Length > transport + ((frame[transport + LengthOffset] >> 4) * 4);
    }

    /// <summary>Reads the headers.</summary>
    /// <returns>False for any other frame.</returns>
    public static bool TryRead(ReadOnlySpan<byte> frame, out TcpSegment segment)
    {
        const ushort DontFragment = 0x4000;
        segment = default;
        if (frame.Length < Network + Ipv4Length + TcpLength)
        {
            return false;
        }

        ReadOnlySpan<byte> ip = frame[Network..];
        int header, length;
        ushort identification = 0;
        switch (BinaryPrimitives.ReadUInt16BigEndian(frame[(Network - sizeof(ushort))..]))
        {
            case EtherTypes.Ipv4 when ip[0] == 0x45 && ip[9] == IpProtocols.Tcp && (BinaryPrimitives.ReadUInt16BigEndian(ip[6..]) & ~DontFragment) == 0:
                header = Ipv4Length;
                length = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
                identification = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
                break;
            case EtherTypes.Ipv6 when ip[0] >> 4 == 6 && ip[6] == IpProtocols.Tcp && ip.Length >= Ipv6Length + TcpLength:
                header = Ipv6Length;
                length = Ipv6Length + BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
                break;
            default:
                return false;
        }

        ReadOnlySpan<byte> tcp = ip[header..];
        int tcpLength = (tcp[12] >> 4) * 4;
        if (length != ip.Length || tcpLength < TcpLength || tcpLength > tcp.Length)
        {
            return false;
        }

        segment = new TcpSegment(
            Network + header, Network + header + tcpLength, tcp.Length - tcpLength, BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]), identification, tcp[FlagsOffset]);
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

        ReadOnlySpan<byte> ip = frame[Network..], otherIp = other[Network..];

        // IPv4: version and TOS; DF, TTL and protocol. IPv6: version, class and label; next header and hop limit.
        int difference = IsIpv6
            ? Difference<uint>(ip, otherIp, 0) | Difference<ushort>(ip, otherIp, 6)
            : Difference<ushort>(ip, otherIp, 0) | Difference<uint>(ip, otherIp, 6);
        ReadOnlySpan<byte> tcp = frame[Transport..Payload], otherTcp = other[Transport..Payload];

        // Acknowledged number, length of the header, flags, window, urgent pointer.
        difference |= Difference<uint>(tcp, otherTcp, 8) | Difference<byte>(tcp, otherTcp, 12) | ((tcp[FlagsOffset] ^ otherTcp[FlagsOffset]) & ~(Fin | Push))
            | Difference<ushort>(tcp, otherTcp, 14) | Difference<ushort>(tcp, otherTcp, 18);
        return difference == 0 && tcp[TcpLength..].SequenceEqual(otherTcp[TcpLength..]);
    }

    /// <summary>Whether the checksums are right, and are those that would be written if they were computed anew.</summary>
    public bool HasRightChecksums(ReadOnlySpan<byte> frame)
    {
        const int Ipv4Checksum = Network + 10;
        const ushort OtherZero = 0xffff;
        if (!IsIpv6 && (OnesComplement.Fold(OnesComplement.Sum(frame[Network..Transport])) != OtherZero || MemoryMarshal.Read<ushort>(frame[Ipv4Checksum..]) == OtherZero))
        {
            return false;
        }

        ReadOnlySpan<byte> tcp = frame[Transport..];
        return OnesComplement.Fold(OnesComplement.Sum(tcp, PseudoHeader(frame))) == OtherZero && MemoryMarshal.Read<ushort>(tcp[ChecksumOffset..]) != OtherZero;
    }

    /// <summary>The sum of the pseudo-header of a frame with these offsets, as long as it is now.</summary>
    public ulong PseudoHeader(ReadOnlySpan<byte> frame)
    {
        int addresses = IsIpv6 ? 32 : 8;
        return OnesComplement.Sum(frame.Slice(Transport - addresses, addresses), OnesComplement.PseudoHeader(IpProtocols.Tcp, frame.Length - Transport));
    }

    private static int Difference<T>(ReadOnlySpan<byte> one, ReadOnlySpan<byte> two, int offset)
        where T : unmanaged, IEquatable<T> => MemoryMarshal.Read<T>(one[offset..]).Equals(MemoryMarshal.Read<T>(two[offset..])) ? 0 : 1;
}
