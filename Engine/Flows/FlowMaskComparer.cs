using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Engine.Flows;

/// <summary>Compares prepared masks with each other, and with the words of one that is not prepared.</summary>
internal sealed class FlowMaskComparer : IEqualityComparer<FlowMask>, IAlternateEqualityComparer<ReadOnlySpan<ulong>, FlowMask>
{
    /// <summary>The only one.</summary>
    public static FlowMaskComparer Instance { get; } = new();

    /// <summary>Hash of a mask's words.</summary>
    public static int Hash(ReadOnlySpan<ulong> words)
    {
        // Most lines of most masks are zero. Each lane is a polynomial of its own, in the place of the line too; the lanes have different factors,
        // so that words of one lane and of another do not cancel out.
        Vector512<ulong> factors = Vector512.Create(
            0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd6e8feb86659fd93, 0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3, 0x589965cc75374cc3);
        Vector512<ulong> sum = default;
        ReadOnlySpan<Vector512<ulong>> lines = MemoryMarshal.Cast<ulong, Vector512<ulong>>(words);
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i] != default)
            {
                sum = (sum + lines[i] + Vector512.Create((ulong)i)) * factors;
                sum ^= sum >> 29;
            }
        }

        ulong hash = Vector512.Sum(sum * factors);
        foreach (ulong word in words[(lines.Length * Vector512<ulong>.Count)..])
        {
            hash = (hash ^ word) * 0x9e3779b97f4a7c15;
        }

        return (int)(hash >> 32);
    }

    /// <inheritdoc/>
    public bool Equals(FlowMask? x, FlowMask? y) => ReferenceEquals(x, y) || (x is not null && x.Equals(y));

    /// <inheritdoc/>
    public int GetHashCode(FlowMask obj) => obj.GetHashCode();

    /// <inheritdoc/>
    public bool Equals(ReadOnlySpan<ulong> alternate, FlowMask other) => alternate.SequenceEqual(FlowMask.Words(in other.Bits));

    /// <inheritdoc/>
    public int GetHashCode(ReadOnlySpan<ulong> alternate) => Hash(alternate);

    /// <inheritdoc/>
    public FlowMask Create(ReadOnlySpan<ulong> alternate)
    {
        FlowKey bits = default;
        alternate.CopyTo(FlowMask.MutableWords(ref bits));
        return new FlowMask(in bits);
    }
}
