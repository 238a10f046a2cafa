using System.Runtime.CompilerServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <content>ARP.</content>
public readonly unsafe ref partial struct PlainFrame
{
    /// <summary>Sender protocol address.</summary>
    public uint ArpSender
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 14);
    }

    /// <summary>Target protocol address.</summary>
    public uint ArpTarget
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 24);
    }

    /// <summary>Operation; 0 for one above 255, which no flow can ask for.</summary>
    public uint ArpOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<byte>(ref _network, 6) == 0 ? Unaligned.Load<byte>(ref _network, 7) : 0u;
    }

    /// <summary>Bytes 0 to 3 of the sender hardware address.</summary>
    public uint ArpHardware0
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 8);
    }

    /// <summary>Bytes 4 and 5 of the sender and, above them, 0 and 1 of the target hardware address.</summary>
    public uint ArpHardware1
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<ushort>(ref _network, 12) | ((uint)Unaligned.Load<ushort>(ref _network, 18) << 16);
    }

    /// <summary>Bytes 2 to 5 of the target hardware address.</summary>
    public uint ArpHardware2
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, 20);
    }

    /// <summary>Untagged ARP of Ethernet and IPv4. Notes in the packet where its headers are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryViewArp(ref Packet packet, out PlainFrame frame) => TryViewArp(ref packet, 0, out frame);

    /// <summary>The same behind one VLAN tag.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryViewTaggedArp(ref Packet packet, out PlainFrame frame) => TryViewArp(ref packet, TagLength, out frame);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryViewArp(ref Packet packet, int tag, out PlainFrame frame)
    {
        if (!FlowKeyExtractor.IsCommonArp(Packet.PointerTo(ref packet), tag))
        {
            frame = default;
            return false;
        }

        frame = View(ref packet, tag, 0, 0);
        return true;
    }
}
