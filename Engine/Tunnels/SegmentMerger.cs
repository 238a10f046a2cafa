using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>Makes one super-frame of TCP segments that follow each other in a batch, as the kernel's GRO does: one look-up and one frame out for all of them.</summary>
/// <remarks>
/// <para>Nothing is merged that <see cref="SegmentationOffload"/> would not cut into the same bytes again, which is stricter than the kernel: its IPv4
/// identifications must count up, PSH is the last segment's only. A segment is never put before another packet of its connection.</para>
/// <para>Threads: one.</para>
/// </remarks>
internal sealed unsafe class SegmentMerger
{
    // Connections at once, as in a bucket of the kernel's (MAX_GRO_SKBS).
    private const int Capacity = 8;

    private const int LongestPacket = ushort.MaxValue;

    private readonly Held[] _held = new Held[Capacity];
    private int _count;
    private TcpSegment _next;

    /// <summary>Whether there is something that a frame could overtake.</summary>
    public bool IsHolding => _count != 0;

    /// <summary>Whether a frame must be shown to <see cref="TryMerge"/>: it is TCP, or it could overtake some.</summary>
    public bool IsConcerned(ReadOnlySpan<byte> frame) => IsHolding || TcpSegment.IsLikely(frame);

    /// <summary>Puts a frame's payload behind that of a packet of the batch which it continues.</summary>
    /// <param name="pool">Where the packets are of.</param>
    /// <param name="batch">The packets since <see cref="Finish"/>.</param>
    /// <param name="keys">Their keys, that of the frame behind them; of each the tunnel is there.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="canLead">Whether others may follow it: if it is not merged, <see cref="Hold"/> is to be called once it is in the batch.</param>
    /// <returns>Whether it was. If not, it is to become the batch's next packet.</returns>
    public bool TryMerge(PacketPool pool, ref PacketBatch batch, Span<FlowKey> keys, ReadOnlySpan<byte> frame, out bool canLead)
    {
        canLead = false;
        if (!TcpSegment.TryRead(frame, out TcpSegment next))
        {
            // Fragments, options, other protocols: what connection they are of is not asked.
            Finish(ref batch);
            return false;
        }

        for (int i = 0; i < _count; i++)
        {
            ref Held held = ref _held[i];
            Span<byte> head = batch[held.Index].Bytes;
            if (held.Segment.HasConnectionOf(head, frame, in next))
            {
                // By another tunnel it may be another connection, or this one with another mark of congestion, which must not be overtaken.
                bool isSameTunnel = keys[held.Index].HasTunnelOf(in keys[batch.Count]);
                if (isSameTunnel && IsContinued(ref held, head, frame, in next) && TryAppend(pool, ref batch, ref held, frame[next.Payload..]))
                {
                    held.LastFlags |= next.Flags;
                    if (next.Length < held.Segment.Length || !next.CanLead)
                    {
                        Close(ref batch, i);
                    }

                    return true;
                }

                Close(ref batch, i);
                break;
            }
        }

        canLead = next.CanLead;
        _next = next;
        return false;
    }

    /// <summary>Lets others be merged into the last packet of the batch, which the last call of <see cref="TryMerge"/> was about.</summary>
    public void Hold(ref PacketBatch batch)
    {
        int index = batch.Count - 1;
        if (!batch[index].Offload.IsComplete)
        {
            return;
        }

        if (_count == Capacity)
        {
            Close(ref batch, 0);
        }

        _held[_count++] = new Held { Index = index, Segment = _next, NextSequence = _next.Sequence + (uint)_next.Length };
    }

    /// <summary>Completes what was merged: nothing is put behind the packets of the batch any more.</summary>
    public void Finish(ref PacketBatch batch)
    {
        while (_count != 0)
        {
            Close(ref batch, _count - 1);
        }
    }

    private static bool IsContinued(ref Held held, ReadOnlySpan<byte> head, ReadOnlySpan<byte> frame, in TcpSegment next)
    {
        ref readonly TcpSegment first = ref held.Segment;
        return next.Sequence == held.NextSequence
            && next.Length != 0
            && next.Length <= first.Length
            && head.Length - TcpSegment.Network + next.Length <= LongestPacket
            && (first.IsIpv6 || next.Identification == (ushort)(first.Identification + held.Followers + 1))
            && first.HasHeadersOf(head, frame, in next)
            && next.HasRightChecksums(frame)
            && (held.Followers != 0 || first.HasRightChecksums(head));
    }

    private static bool TryAppend(PacketPool pool, ref PacketBatch batch, ref Held held, ReadOnlySpan<byte> payload)
    {
        Packet* packet = batch.Pointer(held.Index);
        if (packet->AvailableTailroom < payload.Length)
        {
            Packet* larger = pool.TryAllocate(PacketPool.MaximumPacketLength);
            if (larger == null)
            {
                return false;
            }

            larger->SetData(Packet.DefaultDataOffset, packet->Length);
            packet->Bytes.CopyTo(larger->Bytes);
            batch.Replace(held.Index, larger);
            pool.Free(packet);
            packet = larger;
        }

        int length = packet->Length;
        packet->SetData(packet->DataOffset, length + payload.Length);
        payload.CopyTo(packet->Bytes[length..]);
        held.Followers++;
        held.NextSequence += (uint)payload.Length;
        return true;
    }

    // Takes one off the list, and writes its headers if anything was put behind it.
    private void Close(ref PacketBatch batch, int index)
    {
        Held held = _held[index];
        _held[index] = _held[--_count];
        if (held.Followers != 0)
        {
            Complete(ref batch[held.Index], in held);
        }
    }

    // A packet whose checksum and segmentation are left to its sink, as the kernel has them from its own GRO (tcp_gro_complete).
    private static void Complete(ref Packet packet, in Held held)
    {
        Span<byte> bytes = packet.Bytes;
        ref readonly TcpSegment segment = ref held.Segment;
        if (segment.IsIpv6)
        {
            MemoryMarshal.AsRef<Ipv6Header>(bytes[TcpSegment.Network..]).PayloadLength = new Be16((ushort)(bytes.Length - segment.Transport));
        }
        else
        {
            ref Ipv4Header ip = ref MemoryMarshal.AsRef<Ipv4Header>(bytes[TcpSegment.Network..]);
            ip.TotalLength = new Be16((ushort)(bytes.Length - TcpSegment.Network));
            ip.Checksum = default;
            ip.Checksum = InternetChecksum.Compute(bytes[TcpSegment.Network..segment.Transport]);
        }

        ref TcpHeader tcp = ref MemoryMarshal.AsRef<TcpHeader>(bytes[segment.Transport..]);
        tcp.Flags |= (ushort)(held.LastFlags & (TcpSegment.Fin | TcpSegment.Push));
        tcp.Checksum = Be16.FromRaw(OnesComplement.Fold(segment.PseudoHeader(bytes)));
        packet.Offload = new PacketOffload
        {
            Flags = ChecksumOffload.NeedsChecksum,
            GsoType = segment.IsIpv6 ? PacketOffload.GsoTcpIpv6 : PacketOffload.GsoTcpIpv4,
            HeaderLength = (ushort)segment.Payload,
            SegmentSize = (ushort)segment.Length,
            ChecksumStart = (ushort)segment.Transport,
            ChecksumOffset = TcpSegment.ChecksumOffset,
        };
    }

    /// <summary>A packet of the batch that others may be merged into.</summary>
    private struct Held
    {
        public int Index;

        /// <summary>As the packet came.</summary>
        public TcpSegment Segment;

        public uint NextSequence;

        /// <summary>Segments that were merged into it.</summary>
        public int Followers;

        public byte LastFlags;
    }
}
