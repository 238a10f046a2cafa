using BenchmarkDotNet.Attributes;
using Engine.Flows;

namespace Bench;

/// <summary>Keys to flows: the masked hash and compare alone, and the look-up through tables of many flows and masks.</summary>
[MemoryDiagnoser]
public class LookupBench
{
    private const int KeyCount = 1024;

    private readonly FlowKey[] _keys = new FlowKey[KeyCount];
    private FlowTable _table = null!;
    private FlowMask _mask = null!;
    private Flow _flow = null!;

    /// <summary>Flows in the table.</summary>
    [Params(1, 1_000, 20_000)]
    public int Flows { get; set; }

    /// <summary>Masks they are spread over.</summary>
    [Params(1, 10)]
    public int Masks { get; set; }

    /// <summary>Fills the table with disjoint flows: each mask has its own number of source address bits.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _table = new FlowTable();
        for (int i = 0; i < Flows; i++)
        {
            FlowKey key = KeyOf(i);
            FlowKey mask = MaskOf(i % Masks);
            _table.Put(in key, in mask, new NoActions(), default, FlowPutMode.CreateOrReplace, out Flow? flow);
            _flow = flow!;
            _mask = flow!.Mask;
        }

        for (int i = 0; i < KeyCount; i++)
        {
            _keys[i] = KeyOf((int)((uint)i * 2_654_435_761u % (uint)Flows));
        }
    }

    /// <summary>Hashes under a mask.</summary>
    [Benchmark(OperationsPerInvoke = KeyCount)]
    public uint MaskedHash()
    {
        uint sum = 0;
        foreach (ref FlowKey key in _keys.AsSpan())
        {
            sum += _mask.Hash(in key);
        }

        return sum;
    }

    /// <summary>Compares under a mask.</summary>
    [Benchmark(OperationsPerInvoke = KeyCount)]
    public int MaskedCompare()
    {
        int matches = 0;
        foreach (ref FlowKey key in _keys.AsSpan())
        {
            matches += _flow.Matches(in key) ? 1 : 0;
        }

        return matches;
    }

    /// <summary>Looks up without a cache.</summary>
    [Benchmark(OperationsPerInvoke = KeyCount)]
    public int Lookup()
    {
        int masks = 0;
        foreach (ref FlowKey key in _keys.AsSpan())
        {
            _table.Lookup(in key, out int visited);
            masks += visited;
        }

        return masks;
    }

    private static FlowKey KeyOf(int i) => new()
    {
        InPort = 1,
        EtherType = 0x0800,
        Ipv4Source = 0x0a00_0000u + (uint)i,
        Ipv4Destination = 0xc0a8_0001,
        IpProtocol = 17,
        TransportSource = (ushort)(i % 50_000),
        TransportDestination = (ushort)(i % 10),
    };

    // Masks differ in a bit of the TTL, which is the same in all keys, so that any key still has exactly one flow.
    private static FlowKey MaskOf(int index) => new()
    {
        InPort = uint.MaxValue,
        EtherType = ushort.MaxValue,
        Ipv4Source = uint.MaxValue,
        Ipv4Destination = uint.MaxValue,
        IpProtocol = byte.MaxValue,
        TransportSource = ushort.MaxValue,
        TransportDestination = ushort.MaxValue,
        IpTtl = (byte)index,
    };

    private sealed class NoActions : FlowActions
    {
        public override ReadOnlySpan<byte> Attributes => default;
    }
}
