using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Flows;

/// <content>Short ways for the packets that come most. Each is the general way with one check of the length and no other branches than it needs.</content>
public static unsafe partial class FlowKeyExtractor
{
    // What the common case asks for: Ethernet, IPv4 without options, and a TCP header without options.
    private const int CommonLength = 54;

    // The same with IPv6.
    private const int CommonIpv6Length = 74;

    // Ethernet and ARP.
    private const int CommonArpLength = 42;

    /// <summary>IPv4 without options, not a fragment, with a whole TCP or UDP header: one check of the length, then plain loads and stores.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="key">The key.</param>
    /// <param name="tag">4 for a packet with one VLAN tag, else 0. A constant, as the next one.</param>
    /// <param name="received">Whether metadata is written.</param>
    /// <param name="inPort">When it is, the port.</param>
    /// <returns>False, with nothing written, for every other packet.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryExtractCommon(Packet* packet, ref FlowKey key, int tag, bool received, uint inPort)
    {
        if (!IsCommonIpv4(packet, tag, out uint tpidTci, out uint typeVersionTos, out uint fragmentTtlProtocol))
        {
            return false;
        }

        uint protocol = fragmentTtlProtocol >> 24;
        if (!HasIpv4Ports(packet, tag, protocol, out uint tcpFlags))
        {
            return false;
        }

        ref byte frame = ref packet->DataReference;

        // In bounds: the fields of the core follow each other without gaps up to byte 64, which a test holds them to.
        ref byte core = ref MemoryMarshal.GetReference(MemoryMarshal.AsBytes(new Span<FlowKey>(ref key)));
        if (received)
        {
            Unaligned.Store(ref core, 0, Vector128.CreateScalar(inPort));
        }

        // Addresses, type, TCI with the bit that says there is a tag.
        Vector128<byte> ethernet = Unaligned.Load<Vector128<byte>>(ref frame, 0);
        Unaligned.Store(ref core, 16, ethernet & Vector128.Create(-1L, 0x0000_ffff_ffff_ffff).AsByte());
        if (tag != 0)
        {
            Unaligned.Store(ref core, 28, (typeVersionTos & 0xffff) | (tpidTci & 0xffff_0000) | 0x0010_0000);
        }

        // TPID, no inner tag, MacProtocol 1. Conntrack state is metadata.
        if (received)
        {
            Unaligned.Store(ref core, 32, (ulong)(tpidTci & 0xffff) | (1UL << 48));
        }
        else
        {
            Unaligned.Store(ref core, 32, tpidTci & 0xffff);
            Unaligned.Store(ref core, 36, (1u << 16) | ((uint)key.ConntrackState << 24));
        }

        // Both addresses; protocol, TOS, TTL, no fragment; both ports.
        Unaligned.Store(ref core, 40, Unaligned.Load<ulong>(ref frame, 26 + tag));
        Unaligned.Store(ref core, 48, protocol | ((typeVersionTos >> 16) & 0xff00) | (fragmentTtlProtocol & 0x00ff_0000));
        Unaligned.Store(ref core, 52, Unaligned.Load<uint>(ref frame, 34 + tag));

        // Flags; conntrack zone and priority are metadata.
        if (received)
        {
            Unaligned.Store(ref core, 56, (ulong)tcpFlags);
        }
        else
        {
            key.TcpFlags = Be16.FromRaw((ushort)tcpFlags);
        }

        packet->NetworkOffset = (ushort)(14 + tag);
        packet->TransportOffset = (ushort)(34 + tag);
        packet->HasTransport = true;
        packet->HasOuterTag = tag != 0;

        FlowKeySegments stale = received ? key.Segments : key.Segments & ~MetadataSegments;
        if (stale != FlowKeySegments.None)
        {
            ClearSegments(ref key, stale);
        }

        return true;
    }

    /// <summary>Whether it is IPv4 without options, not a fragment, as long as with a TCP header: what the common case and compiled pipelines take if it has ports.</summary>
    /// <param name="packet">The packet. When it is, all offsets up to <see cref="CommonLength"/>, with a tag 4 more, are in bounds.</param>
    /// <param name="tag">4 for a packet with one VLAN tag, else 0. A constant.</param>
    /// <param name="tpidTci">Outer TPID and TCI; 0 without a tag.</param>
    /// <param name="typeVersionTos">Ethernet type, version and length, TOS as they stand in the packet.</param>
    /// <param name="fragmentTtlProtocol">Fragment, TTL and protocol as they stand in the packet.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsCommonIpv4(Packet* packet, int tag, out uint tpidTci, out uint typeVersionTos, out uint fragmentTtlProtocol)
    {
        tpidTci = typeVersionTos = fragmentTtlProtocol = 0;

        // The masks below are of words loaded on a little-endian machine; others go the general way.
        int length = packet->Length;
        if (!BitConverter.IsLittleEndian || length < CommonLength + tag || !packet->HasEthernet || packet->Offload.GsoType == PacketOffload.GsoUdpFragments)
        {
            return false;
        }

        // In bounds: no offset plus size below is beyond CommonLength, or with a tag 4 bytes further.
        Invariant.Assert(packet->Bytes.Length >= CommonLength + tag);
        ref byte frame = ref packet->DataReference;

        // Bytes 12 and 13 are the outer TPID, 14 and 15 its TCI, where there is a tag.
        tpidTci = tag != 0 ? Unaligned.Load<uint>(ref frame, 12) : 0;
        if (tag != 0 && (ushort)tpidTci is not (0x0081 or 0xa888))
        {
            return false;
        }

        typeVersionTos = Unaligned.Load<uint>(ref frame, 12 + tag);
        fragmentTtlProtocol = Unaligned.Load<uint>(ref frame, 20 + tag);
        return IsPlainIpv4(typeVersionTos, fragmentTtlProtocol);
    }

    /// <summary>Whether the ports of what <see cref="IsCommonIpv4"/> has taken can be read: a UDP or a whole TCP header.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="tag">As there.</param>
    /// <param name="protocol">IP protocol.</param>
    /// <param name="tcpFlags">Gets the TCP flags as they stand in the packet; 0 for UDP.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool HasIpv4Ports(Packet* packet, int tag, uint protocol, out uint tcpFlags) =>
        TryReadTcpFlags(ref packet->DataReference, 46 + tag, protocol, packet->Length - CommonLength - tag, out tcpFlags);

    // Bytes 12..15 are 08 00 ?5 TOS: IPv4 with five words of header. As the kernel, the version is not looked at. Bytes 20..23 are fragment
    // flags and offset, TTL, protocol: neither "more fragments" nor an offset.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsPlainIpv4(uint typeVersionTos, uint fragmentTtlProtocol) =>
        (((typeVersionTos ^ 0x0005_0008) & 0x000f_ffff) | (fragmentTtlProtocol & 0x0000_ff3f)) == 0;

    /// <summary>Untagged IPv6 without extension headers and with a whole TCP or UDP header.</summary>
    /// <returns>False, with nothing written, for every other packet.</returns>
    private static bool TryExtractCommonIpv6(Packet* packet, ref FlowKey key)
    {
        if (!IsCommonIpv6(packet, 0, out uint protocol) || !HasIpv6Ports(packet, 0, protocol, out uint tcpFlags))
        {
            return false;
        }

        ref byte frame = ref packet->DataReference;
        FlowKeySegments stale = key.Segments & ~(MetadataSegments | FlowKeySegments.Ipv6);
        if (stale != FlowKeySegments.None)
        {
            ClearSegments(ref key, stale);
        }

        // In bounds: as above, and the IPv6 segment takes the 40 bytes after the core.
        ref byte core = ref MemoryMarshal.GetReference(MemoryMarshal.AsBytes(new Span<FlowKey>(ref key)));
        Vector128<byte> ethernet = Unaligned.Load<Vector128<byte>>(ref frame, 0);
        Unaligned.Store(ref core, 16, ethernet & Vector128.Create(-1L, 0x0000_ffff_ffff_ffff).AsByte());
        Unaligned.Store(ref core, 32, 0u);
        Unaligned.Store(ref core, 36, (1u << 16) | ((uint)key.ConntrackState << 24));

        // Version 4 bits, traffic class 8, label 20, from the high end of the first byte. No IPv4 addresses, no extension headers.
        uint versionClassLabel = Unaligned.Load<uint>(ref frame, 14);
        uint trafficClass = ((versionClassLabel << 4) & 0xf0) | ((versionClassLabel >> 12) & 0x0f);
        uint hopLimit = Unaligned.Load<byte>(ref frame, 21);
        Unaligned.Store(ref core, 40, 0UL);
        Unaligned.Store(ref core, 48, protocol | (trafficClass << 8) | (hopLimit << 16));
        Unaligned.Store(ref core, 52, Unaligned.Load<uint>(ref frame, 54));
        key.TcpFlags = Be16.FromRaw((ushort)tcpFlags);
        Unaligned.Store(ref core, 64, Unaligned.Load<Vector256<byte>>(ref frame, 22));
        Unaligned.Store(ref core, 96, (ulong)(versionClassLabel & 0xffff_0f00));
        key.Segments |= FlowKeySegments.Ipv6;
        packet->NetworkOffset = 14;
        packet->TransportOffset = 54;
        packet->HasTransport = true;
        packet->HasOuterTag = false;
        return true;
    }

    /// <summary>Whether it is IPv6, as long as with a TCP header: what the common case and compiled pipelines take if it has ports.</summary>
    /// <param name="packet">The packet. When it is, all offsets up to <see cref="CommonIpv6Length"/>, with a tag 4 more, are in bounds.</param>
    /// <param name="tag">4 for a packet with one VLAN tag, else 0. A constant.</param>
    /// <param name="protocol">The protocol.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsCommonIpv6(Packet* packet, int tag, out uint protocol)
    {
        protocol = 0;
        int length = packet->Length;
        if (!BitConverter.IsLittleEndian || length < CommonIpv6Length + tag || !packet->HasEthernet || packet->Offload.GsoType == PacketOffload.GsoUdpFragments)
        {
            return false;
        }

        // In bounds: no offset plus size below is beyond CommonIpv6Length, or with a tag 4 bytes further.
        Invariant.Assert(packet->Bytes.Length >= CommonIpv6Length + tag);
        ref byte frame = ref packet->DataReference;
        if ((tag != 0 && Unaligned.Load<ushort>(ref frame, 12) is not (0x0081 or 0xa888)) || Unaligned.Load<ushort>(ref frame, 12 + tag) != 0xdd86)
        {
            return false;
        }

        protocol = Unaligned.Load<byte>(ref frame, 20 + tag);
        return true;
    }

    /// <summary>Whether the ports of what <see cref="IsCommonIpv6"/> has taken can be read: a UDP or a whole TCP header, without extension headers before it.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="tag">As there.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="tcpFlags">Gets the TCP flags as they stand in the packet; 0 for UDP.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool HasIpv6Ports(Packet* packet, int tag, uint protocol, out uint tcpFlags) =>
        TryReadTcpFlags(ref packet->DataReference, 66 + tag, protocol, packet->Length - CommonIpv6Length - tag, out tcpFlags);

    /// <summary>Whether it is ARP of Ethernet and IPv4, as long as it is: what compiled pipelines take.</summary>
    /// <param name="packet">The packet. When it is, all offsets up to <see cref="CommonArpLength"/>, with a tag 4 more, are in bounds.</param>
    /// <param name="tag">4 for a packet with one VLAN tag, else 0. A constant.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsCommonArp(Packet* packet, int tag)
    {
        if (!BitConverter.IsLittleEndian || packet->Length < CommonArpLength + tag || !packet->HasEthernet)
        {
            return false;
        }

        // In bounds: no offset plus size below is beyond CommonArpLength, or with a tag 4 bytes further.
        Invariant.Assert(packet->Bytes.Length >= CommonArpLength + tag);
        ref byte frame = ref packet->DataReference;

        // Bytes 12 to 19 are 08 06, 00 01, 08 00, 06 04: the type, Ethernet, IPv4, the lengths of their addresses.
        return (tag == 0 || Unaligned.Load<ushort>(ref frame, 12) is 0x0081 or 0xa888)
            && Unaligned.Load<ulong>(ref frame, 12 + tag) == 0x0406_0008_0100_0608;
    }

    /// <summary>Whether ports can be read as TCP or UDP where twenty bytes of header are known to be there.</summary>
    /// <param name="frame">The packet.</param>
    /// <param name="offset">Of data offset and flags, if it is TCP.</param>
    /// <param name="protocol">IP protocol.</param>
    /// <param name="spare">Bytes after the twenty.</param>
    /// <param name="flags">TCP flags as they stand on the wire; 0 for UDP.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryReadTcpFlags(ref byte frame, int offset, uint protocol, int spare, out uint flags)
    {
        flags = 0;
        if (protocol == IpProtocols.Udp)
        {
            return true;
        }

        if (protocol != IpProtocols.Tcp)
        {
            return false;
        }

        // A data offset below five words or beyond the end makes the ports unreadable; the general way sees to that.
        uint offsetAndFlags = Unaligned.Load<ushort>(ref frame, offset);
        flags = offsetAndFlags & 0xff0f;
        return HasWholeTcpHeader(offsetAndFlags, spare);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasWholeTcpHeader(uint offsetAndFlags, int spare) => ((offsetAndFlags & 0xf0) >> 2) - 20 <= (uint)spare;
}
