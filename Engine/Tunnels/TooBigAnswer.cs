using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>The ICMP or ICMPv6 message that tells the sender of a packet how long it may be at most to go by a tunnel (the kernel's skb_tunnel_check_pmtu).</summary>
/// <remarks>Its source is whom the packet was for, so that it reaches senders on the same bridge too. Pure functions on bytes.</remarks>
internal static class TooBigAnswer
{
    /// <summary>The most bytes of one: the least that every path of IPv6 takes, and an Ethernet header.</summary>
    public const int MaximumLength = EthernetSize + LeastIpv6;

    private const int EthernetSize = 14, AddressesSize = 12, Ipv4Size = 20, Ipv6Size = 40, IcmpSize = 8;
    private const int LeastIpv4 = 576, LeastIpv6 = 1280;
    private const int Ipv4Fragment = 6, Ipv4Source = 12, Ipv4Destination = 16, Ipv6Source = 8, Ipv6Destination = 24, Ipv6AddressSize = 16;
    private const ushort DontFragmentAlone = 0x4000;
    private const byte DestinationUnreachable = 3, FragmentationNeeded = 4, SourceQuench = 4, Redirect = 5, TimeExceeded = 11, ParameterProblem = 12;
    private const byte PacketTooBig = 2, LastErrorOfIpv6 = 4, RedirectOfIpv6 = 137;
    private const int ChecksumOffset = 2, MtuOffset = 4;

    /// <summary>Writes the message.</summary>
    /// <param name="packet">The packet that is too long.</param>
    /// <param name="hasEthernet">Whether it starts with an Ethernet header; if not, with an IP header. With a VLAN tag there is no answer.</param>
    /// <param name="mtu">The longest IP packet that would go by the tunnel.</param>
    /// <param name="answer">Gets the message with the same headers; <see cref="MaximumLength"/> bytes.</param>
    /// <returns>Its length; 0 when this packet must not be answered, for it may be cut, or is itself an error, or from nobody.</returns>
    public static int Write(ReadOnlySpan<byte> packet, bool hasEthernet, int mtu, Span<byte> answer)
    {
        int network = hasEthernet ? EthernetSize : 0;
        if (packet.Length < network + Ipv4Size)
        {
            return 0;
        }

        ushort type = hasEthernet ? BinaryPrimitives.ReadUInt16BigEndian(packet[AddressesSize..])
            : packet[0] >> 4 == 6 ? EtherTypes.Ipv6 : EtherTypes.Ipv4;
        ReadOnlySpan<byte> ip = packet[network..];
        int length = type switch
        {
            EtherTypes.Ipv4 when MayAnswerIpv4(ip, mtu) => WriteIpv4(ip, mtu, answer[network..]),
            EtherTypes.Ipv6 when MayAnswerIpv6(ip, mtu) => WriteIpv6(ip, mtu, answer[network..]),
            _ => 0,
        };
        if (length != 0 && hasEthernet)
        {
            const int AddressSize = AddressesSize / 2;
            packet[AddressSize..AddressesSize].CopyTo(answer);
            packet[..AddressSize].CopyTo(answer[AddressSize..]);
            packet[AddressesSize..EthernetSize].CopyTo(answer[AddressesSize..]);
        }

        return length == 0 ? 0 : network + length;
    }

    // iptunnel_pmtud_check_icmp
    private static bool MayAnswerIpv4(ReadOnlySpan<byte> ip, int mtu)
    {
        if (mtu < LeastIpv4 || BinaryPrimitives.ReadUInt16BigEndian(ip[Ipv4Fragment..]) != DontFragmentAlone)
        {
            return false;
        }

        uint source = BinaryPrimitives.ReadUInt32BigEndian(ip[Ipv4Source..]), destination = BinaryPrimitives.ReadUInt32BigEndian(ip[Ipv4Destination..]);
        if (IsOfMany(source) || IsOfMany(destination) || source >> 24 is 0 or 127)
        {
            return false;
        }

        int message = (ip[0] & 15) * 4;
        return ip[9] != IpProtocols.Icmp
            || (message < ip.Length && ip[message] is not (DestinationUnreachable or SourceQuench or Redirect or TimeExceeded or ParameterProblem));
    }

    // Multicast, or broadcast to all.
    private static bool IsOfMany(uint address) => address >> 28 == 0xe || address == uint.MaxValue;

    // iptunnel_pmtud_check_icmpv6
    private static bool MayAnswerIpv6(ReadOnlySpan<byte> ip, int mtu)
    {
        if (mtu < LeastIpv6 || ip.Length < Ipv6Size)
        {
            return false;
        }

        ReadOnlySpan<byte> source = ip.Slice(Ipv6Source, Ipv6AddressSize);
        bool isAnyOrLoopback = source[..^1].IndexOfAnyExcept((byte)0) < 0 && source[^1] <= 1;
        if (isAnyOrLoopback || source[0] == 0xff)
        {
            return false;
        }

        byte protocol = ip[6];
        int message = Ipv6Size;
        while (IpProtocols.IsIpv6Extension(protocol) && protocol != IpProtocols.None)
        {
            const int Unit = 8, AuthenticationUnit = 4;
            if (ip.Length < message + Unit || (protocol == IpProtocols.Fragment && (BinaryPrimitives.ReadUInt16BigEndian(ip[(message + 2)..]) & ~7) != 0))
            {
                return false;
            }

            int size = protocol switch
            {
                IpProtocols.Fragment => Unit,
                IpProtocols.Authentication => (ip[message + 1] + 2) * AuthenticationUnit,
                _ => (ip[message + 1] + 1) * Unit,
            };
            protocol = ip[message];
            message += size;
        }

        return protocol != IpProtocols.Icmpv6 || (message < ip.Length && ip[message] is 0 or (> LastErrorOfIpv6 and not RedirectOfIpv6));
    }

    // iptunnel_pmtud_build_icmp
    private static int WriteIpv4(ReadOnlySpan<byte> ip, int mtu, Span<byte> answer)
    {
        ip = ip[..Math.Min(ip.Length, LeastIpv4 - Ipv4Size - IcmpSize)];
        answer = answer[..(Ipv4Size + IcmpSize + ip.Length)];
        Ipv4Header header = new()
        {
            Version = 4,
            HeaderWords = Ipv4Size / 4,
            TotalLength = (ushort)answer.Length,
            DontFragment = true,
            Ttl = ip[8],
            Protocol = IpProtocols.Icmp,
            Source = MemoryMarshal.Read<Be32>(ip[Ipv4Destination..]),
            Destination = MemoryMarshal.Read<Be32>(ip[Ipv4Source..]),
        };
        MemoryMarshal.Write(answer, header);
        const int HeaderChecksum = 10;
        MemoryMarshal.Write(answer[HeaderChecksum..], (ushort)~OnesComplement.Fold(OnesComplement.Sum(answer[..Ipv4Size])));
        WriteMessage(answer[Ipv4Size..], DestinationUnreachable, FragmentationNeeded, mtu, ip, 0);
        return answer.Length;
    }

    // iptunnel_pmtud_build_icmpv6
    private static int WriteIpv6(ReadOnlySpan<byte> ip, int mtu, Span<byte> answer)
    {
        ip = ip[..Math.Min(ip.Length, LeastIpv6 - Ipv6Size - IcmpSize)];
        answer = answer[..(Ipv6Size + IcmpSize + ip.Length)];
        Ipv6Header header = new()
        {
            Version = 6,
            PayloadLength = (ushort)(answer.Length - Ipv6Size),
            NextHeader = IpProtocols.Icmpv6,
            HopLimit = ip[7],
            Source = new Ipv6Address(ip[Ipv6Destination..]),
            Destination = new Ipv6Address(ip[Ipv6Source..]),
        };
        MemoryMarshal.Write(answer, header);
        ulong pseudo = OnesComplement.Sum(answer.Slice(Ipv6Source, 2 * Ipv6AddressSize), OnesComplement.PseudoHeader(IpProtocols.Icmpv6, answer.Length - Ipv6Size));
        WriteMessage(answer[Ipv6Size..], PacketTooBig, 0, mtu, ip, pseudo);
        return answer.Length;
    }

    // RFC 792, RFC 1191 section 4 and RFC 4443 section 3.2: for both, the MTU stands at the end of the second word.
    private static void WriteMessage(Span<byte> message, byte type, byte code, int mtu, ReadOnlySpan<byte> packet, ulong sum)
    {
        message[0] = type;
        message[1] = code;
        message.Slice(ChecksumOffset, 2).Clear();
        BinaryPrimitives.WriteUInt32BigEndian(message[MtuOffset..], (uint)Math.Min(mtu, ushort.MaxValue));
        packet.CopyTo(message[IcmpSize..]);
        MemoryMarshal.Write(message[ChecksumOffset..], (ushort)~OnesComplement.Fold(OnesComplement.Sum(message, sum)));
    }
}
