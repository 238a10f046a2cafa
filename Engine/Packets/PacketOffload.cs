using System.Runtime.InteropServices;

namespace Engine.Packets;

/// <summary>What a source left undone for the sink: a partial checksum, a segmentation (linux/virtio_net.h, struct virtio_net_hdr). 12 bytes.</summary>
/// <remarks>All zero: the packet is complete. Offsets are from the start of the data.</remarks>
[StructLayout(LayoutKind.Sequential)]
public struct PacketOffload
{
    /// <summary>VIRTIO_NET_HDR_GSO_*, as <see cref="GsoType"/> has them: TCP, UDP to be cut into IP fragments, UDP to be cut into datagrams, and the bit for TCP with ECN.</summary>
    internal const byte GsoTcpIpv4 = 1, GsoUdpFragments = 3, GsoTcpIpv6 = 4, GsoUdp = 5, GsoEcn = 0x80;

    /// <summary>VIRTIO_NET_HDR_F_*: 1 needs a checksum, 2 the checksum was verified.</summary>
    public byte Flags;

    /// <summary>VIRTIO_NET_HDR_GSO_*: 0 none, 1 TCPv4, 3 UDP in fragments, 4 TCPv6, 5 UDP in datagrams; 0x80 added for ECN.</summary>
    public byte GsoType;

    /// <summary>Bytes of headers in front of each segment.</summary>
    public ushort HeaderLength;

    /// <summary>Bytes of payload in each segment.</summary>
    public ushort SegmentSize;

    /// <summary>Where the checksum starts to count.</summary>
    public ushort ChecksumStart;

    /// <summary>Where it is stored, from <see cref="ChecksumStart"/>.</summary>
    public ushort ChecksumOffset;

    /// <summary>Whether nothing is left to the sink: neither a checksum nor a segmentation.</summary>
    internal readonly bool IsComplete => (GsoType | (Flags & ChecksumOffload.NeedsChecksum)) == 0;

    /// <summary>Headers were put before the place where the checksum starts, or taken away. Once that place is gone, nothing is left to the sink.</summary>
    /// <param name="count">Bytes; less than 0 for what was taken.</param>
    internal void Shift(int count)
    {
        if ((Flags | GsoType) == 0)
        {
            return;
        }

        int start = ChecksumStart + count;
        if (start is < 0 or > ushort.MaxValue)
        {
            this = default;
            return;
        }

        ChecksumStart = (ushort)start;
        HeaderLength = (ushort)Math.Clamp(HeaderLength + count, 0, ushort.MaxValue);
    }
}
