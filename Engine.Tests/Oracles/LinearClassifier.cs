using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Engine.Flows;

namespace Engine.Tests.Oracles;

/// <summary>The flow table's slow twin: a list of flows, each compared bit by bit.</summary>
/// <typeparam name="T">What a flow leads to.</typeparam>
/// <remarks>Overlapping flows are kept in the order they came; the table may give any of those that match. One thread.</remarks>
internal sealed class LinearClassifier<T>
{
    private readonly List<Entry> _flows = [];

    /// <summary>Number of flows.</summary>
    public int Count => _flows.Count;

    /// <summary>Adds a flow, or replaces the value of the one with the same mask and masked key.</summary>
    public void Set(in FlowKey key, in FlowKey mask, T value)
    {
        Entry entry = new(key, mask, value);
        int index = _flows.FindIndex(flow => flow.IsSame(entry));
        if (index < 0)
        {
            _flows.Add(entry);
        }
        else
        {
            _flows[index] = entry;
        }
    }

    /// <summary>Removes the flow with this mask and masked key.</summary>
    /// <returns>False when there is none.</returns>
    public bool Remove(in FlowKey key, in FlowKey mask)
    {
        Entry entry = new(key, mask, default!);
        int index = _flows.FindIndex(flow => flow.IsSame(entry));
        if (index >= 0)
        {
            _flows.RemoveAt(index);
        }

        return index >= 0;
    }

    /// <summary>Removes every flow.</summary>
    public void Clear() => _flows.Clear();

    /// <summary>The first flow that matches.</summary>
    public bool TryFind(in FlowKey key, [MaybeNullWhen(false)] out T value)
    {
        ReadOnlySpan<byte> bytes = BytesOf(in key);
        foreach (Entry flow in _flows)
        {
            if (flow.Matches(bytes))
            {
                value = flow.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>Every flow that matches.</summary>
    public List<T> FindAll(in FlowKey key)
    {
        List<T> found = [];
        ReadOnlySpan<byte> bytes = BytesOf(in key);
        foreach (Entry flow in _flows)
        {
            if (flow.Matches(bytes))
            {
                found.Add(flow.Value);
            }
        }

        return found;
    }

    /// <summary>The bytes of a key that are compared: all but the set of its segments.</summary>
    public static ReadOnlySpan<byte> BytesOf(in FlowKey key) =>
        MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in key, 1))[..FlowFields.ComparedBytes];

    private sealed class Entry
    {
        private readonly byte[] _key;
        private readonly byte[] _mask;
        private readonly int[] _bits;

        public Entry(in FlowKey key, in FlowKey mask, T value)
        {
            _key = BytesOf(in key).ToArray();
            _mask = BytesOf(in mask).ToArray();
            _bits = [.. Enumerable.Range(0, _mask.Length * 8).Where(bit => Bit(_mask, bit))];
            Value = value;
        }

        public T Value { get; }

        public bool Matches(ReadOnlySpan<byte> key)
        {
            foreach (int bit in _bits)
            {
                if (Bit(key, bit) != Bit(_key, bit))
                {
                    return false;
                }
            }

            return true;
        }

        public bool IsSame(Entry other) => _mask.AsSpan().SequenceEqual(other._mask) && Matches(other._key);

        private static bool Bit(ReadOnlySpan<byte> bytes, int index) => (bytes[index / 8] & (1 << (index % 8))) != 0;
    }
}
