using System.ComponentModel;
using System.Runtime.CompilerServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <summary>A received packet of the common shape, whose fields stand where they always do. For generated code.</summary>
/// <remarks>
/// The shape is what <see cref="FlowKeyExtractor"/> takes as common, so the fields here are those of the key that it would extract, word for
/// word as they stand there. <c>TryView</c> is the only way in and checks the length once.
/// </remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly unsafe ref struct PlainFrame
{
    private const int EthernetLength = 14;
    private const int Ipv4Length = 20;
    private const int TagLength = 4;

    private readonly ref byte _link;
    private readonly ref byte _network;
    private readonly uint _tcpFlags;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private PlainFrame(ref byte link, int tag, uint tcpFlags)
    {
        _link = ref link;
        _network = ref Unaligned.ByteAt(ref link, EthernetLength + tag);
        _tcpFlags = tcpFlags;
    }

    /// <summary>Bytes 0 to 3: most of the destination address.</summary>
    public uint Ethernet0
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _link, 0);
    }

    /// <summary>Bytes 4 to 7: the end of the destination and the start of the source address.</summary>
    public uint Ethernet1
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _link, 4);
    }

    /// <summary>Bytes 8 to 11: most of the source address.</summary>
    public uint Ethernet2
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _link, 8);
    }

    /// <summary>Ethernet type of IPv4 and, above it, the TCI with the bit that says there is a tag. Of a tagged frame only.</summary>
    public uint TypeAndTag
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 0x0010_0008 | ((uint)Unaligned.Load<ushort>(ref _link, EthernetLength) << 16);
    }

    /// <summary>TPID. Of a tagged frame only.</summary>
    public uint Tpid
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<ushort>(ref _link, 12);
    }

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
    public uint Protocol
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<byte>(ref _network, 9);
    }

    /// <summary>TOS, from bit 8 on.</summary>
    public uint Tos
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint)Unaligned.Load<byte>(ref _network, 1) << 8;
    }

    /// <summary>TTL, from bit 16 on.</summary>
    public uint Ttl
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint)Unaligned.Load<byte>(ref _network, 8) << 16;
    }

    /// <summary>Source port and, above it, destination port.</summary>
    public uint Ports
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<uint>(ref _network, Ipv4Length);
    }

    /// <summary>TCP flags as they stand in the packet; 0 for UDP.</summary>
    public uint TcpFlags => _tcpFlags;

    /// <summary>The TCP flags that a flow counts.</summary>
    public byte CountedTcpFlags
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (byte)(_tcpFlags >> 8);
    }

    /// <summary>Untagged IPv4 without options, not a fragment, with a whole TCP or UDP header. Notes in the packet where its headers are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryView(ref Packet packet, out PlainFrame frame) => TryView(ref packet, 0, out frame);

    /// <summary>The same behind one VLAN tag.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryViewTagged(ref Packet packet, out PlainFrame frame) => TryView(ref packet, TagLength, out frame);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryView(ref Packet packet, int tag, out PlainFrame frame)
    {
        if (!FlowKeyExtractor.IsCommonIpv4(Packet.PointerTo(ref packet), tag, out _, out _, out _, out uint tcpFlags))
        {
            frame = default;
            return false;
        }

        packet.NetworkOffset = (ushort)(EthernetLength + tag);
        packet.TransportOffset = (ushort)(EthernetLength + Ipv4Length + tag);
        packet.HasTransport = true;
        packet.HasOuterTag = tag != 0;
        frame = new PlainFrame(ref packet.DataReference, tag, tcpFlags);
        return true;
    }
}
