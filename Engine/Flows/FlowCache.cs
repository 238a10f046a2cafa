using System.Numerics;
using System.Runtime.CompilerServices;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>A worker's memory of which flow packets of a key hash matched last, ahead of the subtables.</summary>
/// <remarks>
/// <para>Two ways. An entry is only a hint: a hit is checked against the flow's own masked key and removal mark, so nothing
/// has to be flushed when flows come and go, and packets that differ in bits no flow looks at share an entry.</para>
/// <para>Threads: one worker.</para>
/// </remarks>
internal sealed class FlowCache
{
    // What tells connections apart. Fields that vary within one (TTL, TOS, TCP flags) are left out; they are still compared.
    private static readonly FlowMask _signature = MakeSignature();

    private readonly Entry[] _entries;

    /// <param name="entries">Rounded up to a power of two; each takes 16 bytes.</param>
    public FlowCache(int entries) => _entries = new Entry[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, entries))];

    /// <summary>The hash by which packets of one connection are remembered.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Hash(in FlowKey key) =>
        key.Segments == FlowKeySegments.None ? (uint)FlowKey.MaskedHashCore(in key, in _signature.Bits) : _signature.Hash(in key);

    /// <summary>Finds flows for a batch: all entries first, then all flows, so that waiting for memory overlaps.</summary>
    /// <param name="keys">The keys of the packets.</param>
    /// <param name="hashes">Their hashes, as given to <see cref="Insert"/>.</param>
    /// <param name="flows">Gets the flow of each packet, null where the cache knows none.</param>
    /// <returns>How many were found.</returns>
    public int Find(ReadOnlySpan<FlowKey> keys, ReadOnlySpan<uint> hashes, Span<Flow?> flows)
    {
        hashes = hashes[..keys.Length];
        flows = flows[..keys.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            flows[i] = Candidate(hashes[i]);
        }

        int found = 0;
        for (int i = 0; i < keys.Length; i++)
        {
            if (flows[i] is { } flow)
            {
                if (flow.Matches(in keys[i]) && !flow.IsRemoved)
                {
                    found++;
                }
                else
                {
                    flows[i] = null;
                }
            }
        }

        return found;
    }

    /// <summary>Finds a flow that matches the key.</summary>
    public Flow? Find(in FlowKey key, uint hash) =>
        Candidate(hash) is { } flow && flow.Matches(in key) && !flow.IsRemoved ? flow : null;

    /// <summary>Remembers a flow; of the two entries in its place the older one goes.</summary>
    public void Insert(uint hash, Flow flow)
    {
        int first = (int)(hash & (uint)(_entries.Length - 1) & ~1u);
        _entries[first + 1] = _entries[first];
        _entries[first] = new Entry { Flow = flow, Hash = hash };
    }

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
        Span<byte> ones = stackalloc byte[16];
        ones.Fill(byte.MaxValue);
        bits.Ipv6Source = new Ipv6Address(ones);
        bits.Ipv6Destination = bits.Ipv6Source;
        bits.MplsLabel0 = uint.MaxValue;
        bits.ConntrackMark = uint.MaxValue;
        bits.TunnelId = ulong.MaxValue;
        bits.TunnelIpv4Source = uint.MaxValue;
        bits.TunnelIpv4Destination = uint.MaxValue;
        bits.TunnelIpv6Source = bits.Ipv6Source;
        return new FlowMask(in bits);
    }

    // The flow remembered for a hash; whether it matches is not known yet.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Flow? Candidate(uint hash)
    {
        Entry[] entries = _entries;
        int first = (int)(hash & (uint)(entries.Length - 1) & ~1u);
        ref Entry entry = ref entries[first];
        if (entry.Hash != hash)
        {
            entry = ref entries[first + 1];
        }

        return entry.Hash == hash ? entry.Flow : null;
    }

    private struct Entry
    {
        public Flow? Flow;
        public uint Hash;
    }
}
