using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>A worker's memory of which flow packets of a key hash matched last, ahead of the subtables.</summary>
/// <remarks>
/// <para>Eight ways, a cache line for each set. An entry is only a hint: a hit is checked against the flow's own masked key, so nothing
/// has to be flushed when flows come and go, and packets that differ in bits no flow looks at share an entry.</para>
/// <para>It starts small, so that few flows take few lines, and doubles while entries push each other out.</para>
/// <para>Threads: one worker, between <see cref="QuiescentState.Enter"/> and <see cref="QuiescentState.Leave"/>.</para>
/// </remarks>
internal sealed unsafe class FlowCache
{
    private const int Ways = 8;
    private const int FewestSets = 2;
    private const int FirstSets = 1 << 9;

    // When the cache can grow no more, a full set takes one new flow in so many: packets that never come again do not wash it out.
    private const uint RareReplacement = 8;

    // What tells connections apart. Fields that vary within one (TTL, TOS, TCP flags) are left out; they are still compared.
    private static readonly FlowMask _signature = MakeSignature();

    // Its core where a cache line begins, at an address that the compiler knows.
    private static readonly MaskRecord* s_signatureCore = _signature.Record;

    private readonly FlowRecords _records;
    private readonly int _mostSets;
    private HugeMemory _memory;
    private Set* _sets;
    private int _shift;
    private int _setCount;
    private int _pushedOut;
    private uint _turn;

    // As an entry, a hint: records stay where they are.
    private FlowRecord* _last;

    /// <param name="records">What entries lead to.</param>
    /// <param name="entries">At most so many, rounded up to a power of two of at least 16; each takes 8 bytes.</param>
    public FlowCache(FlowRecords records, int entries)
    {
        _records = records;
        _mostSets = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(FewestSets, entries / Ways));
        _memory = Allocate(Math.Min(FirstSets, _mostSets));
    }

    /// <summary>The hash by which packets of one connection are remembered.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Hash(in FlowKey key) =>
        key.Segments == FlowKeySegments.None ? (uint)FlowKey.MaskedHashCore(in key, in s_signatureCore->CoreAsKey)
        : key.Segments == FlowKeySegments.Tunnel ? HashTunneled(in key)
        : HashWhole(in key);

    /// <summary>Hashes the keys of a batch, and asks for the sets where they would be remembered.</summary>
    public void Hash(FlowKey* keys, uint* hashes, int start, int count)
    {
        Set* sets = _sets;
        int shift = _shift;
        FlowKey* key = keys + start;
        for (int i = start; i < count; i++)
        {
            uint hash = Hash(in *key++);
            hashes[i] = hash;
            Prefetch.Line(sets + (hash >> shift));
        }
    }

    /// <summary>Finds flows for a batch: all entries first, then all flows, so that waiting for memory overlaps.</summary>
    /// <param name="keys">The keys of the packets.</param>
    /// <param name="hashes">Their hashes.</param>
    /// <param name="found">Gets the record of each packet, null where the cache knows none.</param>
    /// <param name="start">The first packet without a flow.</param>
    /// <param name="count">Packets.</param>
    /// <returns>Bit i is set when packet i has none.</returns>
    public uint Find(FlowKey* keys, uint* hashes, FlowRecord** found, int start, int count)
    {
        ReadSets(hashes, found, start, count);
        uint missing = Compare(keys, found, start, count);
        _last = found[count - 1];
        return missing;
    }

    /// <summary>Finds the packets at the start of a batch that are of the flow with which the batch before ended: neither hash nor set is needed.</summary>
    /// <param name="keys">The keys of the packets.</param>
    /// <param name="found">Gets the record of each of them.</param>
    /// <param name="count">Packets.</param>
    /// <returns>How many there are.</returns>
    public int FindRun(FlowKey* keys, FlowRecord** found, int count)
    {
        FlowRecord* record = _last;
        int i = 0;
        MaskRecord* mask = record == null ? null : record->Mask;
        if (mask != null)
        {
            for (; i < count && record->Matches(in keys[i], mask); i++)
            {
                found[i] = record;
            }
        }

        return i;
    }

    /// <summary>Finds a flow that matches the key; null if none is known.</summary>
    public FlowRecord* Find(in FlowKey key, uint hash)
    {
        FlowRecord* record = Candidate(_sets, _shift, _records, hash);
        return record != null && IsMatch(record, in key) ? record : null;
    }

    /// <summary>Remembers a flow.</summary>
    public void Insert(uint hash, int index)
    {
        Set* set = _sets + (hash >> _shift);
        uint tag = TagOf(hash);
        uint places = Find(set, tag) | Find(set, 0);
        if (places == 0)
        {
            _turn++;
            if (++_pushedOut > _setCount && _setCount < _mostSets)
            {
                Grow();
                Insert(hash, index);
                return;
            }

            if (_setCount == _mostSets && _turn % RareReplacement != 0)
            {
                return;
            }

            places = 1u << (int)(_turn / RareReplacement % Ways);
        }

        int place = BitOperations.TrailingZeroCount(places);
        set->Tags[place] = tag;
        set->Indices[place] = index;
    }

    // Loops over a batch are methods of their own: inlined into one, they would share too few registers and spill.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadSets(uint* hashes, FlowRecord** found, int start, int count)
    {
        Set* sets = _sets;
        int shift = _shift;
        FlowRecords records = _records;
        for (int i = start; i < count; i++)
        {
            FlowRecord* record = Candidate(sets, shift, records, hashes[i]);
            Prefetch.Line(record);
            Prefetch.Line((byte*)record + 64);
            found[i] = record;
        }
    }

    // Takes out of found what does not match. Bit i of the result is set when packet i has none.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static uint Compare(FlowKey* keys, FlowRecord** found, int start, int count)
    {
        uint missing = 0;
        FlowKey* key = keys + start;
        for (int i = start; i < count; i++, key++)
        {
            FlowRecord* record = found[i];
            if (record == null || !IsMatch(record, in *key))
            {
                found[i] = null;
                missing |= 1u << i;
            }
        }

        return missing;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static uint HashWhole(in FlowKey key) => _signature.Hash(in key);

    private static FlowMask MakeSignature()
    {
        FlowKey bits = default;
        bits.InPort = uint.MaxValue;
        bits.RecirculationId = uint.MaxValue;
        bits.DatapathHash = uint.MaxValue;
        bits.EthernetDestination = EthernetAddress.Broadcast;
        bits.EthernetSource = EthernetAddress.Broadcast;
        bits.EtherType = ushort.MaxValue;
        bits.VlanTci = ushort.MaxValue;
        bits.InnerVlanTci = ushort.MaxValue;
        bits.ConntrackState = byte.MaxValue;
        bits.ConntrackZone = ushort.MaxValue;
        bits.Ipv4Source = uint.MaxValue;
        bits.Ipv4Destination = uint.MaxValue;
        bits.IpProtocol = byte.MaxValue;
        bits.IpFragment = byte.MaxValue;
        bits.TransportSource = ushort.MaxValue;
        bits.TransportDestination = ushort.MaxValue;
        bits.Ipv6Source = Ipv6Address.AllOnes;
        bits.Ipv6Destination = Ipv6Address.AllOnes;
        bits.MplsLabel0 = uint.MaxValue;
        bits.ConntrackMark = uint.MaxValue;
        bits.TunnelId = ulong.MaxValue;
        bits.TunnelIpv4Source = uint.MaxValue;
        bits.TunnelIpv4Destination = uint.MaxValue;
        bits.TunnelIpv6Source = Ipv6Address.AllOnes;
        return new FlowMask(in bits);
    }

    // Of most packets that came by a tunnel: the core and what the signature has of the tunnel, mixed at once (TunnelBench).
    private static uint HashTunneled(in FlowKey key)
    {
        const ulong Odd = 0x9e37_79b9_7f4a_7c15;
        ref readonly ulong source = ref Unaligned.ReinterpretReadOnly<Ipv6Address, ulong>(in key.TunnelIpv6Source);
        ulong tunnel = key.TunnelId.Raw ^ key.TunnelIpv4Source.Raw ^ ((ulong)key.TunnelIpv4Destination.Raw << 16) ^ source ^ BitOperations.RotateLeft(Unsafe.Add(ref Unsafe.AsRef(in source), 1), 24);
        ulong sum = FlowKey.MaskedHashCore(in key, in _signature.Bits) ^ (tunnel * Odd);
        return (uint)(sum ^ (sum >> 32));
    }

    // 0 is the tag of an entry without a flow. The highest bits choose the set.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint TagOf(uint hash) => hash | 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsMatch(FlowRecord* record, in FlowKey key)
    {
        MaskRecord* mask = record->Mask;
        return mask != null && record->Matches(in key, mask);
    }

    // The record remembered for a hash; whether it matches is not known yet.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static FlowRecord* Candidate(Set* sets, int shift, FlowRecords records, uint hash)
    {
        // In bounds: the shift leaves as many bits as there are sets.
        Set* set = sets + (hash >> shift);
        uint places = Find(set, TagOf(hash));
        return places == 0 ? null : records[set->Indices[BitOperations.TrailingZeroCount(places)]];
    }

    // Bit i is set when entry i of a set has the tag.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Find(Set* set, uint tag) => Vector256.Equals(Vector256.Load(set->Tags), Vector256.Create(tag)).ExtractMostSignificantBits();

    private HugeMemory Allocate(int sets)
    {
        HugeMemory memory = new((long)sets * sizeof(Set));
        new Span<byte>(memory.Start, sets * sizeof(Set)).Clear();
        _sets = (Set*)memory.Start;
        _setCount = sets;
        _shift = 32 - BitOperations.Log2((uint)sets);
        _pushedOut = 0;
        return memory;
    }

    // Every set becomes two; the tags tell which entry goes where.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow()
    {
        HugeMemory old = _memory;
        Set* sets = _sets;
        int count = _setCount;
        _memory = Allocate(count * 2);
        for (int i = 0; i < count * Ways; i++)
        {
            uint tag = sets[i / Ways].Tags[i % Ways];
            if (tag != 0)
            {
                Insert(tag, sets[i / Ways].Indices[i % Ways]);
            }
        }

        GC.KeepAlive(old);
    }

    /// <summary>One cache line.</summary>
    private struct Set
    {
        public fixed uint Tags[Ways];
        public fixed int Indices[Ways];
    }
}
