using System.Buffers.Binary;
using Engine.Packets;
using Engine.Platform;

namespace Engine.Vports;

/// <summary>The virtio_net header before a frame, from and to a packet's <see cref="PacketOffload"/>.</summary>
/// <remarks>The kernel's numbers for flags and segmentation types are the packet's.</remarks>
internal static class OffloadHeader
{
    private const int TcpChecksumOffset = 16;
    private const int TcpDataOffset = 12;
    private const int UdpHeaderLength = 8;
    private const int EthernetAddressSize = 6;
    private const int VlanTagSize = 4;

    /// <summary>Notes in the packet what its source left undone.</summary>
    /// <param name="packet">The packet, with its data.</param>
    /// <param name="header">What stood before the frame.</param>
    /// <param name="shift">Bytes put into the frame since, before the place where the checksum starts: a VLAN tag.</param>
    public static void Read(ref Packet packet, in Libc.virtio_net_hdr header, int shift)
    {
        if (header.flags == 0 && header.gso_type == 0)
        {
            return;
        }

        packet.Offload = new PacketOffload
        {
            Flags = header.flags,
            GsoType = header.gso_type,
            HeaderLength = (ushort)(header.hdr_len + shift),
            SegmentSize = header.gso_size,
            ChecksumStart = (ushort)(header.csum_start + shift),
            ChecksumOffset = header.csum_offset,
        };
    }

    /// <summary>What the kernel has to do with a packet.</summary>
    public static Libc.virtio_net_hdr Of(ref Packet packet)
    {
        ref PacketOffload offload = ref packet.Offload;
        return offload.IsComplete
            ? default
            : new Libc.virtio_net_hdr
            {
                flags = offload.Flags,
                gso_type = offload.GsoType,
                hdr_len = offload.GsoType == 0 ? (ushort)0 : (ushort)HeaderLength(ref packet),
                gso_size = offload.SegmentSize,
                csum_start = offload.ChecksumStart,
                csum_offset = offload.ChecksumOffset,
            };
    }

    /// <summary>Whether the kernel cuts a super-frame of this kind that a packet socket sends: IP behind Ethernet and VLAN tags. With MPLS labels it says ENOBUFS.</summary>
    public static bool IsCutByKernel(ref Packet packet)
    {
        ReadOnlySpan<byte> bytes = packet.Bytes;
        int at = 2 * EthernetAddressSize;
        while (at + 6 <= bytes.Length && BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]) is 0x8100 or 0x88a8)
        {
            at += VlanTagSize;
        }

        return at + 2 <= bytes.Length && BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]) is 0x0800 or 0x86dd;
    }

    // From the headers themselves: for encapsulated or linear frames the source's hint is far off, and the kernel keeps that much in one piece.
    private static int HeaderLength(ref Packet packet)
    {
        int start = packet.Offload.ChecksumStart;
        return packet.Offload.ChecksumOffset != TcpChecksumOffset ? start + UdpHeaderLength
            : start + TcpDataOffset < packet.Length ? start + ((packet.Bytes[start + TcpDataOffset] >> 4) * 4)
            : packet.Offload.HeaderLength;
    }
}
