using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Flows;

/// <summary>Which bits of a <see cref="FlowKey"/> matter, prepared for hashing and comparing.</summary>
/// <remarks>Immutable. The core is handled as one vector, the rest word by word, and only the words that have a bit set.</remarks>
public sealed unsafe class FlowMask : IEquatable<FlowMask>
{
    /// <summary>8-byte words of the core.</summary>
    internal const int CoreWords = 8;

    // The segment set behind the fields is no part of the key.
    private const int WordCount = FlowKey.MatchedSize / sizeof(ulong);

    private readonly FlowKey _bits;
    private readonly int[] _tailWords;
    private readonly ulong[] _tailBits;
    private readonly int _hashCode;

    // Keeps the record where it is, as long as the mask is there.
    private LineAlignedArray<byte>? _recordMemory;
    private MaskRecord* _record;

    /// <summary>Prepares a mask. The segment set of <paramref name="bits"/> is not trusted but found anew.</summary>
    public FlowMask(in FlowKey bits)
    {
        _bits = bits;
        ReadOnlySpan<ulong> words = Words(in _bits);
        List<int> tail = [];
        for (int i = CoreWords; i < words.Length; i++)
        {
            if (words[i] != 0)
            {
                tail.Add(i);
            }
        }

        _tailWords = [.. tail];
        _tailBits = new ulong[_tailWords.Length];
        for (int i = 0; i < _tailWords.Length; i++)
        {
            _tailBits[i] = words[_tailWords[i]];
        }

        IsCoreOnly = _tailWords.Length == 0;
        _hashCode = FlowMaskComparer.Hash(words);
        _bits.Segments = _bits.FindSegments();
    }

    /// <summary>The mask as a key: a bit that is one matters.</summary>
    public ref readonly FlowKey Bits => ref _bits;

    /// <summary>Whether no bit outside of the core matters.</summary>
    public bool IsCoreOnly { get; }

    /// <summary>Words outside of the core that matter.</summary>
    internal int TailLength => _tailWords.Length;

    /// <summary>The mask as packets need it; valid as long as this object is reachable. Writer of a table only.</summary>
    internal MaskRecord* Record
    {
        get
        {
            _recordMemory ??= MaskRecord.Create(this, out _record);
            return _record;
        }
    }

    /// <summary>Hashes the bits of a key that matter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Hash(in FlowKey key)
    {
        ulong hash = FlowKey.MaskedHashCore(in key, in _bits);
        return IsCoreOnly ? (uint)hash : HashTail(in key, hash);
    }

    /// <summary>The mask without its bytes of which only some bits matter.</summary>
    public FlowMask WholeBytes()
    {
        FlowKey whole = _bits;
        foreach (ref byte value in MemoryMarshal.AsBytes(MutableWords(ref whole)))
        {
            value = value == byte.MaxValue ? value : (byte)0;
        }

        return new FlowMask(in whole);
    }

    /// <summary>Whether it was prepared from these bits.</summary>
    internal bool HasBits(in FlowKey bits) => Words(in _bits).SequenceEqual(Words(in bits));

    /// <inheritdoc/>
    public bool Equals(FlowMask? other) =>
        other is not null && other._hashCode == _hashCode && Words(in _bits).SequenceEqual(Words(in other._bits));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FlowMask);

    /// <inheritdoc/>
    public override int GetHashCode() => _hashCode;

    /// <summary>Copies the words outside of the core that matter, masked, in order.</summary>
    internal void CopyTail(in FlowKey key, Span<ulong> tail)
    {
        ReadOnlySpan<ulong> words = Words(in key);
        for (int i = 0; i < _tailWords.Length; i++)
        {
            tail[i] = words[_tailWords[i]] & _tailBits[i];
        }
    }

    /// <summary>The words outside of the core that matter, and which of their bits.</summary>
    internal IEnumerable<(int Word, ulong Bits)> TailWords() => _tailWords.Zip(_tailBits);

    /// <summary>Puts back what <see cref="CopyTail"/> took.</summary>
    internal void RestoreTail(ReadOnlySpan<ulong> tail, ref FlowKey key)
    {
        Span<ulong> words = MutableWords(ref key);
        for (int i = 0; i < tail.Length; i++)
        {
            words[_tailWords[i]] = tail[i];
        }

        key.Segments = _bits.Segments;
    }

    /// <summary>Whether the words outside of the core equal <paramref name="tail"/> where they matter.</summary>
    internal bool TailEquals(in FlowKey key, ulong[] tail)
    {
        ReadOnlySpan<ulong> words = Words(in key);
        int[] indices = _tailWords;
        ulong[] bits = _tailBits;
        for (int i = 0; i < indices.Length && i < tail.Length && i < bits.Length; i++)
        {
            if ((words[indices[i]] & bits[i]) != tail[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The words of a key, without the segment set behind them.</summary>
    internal static ReadOnlySpan<ulong> Words(in FlowKey key) =>
        MemoryMarshal.Cast<byte, ulong>(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in key, 1)))[..WordCount];

    /// <summary>The words of a key, to be written.</summary>
    internal static Span<ulong> MutableWords(ref FlowKey key) =>
        MemoryMarshal.Cast<byte, ulong>(MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref key, 1)))[..WordCount];

    [MethodImpl(MethodImplOptions.NoInlining)]
    private uint HashTail(in FlowKey key, ulong hash)
    {
        ReadOnlySpan<ulong> words = Words(in key);
        ulong sum = hash;
        for (int i = 0; i < _tailWords.Length; i++)
        {
            sum = (sum ^ (words[_tailWords[i]] & _tailBits[i])) * 0x9e37_79b9_7f4a_7c15;
            sum ^= sum >> 32;
        }

        return (uint)sum;
    }
}
