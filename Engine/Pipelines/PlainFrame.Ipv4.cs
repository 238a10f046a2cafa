using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Pipelines;

/// <content>IPv4.</content>
public readonly unsafe ref partial struct PlainFrame
{
    private const int Ipv4Length = 20;

    /// <summary>IPv4 source.</summary>
    public uint Ipv4Source
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 12);
    }

    /// <summary>IPv4 destination.</summary>
    public uint Ipv4Destination
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 16);
    }

    /// <summary>IP protocol.</summary>
    public uint Ipv4Protocol
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<byte>(ref _network, 9);
    }

    /// <summary>TOS, from bit 8 on.</summary>
    public uint Ipv4Tos
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint)Unaligned.Load<byte>(ref _network, 1) << 8;
    }

    /// <summary>TTL, from bit 16 on.</summary>
    public uint Ipv4Ttl
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint)Unaligned.Load<byte>(ref _network, 8) << 16;
    }

    /// <summary>Source port and, above it, destination port.</summary>
    public uint Ipv4Ports
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, Ipv4Length);
    }

    /// <summary>Whether header and ports are as a row says: 8 words of mask, then 8 words of what the masked bits must be, as they stand in the packet.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="row">Which one; there is one of that number.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool HasIpv4Header(ReadOnlySpan<uint> rows, int row)
    {
        // In bounds: 32 bytes from the network header on end before byte 54, with a tag before byte 58.
        Invariant.Assert((uint)row < (uint)rows.Length / (2 * Vector256<uint>.Count));
        Vector256<uint> header = Unaligned.Load<Vector256<uint>>(ref _network, 0);
        ref uint mask = ref Unaligned.At(ref MemoryMarshal.GetReference(rows), (nuint)(uint)row * (nuint)(2 * Vector256<uint>.Count));
        return (header & Vector256.LoadUnsafe(ref mask)) == Vector256.LoadUnsafe(ref mask, (nuint)Vector256<uint>.Count);
    }

    /// <summary>Untagged IPv4 without options, not a fragment, with a whole TCP or UDP header. Notes in the packet where its headers are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryViewIpv4(ref Packet packet, out PlainFrame frame) => TryViewIpv4(ref packet, 0, out frame);

    /// <summary>The same behind one VLAN tag.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryViewTaggedIpv4(ref Packet packet, out PlainFrame frame) => TryViewIpv4(ref packet, TagLength, out frame);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryViewIpv4(ref Packet packet, int tag, out PlainFrame frame)
    {
        // UDP, which comes most, is asked for first: it has no flags to be read.
        uint tcpFlags = 0;
        Packet* pointer = Packet.PointerTo(ref packet);
        if (!FlowKeyExtractor.IsCommonIpv4(pointer, tag, out _, out _, out uint fragmentTtlProtocol)
            || (fragmentTtlProtocol >> 24 != IpProtocols.Udp && !FlowKeyExtractor.HasIpv4Ports(pointer, tag, fragmentTtlProtocol >> 24, out tcpFlags)))
        {
            frame = default;
            return false;
        }

        frame = View(ref packet, tag, Ipv4Length, tcpFlags);
        return true;
    }
}
