using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Packets;

/// <summary>Finishes the checksum that a packet's source left to its sink, in software.</summary>
public static class ChecksumOffload
{
    /// <summary>VIRTIO_NET_HDR_F_NEEDS_CSUM: the checksum field holds the sum of the pseudo-header only.</summary>
    public const byte NeedsChecksum = 1;

    /// <summary>Finishes the checksum, if it is to be finished. The packet must not be one that waits for segmentation.</summary>
    /// <returns>False, with the packet unchanged, when the field lies outside of the packet.</returns>
    public static bool TryFinish(ref Packet packet)
    {
        ref PacketOffload offload = ref packet.Offload;
        if ((offload.Flags & NeedsChecksum) == 0)
        {
            return true;
        }

        Invariant.Assert(offload.GsoType == 0);
        Span<byte> bytes = packet.Bytes;
        int start = offload.ChecksumStart, field = start + offload.ChecksumOffset;
        if (field + sizeof(ushort) > bytes.Length)
        {
            return false;
        }

        // The field takes part in the sum with what the source put there. RFC 768: zero would mean no checksum; for the other
        // protocols 0xffff is the same number.
        ushort sum = (ushort)~OnesComplement.Fold(OnesComplement.Sum(bytes[start..]));
        MemoryMarshal.Write(bytes[field..], sum == 0 ? (ushort)0xffff : sum);
        offload = default;
        return true;
    }
}
