using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Engine.Primitives;

/// <summary>Hash, comparison and copy of bytes under a mask, in pieces of 64, 32, 16 and 8 bytes that give the same result however a run is cut.</summary>
/// <remarks>
/// <para>The hash is NH (RFC 4418, 5.2.2): each 64-bit word adds (low half + secret) * (high half + secret) modulo 2^64.
/// Addition commutes, so lanes may be summed in any order.</para>
/// <para>All references point at the start of keys; the caller vouches that offset and piece lie inside.</para>
/// </remarks>
internal static class MaskedWords
{
    /// <summary>Hash terms of 64 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Terms512(ref readonly byte key, ref readonly byte mask, nuint offset) =>
        Products((Load512(in key, offset) & Load512(in mask, offset)).AsUInt32() + Load512(in HashSecret.Start, offset).AsUInt32());

    /// <summary>Hash terms of 64 bytes, all of them significant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Terms512(ref readonly byte key, nuint offset) =>
        Products(Load512(in key, offset).AsUInt32() + Load512(in HashSecret.Start, offset).AsUInt32());

    /// <summary>Hash terms of 32 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> Terms256(ref readonly byte key, ref readonly byte mask, nuint offset) =>
        Products((Load256(in key, offset) & Load256(in mask, offset)).AsUInt32() + Load256(in HashSecret.Start, offset).AsUInt32());

    /// <summary>Hash terms of 32 bytes, all of them significant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> Terms256(ref readonly byte key, nuint offset) =>
        Products(Load256(in key, offset).AsUInt32() + Load256(in HashSecret.Start, offset).AsUInt32());

    /// <summary>Hash terms of 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Terms128(ref readonly byte key, ref readonly byte mask, nuint offset) =>
        Products((Load128(in key, offset) & Load128(in mask, offset)).AsUInt32() + Load128(in HashSecret.Start, offset).AsUInt32());

    /// <summary>Hash terms of 16 bytes, all of them significant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Terms128(ref readonly byte key, nuint offset) =>
        Products(Load128(in key, offset).AsUInt32() + Load128(in HashSecret.Start, offset).AsUInt32());

    /// <summary>Hash term of 8 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Term(ref readonly byte key, ref readonly byte mask, nuint offset) => Product(Load(in key, offset) & Load(in mask, offset), offset);

    /// <summary>Hash term of 8 bytes, all of them significant.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Term(ref readonly byte key, nuint offset) => Product(Load(in key, offset), offset);

    /// <summary>Significant bits of 64 bytes in which the keys differ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Difference512(ref readonly byte key, ref readonly byte mask, ref readonly byte maskedKey, nuint offset) =>
        (Load512(in key, offset) ^ Load512(in maskedKey, offset)) & Load512(in mask, offset);

    /// <summary>Significant bits of 32 bytes in which the keys differ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> Difference256(ref readonly byte key, ref readonly byte mask, ref readonly byte maskedKey, nuint offset) =>
        (Load256(in key, offset) ^ Load256(in maskedKey, offset)) & Load256(in mask, offset);

    /// <summary>Significant bits of 16 bytes in which the keys differ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Difference128(ref readonly byte key, ref readonly byte mask, ref readonly byte maskedKey, nuint offset) =>
        (Load128(in key, offset) ^ Load128(in maskedKey, offset)) & Load128(in mask, offset);

    /// <summary>Significant bits of 8 bytes in which the keys differ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Difference(ref readonly byte key, ref readonly byte mask, ref readonly byte maskedKey, nuint offset) =>
        (Load(in key, offset) ^ Load(in maskedKey, offset)) & Load(in mask, offset);

    /// <summary>Writes 64 bytes of the key under the mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy512(ref readonly byte key, ref readonly byte mask, ref byte result, nuint offset) =>
        (Load512(in key, offset) & Load512(in mask, offset)).AsByte().StoreUnsafe(ref result, offset);

    /// <summary>Writes 32 bytes of the key under the mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy256(ref readonly byte key, ref readonly byte mask, ref byte result, nuint offset) =>
        (Load256(in key, offset) & Load256(in mask, offset)).AsByte().StoreUnsafe(ref result, offset);

    /// <summary>Writes 16 bytes of the key under the mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy128(ref readonly byte key, ref readonly byte mask, ref byte result, nuint offset) =>
        (Load128(in key, offset) & Load128(in mask, offset)).AsByte().StoreUnsafe(ref result, offset);

    /// <summary>Writes 8 bytes of the key under the mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(ref readonly byte key, ref readonly byte mask, ref byte result, nuint offset) =>
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref result, offset), Load(in key, offset) & Load(in mask, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Load512(ref readonly byte start, nuint offset) => Vector512.LoadUnsafe(in start, offset).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Load256(ref readonly byte start, nuint offset) => Vector256.LoadUnsafe(in start, offset).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load128(ref readonly byte start, nuint offset) => Vector128.LoadUnsafe(in start, offset).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load(ref readonly byte start, nuint offset) =>
        Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref Unsafe.AsRef(in start), offset));

    // Even lanes times odd lanes, each 32 by 32 to 64 bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Products(Vector512<uint> words) => Avx512F.IsSupported
        ? Avx512F.Multiply(words, (words.AsUInt64() >> 32).AsUInt32())
        : Vector512.Create(Products(words.GetLower()), Products(words.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Products(Vector256<uint> words) => Avx2.IsSupported
        ? Avx2.Multiply(words, (words.AsUInt64() >> 32).AsUInt32())
        : Vector256.Create(Products(words.GetLower()), Products(words.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Products(Vector128<uint> words)
    {
        if (Sse2.IsSupported)
        {
            return Sse2.Multiply(words, (words.AsUInt64() >> 32).AsUInt32());
        }

        if (AdvSimd.IsSupported)
        {
            return AdvSimd.MultiplyWideningLower(
                AdvSimd.ExtractNarrowingLower(words.AsUInt64()),
                AdvSimd.ShiftRightLogicalNarrowingLower(words.AsUInt64(), 32));
        }

        return Vector128.Create((ulong)words[0] * words[1], (ulong)words[2] * words[3]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Product(ulong word, nuint offset)
    {
        ulong secret = Load(in HashSecret.Start, offset);
        return (ulong)((uint)word + (uint)secret) * ((uint)(word >> 32) + (uint)(secret >> 32));
    }
}
