using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Flows;

/// <summary>Key and mask of a flow as netlink attributes, written once for all flows of the same mask whose keys have the same attributes.</summary>
/// <remarks>
/// <para>Which attributes a key has follows from a few of its fields (types, protocols, tags, what is tunnelled): these have to be equal. Addresses, ports and the
/// like are only carried. Where each of their bytes goes is not declared a second time but found: a key whose carried bytes are marks is written by
/// <see cref="FlowKey.WriteNetlink(in FlowKey, ref NetlinkWriter)"/> and looked at. For another flow the bytes are then copied, some ten moves.</para>
/// <para>The masked key is written, as flows with a UFID show it.</para>
/// <para>The methods that run for each flow of a dump are compiled in full at once: dumps are rare, and the first one has as much to do as all others.</para>
/// <para>Threads: the control thread.</para>
/// </remarks>
internal sealed unsafe class FlowTemplate
{
    // A key or mask at its longest (see FlowKey.WriteNetlink).
    private const int Longest = 1024;

    // This bit is left alone in marks: in a tag it says that there is one.
    private const byte KeptBit = 0x10;
    private const int MostMarks = 127;

    private const int CoreSize = FlowMask.CoreWords * sizeof(ulong);

    private static readonly FlowKey Carried = new()
    {
        InPort = uint.MaxValue,
        RecirculationId = uint.MaxValue,
        DatapathHash = uint.MaxValue,
        SkbMark = uint.MaxValue,
        SkbPriority = uint.MaxValue,
        EthernetDestination = EthernetAddress.Broadcast,
        EthernetSource = EthernetAddress.Broadcast,
        VlanTci = 0xefff,
        InnerVlanTci = 0xefff,
        ConntrackZone = ushort.MaxValue,
        ConntrackMark = uint.MaxValue,
        ConntrackLabels = Ipv6Address.AllOnes,
        Ipv4Source = uint.MaxValue,
        Ipv4Destination = uint.MaxValue,
        IpTos = byte.MaxValue,
        IpTtl = byte.MaxValue,
        TransportSource = ushort.MaxValue,
        TransportDestination = ushort.MaxValue,
        TcpFlags = ushort.MaxValue,
        Ipv6Source = Ipv6Address.AllOnes,
        Ipv6Destination = Ipv6Address.AllOnes,
        Ipv6Label = uint.MaxValue,
        ArpSenderHardware = EthernetAddress.Broadcast,
        ArpTargetHardware = EthernetAddress.Broadcast,
        MplsLabel0 = uint.MaxValue,
        MplsLabel1 = uint.MaxValue,
        MplsLabel2 = uint.MaxValue,
        NdTarget = Ipv6Address.AllOnes,
        NdSourceLinkLayer = EthernetAddress.Broadcast,
        NdTargetLinkLayer = EthernetAddress.Broadcast,
    };

    private readonly FlowMask _mask;

    // The bits that have to be equal, and how they are.
    private readonly FlowKey _telling;
    private readonly FlowKey _told;
    private readonly ulong[] _tailTelling;
    private readonly ulong[] _tailTold;
    private readonly byte[] _key;
    private readonly byte[] _bits;

    // From core and tail of a record into the key's attributes.
    private readonly Move[] _coreMoves;
    private readonly Move[] _tailMoves;

    private FlowTemplate(FlowMask mask, in FlowKey telling, in FlowKey told, byte[] key, byte[] bits, Move[] coreMoves, Move[] tailMoves)
    {
        _mask = mask;
        _telling = telling;
        _told = told;
        _tailTelling = new ulong[mask.TailLength];
        mask.CopyTail(in telling, _tailTelling);
        _tailTold = new ulong[mask.TailLength];
        mask.CopyTail(in told, _tailTold);
        _key = key;
        _bits = bits;
        _coreMoves = coreMoves;
        _tailMoves = tailMoves;
    }

    /// <summary>Bytes of the key's attributes.</summary>
    public int KeyLength => _key.Length;

    /// <summary>The mask's attributes: the same for all flows.</summary>
    public byte[] Bits => _bits;

    /// <summary>The next one in a list, or null.</summary>
    public FlowTemplate? Next { get; set; }

    /// <summary>Makes one from a flow.</summary>
    /// <returns>Null when the key is not carried byte by byte.</returns>
    public static FlowTemplate? TryCreate(Flow flow)
    {
        flow.CopyKey(out FlowKey key);
        FlowKey telling = Carried;
        if (key.IpProtocol == IpProtocols.Icmpv6)
        {
            // Says whether there is neighbour discovery.
            telling.TransportSource = 0;
        }

        if (key.InPort == FlowKey.NoInPort)
        {
            telling.InPort = 0;
        }

        if (key.VlanTci.Raw == 0)
        {
            telling.VlanTci = 0;
        }

        if (key.InnerVlanTci.Raw == 0)
        {
            telling.InnerVlanTci = 0;
        }

        Span<ulong> words = FlowMask.MutableWords(ref telling);
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = ~words[i];
        }

        telling.Segments = telling.FindSegments();

        Span<byte> attributes = stackalloc byte[Longest];
        Span<byte> marked = stackalloc byte[Longest];
        Span<byte> inverted = stackalloc byte[Longest];
        Span<ushort> places = stackalloc ushort[MostMarks + 1];
        if (!TryMark(in key, flow.Mask, in telling, out FlowKey marks, out FlowKey inverse, places, out int count))
        {
            return null;
        }

        int length = Write(in key, attributes);
        if (length < 0 || Write(in marks, marked) != length || Write(in inverse, inverted) != length)
        {
            return null;
        }

        List<Move> core = [];
        List<Move> tail = [];
        for (int to = 0; to < length; to++)
        {
            if (marked[to] == inverted[to])
            {
                // The same for all.
                if (marked[to] != attributes[to])
                {
                    return null;
                }

                continue;
            }

            int number = NumberOf(marked[to]);
            if (number < 1 || number > count || inverted[to] != InverseOf(marked[to]))
            {
                return null;
            }

            int from = places[number];
            if (from < CoreSize)
            {
                Add(core, from, to);
            }
            else
            {
                Add(tail, TailOffset(flow.Mask, from), to);
            }
        }

        NetlinkWriter bits = new(inverted);
        FlowKey.WriteNetlinkMask(in key, in flow.Mask.Bits, ref bits);
        FlowKey.MaskedCopy(in key, in telling, out FlowKey told);
        return bits.Overflowed
            ? null
            : new FlowTemplate(flow.Mask, in telling, in told, attributes[..length].ToArray(), bits.Written.ToArray(), [.. core.SelectMany(static move => move.Split())], [.. tail.SelectMany(static move => move.Split())]);
    }

    /// <summary>Whether a flow is written like this.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Fits(Flow flow)
    {
        FlowRecord* record = flow.Record;

        // A key without a port has told so; one that has must not come to lack it.
        ref FlowKey core = ref record->CoreAsKey;
        return flow.Mask == _mask && FlowKey.MaskedEqualsCore(in core, in _telling, in _told)
            && (core.InPort != FlowKey.NoInPort || _told.InPort == FlowKey.NoInPort)
            && (_tailTold.Length == 0 || TailFits(record->Tail));
    }

    /// <summary>Writes the key's attributes of a flow that fits.</summary>
    /// <param name="flow">The flow, in its table.</param>
    /// <param name="to"><see cref="KeyLength"/> bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteKey(Flow flow, Span<byte> to)
    {
        FlowRecord* record = flow.Record;
        _key.CopyTo(to);

        // In bounds: moves end within the attributes from which they were made, and within core and tail of a record of this mask.
        ref byte attributes = ref MemoryMarshal.GetReference(to);
        Carry(_coreMoves, ref *(byte*)record, ref attributes);
        if (_tailMoves.Length != 0)
        {
            Carry(_tailMoves, ref *(byte*)record->Tail, ref attributes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Carry(Move[] moves, ref byte source, ref byte destination)
    {
        foreach (Move move in moves)
        {
            switch (move.Size)
            {
                case 8:
                    Unaligned.Store(ref destination, move.To, Unaligned.Load<ulong>(ref source, move.From));
                    break;
                case 4:
                    Unaligned.Store(ref destination, move.To, Unaligned.Load<uint>(ref source, move.From));
                    break;
                case 2:
                    Unaligned.Store(ref destination, move.To, Unaligned.Load<ushort>(ref source, move.From));
                    break;
                default:
                    Unaligned.Store(ref destination, move.To, Unaligned.Load<byte>(ref source, move.From));
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TailFits(ulong* tail)
    {
        ulong difference = 0;
        for (int i = 0; i < _tailTold.Length; i++)
        {
            difference |= (tail[i] & _tailTelling[i]) ^ _tailTold[i];
        }

        return difference == 0;
    }

    private static int Write(in FlowKey key, Span<byte> to)
    {
        NetlinkWriter writer = new(to);
        FlowKey.WriteNetlink(in key, ref writer);
        return writer.Overflowed ? -1 : writer.Length;
    }

    // Puts a mark of its own into every byte that is carried and that the mask has.
    private static bool TryMark(in FlowKey key, FlowMask mask, in FlowKey telling, out FlowKey marks, out FlowKey inverse, Span<ushort> places, out int count)
    {
        marks = key;
        inverse = key;
        count = 0;
        Span<byte> marked = MemoryMarshal.AsBytes(FlowMask.MutableWords(ref marks));
        Span<byte> inverted = MemoryMarshal.AsBytes(FlowMask.MutableWords(ref inverse));
        ReadOnlySpan<byte> bits = MemoryMarshal.AsBytes(FlowMask.Words(in mask.Bits));
        ReadOnlySpan<byte> told = MemoryMarshal.AsBytes(FlowMask.Words(in telling));
        for (int i = 0; i < bits.Length; i++)
        {
            if (bits[i] == 0 || (told[i] & ~KeptBit) != 0)
            {
                continue;
            }

            if (++count > MostMarks)
            {
                return false;
            }

            places[count] = (ushort)i;
            byte kept = told[i] != 0 ? (byte)(marked[i] & KeptBit) : KeptBit;
            marked[i] = (byte)(MarkOf(count) | kept);
            inverted[i] = (byte)(InverseOf(MarkOf(count)) | kept);
        }

        return true;
    }

    private static byte MarkOf(int number) => (byte)((number & 0x70) << 1 | (number & 0x0f));

    private static int NumberOf(byte mark) => (mark >> 1 & 0x70) | (mark & 0x0f);

    private static byte InverseOf(byte mark) => (byte)(mark ^ ~KeptBit);

    private static int TailOffset(FlowMask mask, int from)
    {
        int offset = from % sizeof(ulong);
        foreach ((int word, _) in mask.TailWords())
        {
            if (word == from / sizeof(ulong))
            {
                return offset;
            }

            offset += sizeof(ulong);
        }

        return offset;
    }

    private static void Add(List<Move> moves, int from, int to)
    {
        if (moves.Count != 0 && moves[^1] is var last && last.From + last.Size == from && last.To + last.Size == to)
        {
            moves[^1] = last with { Size = (ushort)(last.Size + 1) };
        }
        else
        {
            moves.Add(new Move((ushort)from, (ushort)to, 1));
        }
    }

    /// <summary>Bytes that are carried: from where in a record, where to in the attributes, how many.</summary>
    private readonly record struct Move(ushort From, ushort To, ushort Size)
    {
        /// <summary>The same in pieces of 8, 4, 2 and 1 bytes.</summary>
        public IEnumerable<Move> Split()
        {
            ushort done = 0;
            while (done < Size)
            {
                int left = Size - done;
                ushort size = (ushort)(left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1);
                yield return new Move((ushort)(From + done), (ushort)(To + done), size);
                done += size;
            }
        }
    }
}
