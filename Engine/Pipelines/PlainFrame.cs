using System.ComponentModel;
using System.Runtime.CompilerServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Pipelines;

/// <summary>A received packet of a common shape, whose fields stand where they always do. For generated code.</summary>
/// <remarks>
/// The fields are those of the key that <see cref="FlowKeyExtractor"/> would extract, word for word as they stand there. <c>TryView</c> and
/// its like are the only ways in; each checks the length once, and only the fields of its shape may be read then.
/// </remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly unsafe ref partial struct PlainFrame
{
    private const int EthernetLength = 14;
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

    /// <summary>TCI of a tagged frame, from bit 16 on.</summary>
    public uint Tag
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint)Unaligned.Load<ushort>(ref _link, EthernetLength) << 16;
    }

    /// <summary>TPID of a tagged frame.</summary>
    public uint Tpid
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unaligned.Load<ushort>(ref _link, 12);
    }

    /// <summary>TCP flags as they stand in the packet; 0 for UDP and ARP.</summary>
    public uint TcpFlags => _tcpFlags;

    /// <summary>The TCP flags that a flow counts.</summary>
    public byte CountedTcpFlags
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (byte)(_tcpFlags >> 8);
    }

    /// <summary>Notes in the packet where its headers are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static PlainFrame View(ref Packet packet, int tag, int transport, uint tcpFlags)
    {
        // Before the headers are noted: after a store the compiler would read again where the data is.
        PlainFrame frame = new(ref packet.DataReference, tag, tcpFlags);
        packet.SetHeaders((ushort)(EthernetLength + tag), (ushort)(EthernetLength + tag + transport), transport != 0, tag != 0);
        return frame;
    }
}
