using System.ComponentModel;
using System.Numerics;
using System.Runtime.CompilerServices;
using Engine.Actions;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <summary>The steps of action lists on a <see cref="PlainFrame"/>, whose offsets are constants. For generated code.</summary>
/// <remarks>
/// They are the parts that <see cref="ActionExecutor"/> runs too (<c>HeaderEdit</c>, <c>PushPop</c>). Nothing is checked: the shape of the
/// frame says that the header is there. A difference is for the checksum, <see cref="UpdateIpv4Checksum"/> and its like; differences add up.
/// </remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public static unsafe class PipelineEdits
{
    private const int TtlOffset = 8;
    private const int HopLimitOffset = 7;
    private const int Ipv4ChecksumOffset = 10;
    private const int TcpChecksumOffset = 16;
    private const int UdpChecksumOffset = 6;

    /// <summary>Replaces the bits of a mask in four bytes.</summary>
    /// <returns>The difference; 0 when nothing changed.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Replace(ref Packet packet, int offset, uint value, uint mask) => HeaderEdit.Replace(ref At(ref packet, offset), value, mask);

    /// <summary>Replaces the bits of a mask in two bytes.</summary>
    /// <returns>The difference; 0 when nothing changed.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Replace(ref Packet packet, int offset, ushort value, ushort mask) => HeaderEdit.Replace(ref At(ref packet, offset), value, mask);

    /// <summary>Replaces the bits of a mask in the TTL of the IPv4 header at <paramref name="header"/>.</summary>
    /// <returns>The difference, never 0.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReplaceTtl(ref Packet packet, int header, byte value, byte mask)
    {
        ref byte field = ref At(ref packet, header + TtlOffset);
        return HeaderEdit.ReplaceTtl(ref field, (byte)(value | (field & ~mask)));
    }

    /// <summary>Replaces the bits of a mask in a byte that no checksum covers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Replace(ref Packet packet, int offset, byte value, byte mask)
    {
        ref byte field = ref At(ref packet, offset);
        field = (byte)(value | (field & ~mask));
    }

    /// <summary>Takes one from the hop limit of the IPv6 header at <paramref name="header"/>, unless it is 0 or 1.</summary>
    /// <returns>False, with nothing changed, when the hop limit is used up.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryDecrementHopLimit(ref Packet packet, int header)
    {
        ref byte field = ref At(ref packet, header + HopLimitOffset);
        if (field <= 1)
        {
            return false;
        }

        field--;
        return true;
    }

    /// <summary>Takes one from the TTL of the IPv4 header at <paramref name="header"/>, unless it is 0 or 1.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="header">Where the header starts.</param>
    /// <param name="difference">Gets the difference added.</param>
    /// <returns>False, with nothing changed, when the TTL is used up.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryDecrementTtl(ref Packet packet, int header, ref ulong difference)
    {
        ref byte field = ref At(ref packet, header + TtlOffset);
        if (field <= 1)
        {
            return false;
        }

        difference += HeaderEdit.ReplaceTtl(ref field, (byte)(field - 1));
        return true;
    }

    /// <summary>Replaces the bits of a mask in the TOS of the IPv4 header at <paramref name="header"/>, whose checksum is right so far.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReplaceTos(ref Packet packet, int header, byte value, byte mask) =>
        HeaderEdit.ReplaceTos(ref At(ref packet, header), (byte)(value | (At(ref packet, header + 1) & ~mask)));

    /// <summary>Brings the checksum of the IPv4 header at <paramref name="header"/> along.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UpdateIpv4Checksum(ref Packet packet, int header, ulong difference)
    {
        if (difference != 0)
        {
            HeaderEdit.UpdateChecksum(ref At(ref packet, header + Ipv4ChecksumOffset), difference);
        }
    }

    /// <summary>Brings the checksum of the TCP header at <paramref name="header"/> along.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="header">Where the header starts.</param>
    /// <param name="addresses">What changed in the pseudo header.</param>
    /// <param name="ports">What changed in the header.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UpdateTcpChecksum(ref Packet packet, int header, ulong addresses, ulong ports)
    {
        if (addresses + ports != 0)
        {
            packet.FlowHash = 0;
            ref byte checksum = ref At(ref packet, header + TcpChecksumOffset);
            if (!TryUpdatePartial(ref packet, ref checksum, addresses))
            {
                HeaderEdit.UpdateChecksum(ref checksum, addresses + ports);
            }
        }
    }

    /// <summary>Brings the checksum of the UDP header at <paramref name="header"/> along, if it has one (RFC 768).</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="header">Where the header starts.</param>
    /// <param name="addresses">What changed in the pseudo header.</param>
    /// <param name="ports">What changed in the header.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UpdateUdpChecksum(ref Packet packet, int header, ulong addresses, ulong ports)
    {
        if (addresses + ports == 0)
        {
            return;
        }

        packet.FlowHash = 0;
        ref byte checksum = ref At(ref packet, header + UdpChecksumOffset);
        if (!TryUpdatePartial(ref packet, ref checksum, addresses) && Unaligned.Load<ushort>(ref checksum, 0) != 0)
        {
            HeaderEdit.UpdateChecksum(ref checksum, addresses + ports);
            HeaderEdit.MangleZero(ref checksum);
        }
    }

    /// <summary>Pushes a VLAN tag, the first one, given as it stands in the packet.</summary>
    /// <returns>False when there is no room for it.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool TryPushVlan(ref Packet packet, uint tag) => PushPop.TryPushTag(Packet.PointerTo(ref packet), tag);

    /// <summary>Pops the only VLAN tag.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void PopVlan(ref Packet packet) => PushPop.TakeTag(Packet.PointerTo(ref packet));

    /// <summary>Notes what the next output leaves out.</summary>
    public static void Truncate(ref Packet packet, uint limit) => ActionExecutor.Truncate(Packet.PointerTo(ref packet), limit);

    /// <summary>Sends the packet to a port and takes it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<THost>(ref Packet packet, uint port, ref THost host)
        where THost : struct, IPipelineHost
    {
        Packet* taken = Packet.PointerTo(ref packet);
        ActionExecutor.CutIfAsked(taken);
        host.Output(taken, port);
    }

    /// <summary>Sends a copy of the packet to a port.</summary>
    public static void OutputCopy<THost>(ref Packet packet, uint port, ref THost host)
        where THost : struct, IPipelineHost
    {
        Packet* copy = host.TryClone(Packet.PointerTo(ref packet));
        packet.CutLength = 0;
        if (copy != null)
        {
            Output(ref *copy, port, ref host);
        }
    }

    /// <summary>Counts packets of a batch as dropped and frees them.</summary>
    /// <param name="batch">The batch; the packets stay in it.</param>
    /// <param name="packets">Bit i is set for packet i; 0 for none.</param>
    /// <param name="reason">Why.</param>
    /// <param name="host">The host.</param>
    public static void Drop<THost>(ref PacketBatch batch, uint packets, DropReason reason, ref THost host)
        where THost : struct, IPipelineHost
    {
        for (uint left = packets; left != 0; left &= left - 1)
        {
            host.Drop(batch.Pointer(BitOperations.TrailingZeroCount(left)), reason);
        }
    }

    /// <summary>Counts the packet as dropped and frees it.</summary>
    public static void Drop<THost>(ref Packet packet, DropReason reason, ref THost host)
        where THost : struct, IPipelineHost => host.Drop(Packet.PointerTo(ref packet), reason);

    // Whether the checksum is left to the sink: then the field holds the sum of the pseudo header, which has the addresses and not the ports.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryUpdatePartial(ref Packet packet, ref byte sum, ulong addresses)
    {
        if ((packet.Offload.Flags & ChecksumOffload.NeedsChecksum) == 0)
        {
            return false;
        }

        if (addresses != 0)
        {
            HeaderEdit.UpdatePartial(ref sum, addresses);
        }

        return true;
    }

    // In bounds: the shape of the frame has the header that the offset points into.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte At(ref Packet packet, int offset)
    {
        Invariant.Assert(offset >= 0 && offset < packet.Length);
        return ref Unaligned.ByteAt(ref packet.DataReference, offset);
    }
}
