using System.Buffers.Binary;
using Engine.Packets;
using Engine.Platform;

namespace Engine.Vports;

/// <summary>The outermost VLAN tag that the kernel has taken off a frame and tells beside it. Put back when the frame becomes a packet.</summary>
/// <param name="IsPresent">Whether there was one.</param>
/// <param name="Type">Its Ethernet type.</param>
/// <param name="Control">Priority, drop eligibility and VLAN id.</param>
internal readonly record struct StrippedTag(bool IsPresent, ushort Type, ushort Control)
{
    private const int AddressesLength = 12;
    private const int TagLength = 4;

    /// <summary>Bytes that it takes in the packet.</summary>
    public int Length => IsPresent ? TagLength : 0;

    /// <summary>Copies a frame into a packet, with the tag.</summary>
    /// <param name="pool">Where the packet is taken from.</param>
    /// <param name="frame">The frame without the tag.</param>
    /// <param name="offload">What the source left undone, told for the frame without the tag.</param>
    /// <returns>Null when no packet is free.</returns>
    public unsafe Packet* TryCopy(PacketPool pool, ReadOnlySpan<byte> frame, in Libc.virtio_net_hdr offload)
    {
        int length = frame.Length + Length;
        Packet* packet = pool.TryAllocate(length);
        if (packet == null)
        {
            return null;
        }

        packet->SetData(Packet.DefaultDataOffset, length);
        Span<byte> bytes = packet->Bytes;
        if (!IsPresent || frame.Length < AddressesLength)
        {
            frame.CopyTo(bytes);
        }
        else
        {
            frame[..AddressesLength].CopyTo(bytes);
            Write(bytes);
            frame[AddressesLength..].CopyTo(bytes[(AddressesLength + TagLength)..]);
        }

        OffloadHeader.Read(ref *packet, in offload, Length);
        return packet;
    }

    /// <summary>Puts the tag into a packet that holds the frame without it.</summary>
    public void Insert(ref Packet packet, in Libc.virtio_net_hdr offload)
    {
        if (IsPresent && packet.Length >= AddressesLength && packet.TryPush(TagLength))
        {
            Span<byte> bytes = packet.Bytes;
            bytes.Slice(TagLength, AddressesLength).CopyTo(bytes);
            Write(bytes);
        }

        OffloadHeader.Read(ref packet, in offload, Length);
    }

    private void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes[AddressesLength..], Type);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[(AddressesLength + 2)..], Control);
    }
}
