using System.Runtime.CompilerServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Pipelines;

/// <content>IPv6.</content>
public readonly unsafe ref partial struct PlainFrame
{
    private const int Ipv6Length = 40;

    // Version 4 bits, traffic class 8, label 20, from the high end of the first byte.
    private uint Ipv6Word
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 0);
    }

    /// <summary>Bytes 0 to 3 of the IPv6 source.</summary>
    public uint Ipv6Source0
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 8);
    }

    /// <summary>Bytes 4 to 7 of the IPv6 source.</summary>
    public uint Ipv6Source1
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 12);
    }

    /// <summary>Bytes 8 to 11 of the IPv6 source.</summary>
    public uint Ipv6Source2
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 16);
    }

    /// <summary>Bytes 12 to 15 of the IPv6 source.</summary>
    public uint Ipv6Source3
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 20);
    }

    /// <summary>Bytes 0 to 3 of the IPv6 destination.</summary>
    public uint Ipv6Destination0
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 24);
    }

    /// <summary>Bytes 4 to 7 of the IPv6 destination.</summary>
    public uint Ipv6Destination1
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 28);
    }

    /// <summary>Bytes 8 to 11 of the IPv6 destination.</summary>
    public uint Ipv6Destination2
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 32);
    }

    /// <summary>Bytes 12 to 15 of the IPv6 destination.</summary>
    public uint Ipv6Destination3
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 36);
    }

    /// <summary>Flow label.</summary>
    public uint Ipv6Label
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Ipv6Word & 0xffff_0f00;
    }

    /// <summary>IP protocol.</summary>
    public uint Ipv6Protocol
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<byte>(ref _network, 6);
    }

    /// <summary>Traffic class, from bit 8 on.</summary>
    public uint Ipv6Class
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (((Ipv6Word << 4) & 0xf0) | ((Ipv6Word >> 12) & 0x0f)) << 8;
    }

    /// <summary>Hop limit, from bit 16 on.</summary>
    public uint Ipv6HopLimit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint)Unaligned.Load<byte>(ref _network, 7) << 16;
    }

    /// <summary>Source port and, above it, destination port.</summary>
    public uint Ipv6Ports
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, Ipv6Length);
    }

    /// <summary>Untagged IPv6 without extension headers, with a whole TCP or UDP header. Notes in the packet where its headers are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryViewIpv6(ref Packet packet, out PlainFrame frame) => TryViewIpv6(ref packet, 0, out frame);

    /// <summary>The same behind one VLAN tag.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryViewTaggedIpv6(ref Packet packet, out PlainFrame frame) => TryViewIpv6(ref packet, TagLength, out frame);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryViewIpv6(ref Packet packet, int tag, out PlainFrame frame)
    {
        uint tcpFlags = 0;
        Packet* pointer = Packet.PointerTo(ref packet);
        if (!FlowKeyExtractor.IsCommonIpv6(pointer, tag, out uint protocol)
            || (protocol != IpProtocols.Udp && !FlowKeyExtractor.HasIpv6Ports(pointer, tag, protocol, out tcpFlags)))
        {
            frame = default;
            return false;
        }

        frame = View(ref packet, tag, Ipv6Length, tcpFlags);
        return true;
    }
}
