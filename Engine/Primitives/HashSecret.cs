using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Engine.Primitives;

/// <summary>The random words that key the hash of this process, so that nobody outside can choose packets that collide.</summary>
/// <remarks>Threads: written once before first use; <see cref="SetSeed"/> is for tests, before any table is filled.</remarks>
public static unsafe class HashSecret
{
    /// <summary>Bytes of secret: the longest input that can be hashed.</summary>
    public const int Size = 1024;

    // In native memory that is never freed: the JIT then treats its address as a constant.
    private static readonly byte* s_words = Allocate();

    /// <summary>The first byte of the secret, aligned to 64.</summary>
    internal static ref readonly byte Start
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *s_words;
    }

    /// <summary>Replaces the secret by one derived from <paramref name="seed"/>: hashes become reproducible, and void those made before.</summary>
    public static void SetSeed(ulong seed)
    {
        // SplitMix64: enough to tell the words apart, which is all that a test needs.
        Span<ulong> words = new(s_words, Size / sizeof(ulong));
        foreach (ref ulong word in words)
        {
            seed += 0x9e3779b97f4a7c15;
            ulong mixed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
            word = mixed ^ (mixed >> 31);
        }
    }

    /// <summary>Spreads a sum of products: every bit of the sum reaches the low and the high half.</summary>
    /// <remarks>
    /// Counted addresses and ports give sums that are an even step apart, and multiplied they still are: one secret in twenty then leaves
    /// most values of the low byte unused. What is shifted in before breaks the step.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Finish(ulong sum)
    {
        ulong mixed = (sum ^ (sum >> 32)) * 0x9e3779b97f4a7c15;
        return mixed ^ (mixed >> 32);
    }

    private static byte* Allocate()
    {
        byte* words = (byte*)NativeMemory.AlignedAlloc(Size, 64);
        RandomNumberGenerator.Fill(new Span<byte>(words, Size));
        return words;
    }
}
