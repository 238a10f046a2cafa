using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Annotations;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Actions;

/// <summary>Set of header fields in packet and key, with the checksums brought along incrementally.</summary>
/// <remarks>
/// <para>Arguments are a value and its mask, each in the layout of the key attribute (for Ethernet, of the packet). A value has no bits
/// outside of its mask; validation saw to that.</para>
/// <para>Every method gives ENOMEM when the packet ends before the header does, as the kernel's skb_ensure_writable, and changes nothing then.</para>
/// </remarks>
[ActionSet]
internal static unsafe partial class SetField
{
    private const int Ipv4HeaderSize = 20;
    private const int Ipv6HeaderSize = 40;
    private const int TcpHeaderSize = 20;
    private const int UdpHeaderSize = 8;
    private const int SctpHeaderSize = 12;
    private const int Icmpv6HeaderSize = 8;
    private const int LabelSize = 4;

    private const byte TcpProtocol = 6;
    private const byte UdpProtocol = 17;
    private const byte Icmpv6Protocol = 58;

    private const int TcpChecksumOffset = 16;
    private const int UdpChecksumOffset = 6;
    private const int Icmpv6ChecksumOffset = 2;

    [ActionStep(ActionOpcode.SetEthernet)]
    public static Errno Ethernet(Packet* packet, ref FlowKey key, ReadOnlySpan<byte> arguments)
    {
        const int Size = EthernetLayout.AddressesSize;
        if (packet->LengthWithoutOuterTag < EthernetLayout.HeaderSize)
        {
            return Errno.NoMemory;
        }

        Span<byte> addresses = packet->Bytes[..Size];
        Merge<ulong>(addresses, arguments, arguments[Size..]);
        Merge<uint>(addresses[8..], arguments[8..], arguments[(Size + 8)..]);
        key.EthernetDestination = new EthernetAddress(addresses);
        key.EthernetSource = new EthernetAddress(addresses[6..]);
        return Errno.None;
    }

    [ActionStep(ActionOpcode.SetIpv4)]
    public static Errno Ipv4(Packet* packet, ref FlowKey key, ReadOnlySpan<byte> arguments)
    {
        if (!TryHeader(packet, packet->NetworkOffset, Ipv4HeaderSize, out Span<byte> header))
        {
            return Errno.NoMemory;
        }

        ReadOnlySpan<byte> value = arguments[..12], mask = arguments.Slice(12, 12);
        if (SetIpv4Address(packet, header, 12, value, mask))
        {
            key.Ipv4Source = MemoryMarshal.Read<Be32>(header[12..]);
        }

        if (SetIpv4Address(packet, header, 16, value[4..], mask[4..]))
        {
            key.Ipv4Destination = MemoryMarshal.Read<Be32>(header[16..]);
        }

        if (mask[9] != 0)
        {
            key.IpTos = ChangeTos(header, (byte)(value[9] | (header[1] & ~mask[9])));
        }

        if (mask[10] != 0)
        {
            key.IpTtl = ChangeTtl(header, (byte)(value[10] | (header[8] & ~mask[10])));
        }

        return Errno.None;
    }

    [ActionStep(ActionOpcode.SetIpv6)]
    public static Errno Ipv6(Packet* packet, ref FlowKey key, ReadOnlySpan<byte> arguments)
    {
        if (!TryHeader(packet, packet->NetworkOffset, Ipv6HeaderSize, out Span<byte> header))
        {
            return Errno.NoMemory;
        }

        ReadOnlySpan<byte> value = arguments[..40], mask = arguments.Slice(40, 40);
        bool hasIpv6 = (key.Segments & FlowKeySegments.Ipv6) != 0;
        if (TryMergeAddress(header[8..], value, mask, out Ipv6Address source))
        {
            UpdateIpv6Transport(packet, key.IpProtocol, MemoryMarshal.Read<Ipv6Address>(header[8..]), source);
            source.CopyTo(header[8..]);
            key.Ipv6Source = hasIpv6 ? source : key.Ipv6Source;
        }

        if (TryMergeAddress(header[24..], value[16..], mask[16..], out Ipv6Address destination))
        {
            // With hops to go in a routing header, the pseudo header has the last one of them instead (RFC 8200 section 8.1).
            if (!Ipv6RoutingHeader.HasSegmentsLeft(packet->Bytes[packet->NetworkOffset..]))
            {
                UpdateIpv6Transport(packet, key.IpProtocol, MemoryMarshal.Read<Ipv6Address>(header[24..]), destination);
            }

            destination.CopyTo(header[24..]);
            key.Ipv6Destination = hasIpv6 ? destination : key.Ipv6Destination;
        }

        if (mask[37] != 0)
        {
            // Traffic class: the low half of byte 0 and the high half of byte 1.
            byte old = (byte)((header[0] << 4) | (header[1] >> 4));
            byte trafficClass = (byte)(value[37] | (old & ~mask[37]));
            header[0] = (byte)((header[0] & 0xf0) | (trafficClass >> 4));
            header[1] = (byte)((header[1] & 0x0f) | (trafficClass << 4));
            key.IpTos = trafficClass;
        }

        uint labelMask = BinaryPrimitives.ReadUInt32BigEndian(mask[32..]);
        if (labelMask != 0)
        {
            uint word = BinaryPrimitives.ReadUInt32BigEndian(header);
            word = BinaryPrimitives.ReadUInt32BigEndian(value[32..]) | (word & ~labelMask);
            BinaryPrimitives.WriteUInt32BigEndian(header, word);
            key.Ipv6Label = hasIpv6 ? new Be32(word & 0x000f_ffff) : key.Ipv6Label;
        }

        if (mask[38] != 0)
        {
            header[7] = (byte)(value[38] | (header[7] & ~mask[38]));
            key.IpTtl = header[7];
        }

        return Errno.None;
    }

    [ActionStep(ActionOpcode.SetTcp)]
    public static Errno Tcp(Packet* packet, ref FlowKey key, ReadOnlySpan<byte> arguments)
    {
        if (!TryHeader(packet, TransportOffset(packet), TcpHeaderSize, out Span<byte> header))
        {
            return Errno.NoMemory;
        }

        Span<byte> checksum = header[TcpChecksumOffset..];
        SetPort(packet, header, 0, arguments, checksum, ref key.TransportSource);
        SetPort(packet, header, 2, arguments, checksum, ref key.TransportDestination);
        packet->FlowHash = 0;
        return Errno.None;
    }

    [ActionStep(ActionOpcode.SetUdp)]
    public static Errno Udp(Packet* packet, ref FlowKey key, ReadOnlySpan<byte> arguments)
    {
        if (!TryHeader(packet, TransportOffset(packet), UdpHeaderSize, out Span<byte> header))
        {
            return Errno.NoMemory;
        }

        // RFC 768: zero means no checksum.
        Span<byte> checksum = header[UdpChecksumOffset..];
        if (MemoryMarshal.Read<ushort>(checksum) != 0 && !IsChecksumLeftToSink(packet))
        {
            SetPort(packet, header, 0, arguments, checksum, ref key.TransportSource);
            SetPort(packet, header, 2, arguments, checksum, ref key.TransportDestination);
            HeaderEdit.MangleZero(ref checksum[0]);
        }
        else
        {
            Merge<uint>(header, arguments, arguments[4..]);
            key.TransportSource = MemoryMarshal.Read<Be16>(header);
            key.TransportDestination = MemoryMarshal.Read<Be16>(header[2..]);
        }

        packet->FlowHash = 0;
        return Errno.None;
    }

    [ActionStep(ActionOpcode.SetSctp)]
    public static Errno Sctp(Packet* packet, ref FlowKey key, ReadOnlySpan<byte> arguments)
    {
        int offset = TransportOffset(packet);
        if (!TryHeader(packet, offset, SctpHeaderSize, out Span<byte> header))
        {
            return Errno.NoMemory;
        }

        uint before = BinaryPrimitives.ReadUInt32LittleEndian(header);
        Merge<uint>(header, arguments, arguments[4..]);
        uint difference = SctpChecksum.Difference(before ^ BinaryPrimitives.ReadUInt32LittleEndian(header), packet->Length - offset);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) ^ difference);
        key.TransportSource = MemoryMarshal.Read<Be16>(header);
        key.TransportDestination = MemoryMarshal.Read<Be16>(header[2..]);
        packet->FlowHash = 0;
        return Errno.None;
    }

    [ActionStep(ActionOpcode.SetMpls)]
    public static Errno Mpls(Packet* packet, ref FlowKey key, ReadOnlySpan<byte> arguments)
    {
        if (!TryHeader(packet, packet->NetworkOffset, LabelSize, out Span<byte> label))
        {
            return Errno.NoMemory;
        }

        // Behind two tags the kernel takes the packet for one of the inner tag's type.
        if (!PacketShape.IsMplsType(PushPop.ProtocolOf(packet, key).Value))
        {
            return Errno.InvalidArgument;
        }

        Merge<uint>(label, arguments, arguments[LabelSize..]);

        // A key from before a push has no label to change.
        if ((key.Segments & FlowKeySegments.Mpls) != 0)
        {
            key.MplsLabel0 = MemoryMarshal.Read<Be32>(label);
        }

        return Errno.None;
    }

    [ActionStep(ActionOpcode.SetPriority)]
    public static Errno Priority(ref FlowKey key, ReadOnlySpan<byte> arguments)
    {
        key.SkbPriority = MemoryMarshal.Read<uint>(arguments) | (key.SkbPriority & ~MemoryMarshal.Read<uint>(arguments[4..]));
        return Errno.None;
    }

    [ActionStep(ActionOpcode.SetMark)]
    public static Errno Mark(ref FlowKey key, ReadOnlySpan<byte> arguments)
    {
        key.SkbMark = MemoryMarshal.Read<uint>(arguments) | (key.SkbMark & ~MemoryMarshal.Read<uint>(arguments[4..]));
        return Errno.None;
    }

    // Conntrack mark and labels are set by ct. The kernel takes a list that sets them, and fails when it runs.
    [ActionStep(ActionOpcode.SetConntrackField)]
    public static Errno ConntrackField() => Errno.InvalidArgument;

    /// <summary>TTL or hop limit minus one, in a packet that is IP right behind its link layer (execute_dec_ttl). Others pass unchanged.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="key">Its key.</param>
    /// <param name="isUsedUp">The TTL was 0 or 1 and is left as it was.</param>
    public static Errno DecrementTtl(Packet* packet, ref FlowKey key, out bool isUsedUp)
    {
        isUsedUp = false;
        ushort protocol = PushPop.ProtocolOf(packet, key).Value;
        if (protocol is not (0x0800 or 0x86dd))
        {
            return Errno.None;
        }

        bool isIpv4 = protocol == 0x0800;
        if (!TryHeader(packet, packet->NetworkOffset, isIpv4 ? Ipv4HeaderSize : Ipv6HeaderSize, out Span<byte> header))
        {
            return Errno.NoMemory;
        }

        ref byte ttl = ref header[isIpv4 ? 8 : 7];
        isUsedUp = ttl <= 1;
        if (!isUsedUp)
        {
            key.IpTtl = isIpv4 ? ChangeTtl(header, (byte)(ttl - 1)) : --ttl;
        }

        return Errno.None;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryHeader(Packet* packet, int offset, int size, out Span<byte> header)
    {
        bool isWhole = offset + size <= packet->Length;
        header = isWhole ? packet->Bytes.Slice(offset, size) : default;
        return isWhole;
    }

    // Where the kernel looks when there is no transport header that could be parsed.
    private static int TransportOffset(Packet* packet) => packet->HasTransport ? packet->TransportOffset : packet->NetworkOffset;

    private static bool IsChecksumLeftToSink(Packet* packet) => (packet->Offload.Flags & ChecksumOffload.NeedsChecksum) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Merge<T>(Span<byte> field, ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        T merged = MemoryMarshal.Read<T>(value) | (MemoryMarshal.Read<T>(field) & ~MemoryMarshal.Read<T>(mask));
        MemoryMarshal.Write(field, in merged);
    }

    private static bool SetIpv4Address(Packet* packet, Span<byte> header, int offset, ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask)
    {
        ulong difference = HeaderEdit.Replace(ref header[offset], MemoryMarshal.Read<uint>(value), MemoryMarshal.Read<uint>(mask));
        if (difference == 0)
        {
            return false;
        }

        UpdateIpv4Transport(packet, header, difference);
        HeaderEdit.UpdateChecksum(ref header[10], difference);
        packet->FlowHash = 0;
        return true;
    }

    /// <summary>Brings the checksum behind an IPv4 header along with an address of the pseudo header (update_ip_l4_checksum).</summary>
    private static void UpdateIpv4Transport(Packet* packet, ReadOnlySpan<byte> header, ulong difference)
    {
        // Only the first fragment has the transport header.
        if ((BinaryPrimitives.ReadUInt16BigEndian(header[6..]) & 0x1fff) != 0)
        {
            return;
        }

        int transport = TransportOffset(packet);
        switch (header[9])
        {
            case TcpProtocol when TryHeader(packet, transport, TcpHeaderSize, out Span<byte> tcp):
                UpdatePseudoHeader(packet, tcp[TcpChecksumOffset..], difference);
                break;
            case UdpProtocol when TryHeader(packet, transport, UdpHeaderSize, out Span<byte> udp):
                Span<byte> checksum = udp[UdpChecksumOffset..];
                if (MemoryMarshal.Read<ushort>(checksum) != 0 || IsChecksumLeftToSink(packet))
                {
                    UpdatePseudoHeader(packet, checksum, difference);
                    HeaderEdit.MangleZero(ref checksum[0]);
                }

                break;
        }
    }

    /// <summary>The same for IPv6, where ICMP has a pseudo header too (update_ipv6_checksum).</summary>
    private static void UpdateIpv6Transport(Packet* packet, byte protocol, in Ipv6Address old, in Ipv6Address address)
    {
        packet->FlowHash = 0;
        int transport = TransportOffset(packet);
        switch (protocol)
        {
            case TcpProtocol when TryHeader(packet, transport, TcpHeaderSize, out Span<byte> tcp):
                UpdatePseudoHeader(packet, tcp[TcpChecksumOffset..], old, address);
                break;
            case UdpProtocol when TryHeader(packet, transport, UdpHeaderSize, out Span<byte> udp):
                Span<byte> checksum = udp[UdpChecksumOffset..];
                if (MemoryMarshal.Read<ushort>(checksum) != 0 || IsChecksumLeftToSink(packet))
                {
                    UpdatePseudoHeader(packet, checksum, old, address);
                    HeaderEdit.MangleZero(ref checksum[0]);
                }

                break;
            case Icmpv6Protocol when TryHeader(packet, transport, Icmpv6HeaderSize, out Span<byte> icmp):
                UpdatePseudoHeader(packet, icmp[Icmpv6ChecksumOffset..], old, address);
                break;
        }
    }

    private static void UpdatePseudoHeader(Packet* packet, Span<byte> field, ulong difference)
    {
        if (!IsChecksumLeftToSink(packet))
        {
            HeaderEdit.UpdateChecksum(ref field[0], difference);
            return;
        }

        HeaderEdit.UpdatePartial(ref field[0], difference);
    }

    private static void UpdatePseudoHeader(Packet* packet, Span<byte> field, in Ipv6Address old, in Ipv6Address address)
    {
        Be16 checksum = MemoryMarshal.Read<Be16>(field);
        checksum = IsChecksumLeftToSink(packet)
            ? InternetChecksum.UpdatePartial(checksum, old, address)
            : InternetChecksum.Update(checksum, old, address);
        MemoryMarshal.Write(field, in checksum);
    }

    private static void SetPort(Packet* packet, Span<byte> header, int offset, ReadOnlySpan<byte> arguments, Span<byte> checksum, ref Be16 keyPort)
    {
        ulong difference = HeaderEdit.Replace(
            ref header[offset], MemoryMarshal.Read<ushort>(arguments[offset..]), MemoryMarshal.Read<ushort>(arguments[(4 + offset)..]));
        if (difference == 0)
        {
            return;
        }

        if (!IsChecksumLeftToSink(packet))
        {
            HeaderEdit.UpdateChecksum(ref checksum[0], difference);
        }

        keyPort = MemoryMarshal.Read<Be16>(header[offset..]);
    }

    private static byte ChangeTtl(Span<byte> header, byte ttl)
    {
        HeaderEdit.UpdateChecksum(ref header[10], HeaderEdit.ReplaceTtl(ref header[8], ttl));
        return ttl;
    }

    private static byte ChangeTos(Span<byte> header, byte tos)
    {
        HeaderEdit.ReplaceTos(ref header[0], tos);
        return tos;
    }

    private static bool TryMergeAddress(ReadOnlySpan<byte> field, ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask, out Ipv6Address address)
    {
        Span<byte> merged = stackalloc byte[16];
        field[..16].CopyTo(merged);
        Merge<ulong>(merged, value, mask);
        Merge<ulong>(merged[8..], value[8..], mask[8..]);
        address = new Ipv6Address(merged);
        return !merged.SequenceEqual(field[..16]);
    }
}
