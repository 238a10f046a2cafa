using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Engine.Annotations;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;

namespace Engine.Actions;

/// <summary>Headers on and off: VLAN, MPLS, Ethernet, NSH.</summary>
/// <remarks>
/// <para>The kernel keeps the outermost VLAN tag beside the packet, not in it. Here it stays in its place behind the addresses, and
/// <see cref="Packet.HasOuterTag"/> says that it does not count: headers pushed and pulled "at the front" pass by it.</para>
/// <para>What leaves the key behind the packet marks it stale and keeps <see cref="Packet.Protocol"/>, what the kernel has in skb->protocol.</para>
/// </remarks>
[ActionSet]
internal static unsafe partial class PushPop
{
    private const ushort TransparentEthernet = 0x6558;
    private const int LabelSize = 4;

    // The least Ethernet type; below it stands a length (IEEE 802.3).
    private const ushort FirstEtherType = 0x0600;
    private const ushort RawIpx = 0x0001;
    private const ushort Llc = 0x0004;

    /// <summary>The Ethernet type of what follows the link layer, where an inner VLAN tag does not belong to the link layer (skb->protocol).</summary>
    public static Be16 ProtocolOf(Packet* packet, in FlowKey key) => packet->IsKeyStale ? packet->Protocol
        : (key.InnerVlanTci.Value & 0x1000) != 0 ? key.InnerVlanTpid
        : key.EtherType;

    /// <summary>Bytes in front of the network header, without the outer tag (skb->mac_len).</summary>
    public static int LinkLayerLength(Packet* packet) => packet->NetworkOffset - (packet->HasOuterTag ? EthernetLayout.TagSize : 0);

    /// <summary>Puts a tag in front of what follows the addresses.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="tag">TPID and TCI as they stand in the packet.</param>
    /// <returns>False, with nothing changed, when there is no room.</returns>
    public static bool TryPushTag(Packet* packet, uint tag)
    {
        if (!TryInsert(packet, EthernetLayout.AddressesSize, EthernetLayout.TagSize))
        {
            return false;
        }

        MemoryMarshal.Write(packet->Bytes[EthernetLayout.AddressesSize..], in tag);
        packet->HasOuterTag = true;
        return true;
    }

    /// <summary>Takes the outer tag, which there must be, out of the packet.</summary>
    public static void TakeTag(Packet* packet)
    {
        Remove(packet, EthernetLayout.AddressesSize, EthernetLayout.TagSize);
        packet->HasOuterTag = false;
    }

    [ActionStep(ActionOpcode.PushVlan)]
    public static Errno PushVlan(Packet* packet, ref FlowKey key, uint argument)
    {
        uint tag = argument;
        bool isSecond = packet->HasOuterTag;
        Be16 tpid = Be16.FromRaw(BitConverter.IsLittleEndian ? (ushort)tag : (ushort)(tag >> 16));
        Be16 tci = Be16.FromRaw(BitConverter.IsLittleEndian ? (ushort)(tag >> 16) : (ushort)tag);
        Be16 protocol = isSecond ? MemoryMarshal.Read<Be16>(packet->Bytes[EthernetLayout.AddressesSize..]) : ProtocolOf(packet, key);
        if (!TryPushTag(packet, tag))
        {
            return Errno.NoMemory;
        }

        if (isSecond)
        {
            MarkStale(packet, protocol);
        }
        else
        {
            // Also when the key is stale: the kernel shows the new tag in upcalls.
            key.VlanTpid = tpid;
            key.VlanTci = new Be16((ushort)(tci.Value | 0x1000));
        }

        return Errno.None;
    }

    [ActionStep(ActionOpcode.PopVlan)]
    public static Errno PopVlan(Packet* packet, ref FlowKey key)
    {
        Be16 protocol = ProtocolOf(packet, key);
        if (packet->HasOuterTag)
        {
            TakeTag(packet);
        }
        else if (IsVlan(protocol))
        {
            // A tag that the extractor could not take for the outer one.
            if (packet->Length < EthernetLayout.TaggedHeaderSize)
            {
                return Errno.NoMemory;
            }

            protocol = TypeBehindTag(packet);
            Remove(packet, EthernetLayout.AddressesSize, EthernetLayout.TagSize);
            packet->NetworkOffset = Math.Max(packet->NetworkOffset, (ushort)EthernetLayout.HeaderSize);
            MarkStale(packet, protocol);
        }

        if (!IsVlan(protocol))
        {
            key.VlanTci = default;
            key.VlanTpid = default;
            return Errno.None;
        }

        // The tag behind it becomes the outer one.
        if (packet->Length < EthernetLayout.TaggedHeaderSize)
        {
            return Errno.NoMemory;
        }

        protocol = TypeBehindTag(packet);
        packet->HasOuterTag = true;
        packet->NetworkOffset = Math.Max(packet->NetworkOffset, (ushort)EthernetLayout.TaggedHeaderSize);
        MarkStale(packet, protocol);
        return Errno.None;
    }

    [ActionStep(ActionOpcode.PushMpls)]
    public static Errno PushMpls(Packet* packet, ref FlowKey key, uint argument, ushort small) =>
        PushLabel(packet, ref key, LinkLayerLength(packet), argument, small);

    [ActionStep(ActionOpcode.AddMpls)]
    public static Errno AddMpls(Packet* packet, ref FlowKey key, uint argument, ushort small) => PushLabel(packet, ref key, 0, argument, small);

    [ActionStep(ActionOpcode.PopMpls)]
    public static Errno PopMpls(Packet* packet, ref FlowKey key, ushort small)
    {
        ushort etherType = small;
        if (!PacketShape.IsMplsType(ProtocolOf(packet, key).Value))
        {
            MarkStale(packet, ProtocolOf(packet, key));
        }
        else
        {
            int linkLayer = LinkLayerLength(packet);
            if (packet->LengthWithoutOuterTag < linkLayer + LabelSize)
            {
                return Errno.NoMemory;
            }

            RemoveBehindTag(packet, linkLayer, LabelSize);
            packet->NetworkOffset = (ushort)(linkLayer + (packet->HasOuterTag ? EthernetLayout.TagSize : 0));
            if (packet->HasEthernet && linkLayer >= EthernetLayout.HeaderSize)
            {
                // The type in front of the labels, behind all tags.
                WriteAt(packet, linkLayer - sizeof(ushort), etherType);
            }

            MarkStale(packet, Be16.FromRaw(etherType));
        }

        if (Be16.FromRaw(etherType).Value == TransparentEthernet)
        {
            key.MacProtocol = 1;
            packet->HasEthernet = true;
        }

        return Errno.None;
    }

    [ActionStep(ActionOpcode.PushEthernet)]
    public static Errno PushEthernet(Packet* packet, ref FlowKey key, ReadOnlySpan<byte> arguments)
    {
        Be16 protocol = ProtocolOf(packet, key);
        if (LinkLayerLength(packet) != 0 || packet->HasOuterTag)
        {
            return Errno.Protocol;
        }

        if (!TryInsert(packet, 0, EthernetLayout.HeaderSize))
        {
            return Errno.NoMemory;
        }

        arguments[..EthernetLayout.AddressesSize].CopyTo(packet->Bytes);
        MemoryMarshal.Write(packet->Bytes[EthernetLayout.AddressesSize..], in protocol);
        packet->HasEthernet = true;
        key.MacProtocol = 1;
        MarkStale(packet, protocol);
        return Errno.None;
    }

    [ActionStep(ActionOpcode.PopEthernet)]
    public static Errno PopEthernet(Packet* packet, ref FlowKey key)
    {
        Be16 protocol = ProtocolOf(packet, key);
        int linkLayer = LinkLayerLength(packet);
        if (packet->LengthWithoutOuterTag < linkLayer + EthernetLayout.HeaderSize)
        {
            return Errno.Protocol;
        }

        RemoveBehindTag(packet, 0, EthernetLayout.HeaderSize);
        packet->HasEthernet = false;
        key.MacProtocol = 0;
        MarkStale(packet, protocol);
        return Errno.None;
    }

    [ActionStep(ActionOpcode.PushNsh)]
    public static Errno PushNsh(Packet* packet, ref FlowKey key, ReadOnlySpan<byte> arguments, ushort small)
    {
        ReadOnlySpan<byte> header = arguments[..small];
        byte next = LinkLayerLength(packet) != 0 ? NshProtocol.Ethernet : NshProtocol.FromEtherType(ProtocolOf(packet, key).Value);
        if (next == 0)
        {
            return Errno.AddressFamilyNotSupported;
        }

        if (!TryInsertBehindTag(packet, 0, header.Length))
        {
            return Errno.NoMemory;
        }

        Span<byte> written = stackalloc byte[NshProtocol.MaximumHeaderSize];
        header.CopyTo(written);
        written[3] = next;
        WriteFront(packet, written[..header.Length]);
        if (header.IsEmpty && packet->Length > 3)
        {
            // A header whose length wrapped to 0: the kernel writes the next protocol all the same.
            packet->Bytes[3] = next;
        }

        EndAtFront(packet, ref key, hasEthernet: false, new Be16(NshProtocol.EtherType));
        return Errno.None;
    }

    [ActionStep(ActionOpcode.PopNsh)]
    public static Errno PopNsh(Packet* packet, ref FlowKey key)
    {
        Span<byte> header = stackalloc byte[NshProtocol.BaseSize];
        if (packet->LengthWithoutOuterTag < NshProtocol.BaseSize)
        {
            return Errno.NoMemory;
        }

        ReadFront(packet, header);
        int size = (header[1] & 0x3f) << 2;
        if (size < NshProtocol.BaseSize)
        {
            return Errno.InvalidArgument;
        }

        ushort protocol = NshProtocol.ToEtherType(header[3]);
        if (packet->LengthWithoutOuterTag < size)
        {
            return Errno.NoMemory;
        }

        if (protocol == 0)
        {
            return Errno.AddressFamilyNotSupported;
        }

        RemoveBehindTag(packet, 0, size);
        EndAtFront(packet, ref key, protocol == TransparentEthernet, new Be16(protocol));
        return Errno.None;
    }

    /// <summary>Pushes a label behind <paramref name="linkLayer"/> bytes; with none of them, the Ethernet header becomes payload.</summary>
    private static Errno PushLabel(Packet* packet, ref FlowKey key, int linkLayer, uint label, ushort etherType)
    {
        if (!TryInsertBehindTag(packet, linkLayer, LabelSize))
        {
            return Errno.NoMemory;
        }

        int outside = packet->HasOuterTag ? EthernetLayout.TagSize : 0;
        packet->NetworkOffset = (ushort)(linkLayer + outside);
        WriteAt(packet, linkLayer, label);
        if (linkLayer >= EthernetLayout.HeaderSize)
        {
            WriteAt(packet, EthernetLayout.AddressesSize, etherType);
        }
        else if (linkLayer == 0)
        {
            packet->HasEthernet = false;
            key.MacProtocol = 0;
        }

        MarkStale(packet, Be16.FromRaw(etherType));
        return Errno.None;
    }

    private static void EndAtFront(Packet* packet, ref FlowKey key, bool hasEthernet, Be16 protocol)
    {
        packet->NetworkOffset = (ushort)(packet->HasOuterTag ? EthernetLayout.TagSize : 0);
        packet->HasEthernet = hasEthernet;
        key.MacProtocol = hasEthernet ? (byte)1 : (byte)0;
        MarkStale(packet, protocol);
    }

    private static void MarkStale(Packet* packet, Be16 protocol)
    {
        packet->IsKeyStale = true;
        packet->Protocol = protocol;
    }

    private static bool IsVlan(Be16 etherType) => etherType.Value is 0x8100 or 0x88a8;

    // vlan_set_encap_proto: what a tag encloses, by the type behind it or, if that is a length, by the two bytes that follow.
    private static Be16 TypeBehindTag(Packet* packet)
    {
        ReadOnlySpan<byte> type = packet->Bytes[(EthernetLayout.TaggedHeaderSize - sizeof(ushort))..];
        if (BinaryPrimitives.ReadUInt16BigEndian(type) >= FirstEtherType)
        {
            return MemoryMarshal.Read<Be16>(type);
        }

        return new Be16(type.Length >= 4 && type[2] == 0xff && type[3] == 0xff ? RawIpx : Llc);
    }

    /// <summary>Makes room for <paramref name="count"/> bytes at <paramref name="at"/>; what stands before moves to the front.</summary>
    private static bool TryInsert(Packet* packet, int at, int count)
    {
        // What pop_mpls or pop_nsh says is an Ethernet header may be shorter than one.
        if (packet->Length < at || !TryReserveHeadroom(packet, count) || !packet->TryPush(count))
        {
            return false;
        }

        Span<byte> bytes = packet->Bytes;
        bytes.Slice(count, at).CopyTo(bytes);
        ShiftHeaders(packet, count);
        return true;
    }

    private static void Remove(Packet* packet, int at, int count)
    {
        Span<byte> bytes = packet->Bytes;
        bytes[..at].CopyTo(bytes[count..]);
        packet->Pull(count);
        ShiftHeaders(packet, -count);
    }

    /// <summary><see cref="TryInsert"/> at an offset that does not count the outer tag, which keeps its place behind the first 12 bytes.</summary>
    private static bool TryInsertBehindTag(Packet* packet, int at, int count)
    {
        if (!packet->HasOuterTag)
        {
            return TryInsert(packet, at, count);
        }

        uint tag = DetachTag(packet);
        bool fits = TryInsert(packet, at, count);
        AttachTag(packet, tag);
        return fits;
    }

    private static void RemoveBehindTag(Packet* packet, int at, int count)
    {
        if (!packet->HasOuterTag)
        {
            Remove(packet, at, count);
            return;
        }

        uint tag = DetachTag(packet);
        Remove(packet, at, count);
        AttachTag(packet, tag);
    }

    private static uint DetachTag(Packet* packet)
    {
        uint tag = MemoryMarshal.Read<uint>(packet->Bytes[EthernetLayout.AddressesSize..]);
        Remove(packet, EthernetLayout.AddressesSize, EthernetLayout.TagSize);
        return tag;
    }

    // A bare packet too short to have a place for the tag loses it; no port takes such a packet.
    private static void AttachTag(Packet* packet, uint tag)
    {
        packet->HasOuterTag = packet->Length >= EthernetLayout.AddressesSize && TryInsert(packet, EthernetLayout.AddressesSize, EthernetLayout.TagSize);
        if (packet->HasOuterTag)
        {
            MemoryMarshal.Write(packet->Bytes[EthernetLayout.AddressesSize..], in tag);
        }
    }

    /// <summary>Writes a field at an offset that does not count the outer tag.</summary>
    private static void WriteAt<T>(Packet* packet, int offset, T value)
        where T : unmanaged =>
        MemoryMarshal.Write(packet->Bytes[(offset + TagBefore(packet, offset))..], in value);

    private static void WriteFront(Packet* packet, ReadOnlySpan<byte> header)
    {
        int split = TagBefore(packet, header.Length) == 0 ? header.Length : EthernetLayout.AddressesSize;
        header[..split].CopyTo(packet->Bytes);
        header[split..].CopyTo(packet->Bytes[(split + EthernetLayout.TagSize - (split == header.Length ? EthernetLayout.TagSize : 0))..]);
    }

    private static void ReadFront(Packet* packet, Span<byte> header) => packet->Bytes[..header.Length].CopyTo(header);

    private static int TagBefore(Packet* packet, int offset) =>
        packet->HasOuterTag && offset >= EthernetLayout.AddressesSize ? EthernetLayout.TagSize : 0;

    // A header that an offset pointed to may be gone; then there is none.
    private static void ShiftHeaders(Packet* packet, int count)
    {
        packet->NetworkOffset = (ushort)Math.Max(packet->NetworkOffset + count, 0);
        int transport = packet->TransportOffset + count;
        packet->HasTransport &= transport is >= 0 and <= ushort.MaxValue;
        packet->TransportOffset = (ushort)Math.Clamp(transport, 0, ushort.MaxValue);
        packet->Offload.Shift(count);
    }

    /// <summary>Moves the data towards the end of its frame when the headroom is too small (skb_cow_head).</summary>
    private static bool TryReserveHeadroom(Packet* packet, int count)
    {
        int missing = count - packet->AvailableHeadroom;
        if (missing <= 0)
        {
            return true;
        }

        if (missing > packet->AvailableTailroom)
        {
            return false;
        }

        int offset = packet->DataOffset, length = packet->Length;
        packet->SetData(offset, length + missing);
        Span<byte> bytes = packet->Bytes;
        bytes[..length].CopyTo(bytes[missing..]);
        packet->SetData(offset + missing, length);
        return true;
    }
}
