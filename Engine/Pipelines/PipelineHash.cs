using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace Engine.Pipelines;

/// <summary>The hash behind the perfect hashes of compiled pipelines; the generator computes with this very source.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class PipelineHash
{
    private const ulong Multiplier = 0x9e37_79b9_7f4a_7c15;

    /// <summary>Takes a 64-bit word into the hash.</summary>
    /// <param name="hash">What came before; first the seed.</param>
    /// <param name="word">The word.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Add(ulong hash, ulong word)
    {
        hash = (hash ^ word) * Multiplier;
        return hash ^ (hash >> 32);
    }

    /// <summary>The bucket, whose displacement says where the key is.</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="mask">Number of buckets, a power of two, minus one.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Bucket(ulong hash, int mask) => (int)hash & mask;

    /// <summary>The place of the key.</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="displacement">That of the bucket.</param>
    /// <param name="mask">Number of places, a power of two, minus one.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Place(ulong hash, int displacement, int mask) => ((int)(hash >> 40) + displacement) & mask;
}
