using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Engine.Primitives;

/// <summary>The one's complement sum of 16-bit words behind every Internet checksum (RFC 1071).</summary>
/// <remarks>
/// Words are taken as they stand in memory: the sum of big-endian words, stored as it stands in memory, is the big-endian sum
/// whatever the machine (RFC 1071, section 2 B). So no byte is ever swapped.
/// </remarks>
public static class OnesComplement
{
    /// <summary>Adds the words of <paramref name="bytes"/> to <paramref name="sum"/>. An odd last byte counts as a word with a zero behind it.</summary>
    /// <param name="bytes">Of an even length, but for the last piece of a longer whole.</param>
    /// <param name="sum">What came before, not folded.</param>
    /// <returns>A sum for more of this, or for <see cref="Fold"/>; it does not overflow below 4 GiB of bytes.</returns>
    public static ulong Sum(ReadOnlySpan<byte> bytes, ulong sum = 0)
    {
        if (Vector256.IsHardwareAccelerated && bytes.Length >= Vector256<byte>.Count)
        {
            // Four sums of 64 bits each of 32-bit words: carries go into the upper halves and are folded at the end.
            ReadOnlySpan<Vector256<uint>> vectors = MemoryMarshal.Cast<byte, Vector256<uint>>(bytes);
            Vector256<ulong> low = Vector256<ulong>.Zero, high = Vector256<ulong>.Zero;
            foreach (Vector256<uint> vector in vectors)
            {
                (Vector256<ulong> lower, Vector256<ulong> upper) = Vector256.Widen(vector);
                low += lower;
                high += upper;
            }

            sum = Add(sum, Vector256.Sum(low + high));
            bytes = bytes[(vectors.Length * Vector256<byte>.Count)..];
        }

        return SumScalar(bytes, sum);
    }

    /// <summary>The sum in 16 bits, as it stands in memory, with the carries added back. Zero only for zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Fold(ulong sum)
    {
        // Both halves added to both: what the lower ones carry over is the carry that goes round.
        uint half = (uint)((sum + BitOperations.RotateLeft(sum, 32)) >> 32);
        return (ushort)((half + BitOperations.RotateLeft(half, 16)) >> 16);
    }

    /// <summary>The words of a pseudo-header besides the addresses (RFC 768, RFC 9293, RFC 8200 section 8.1), as they would stand in memory.</summary>
    /// <param name="protocol">Of the transport.</param>
    /// <param name="length">Bytes of its header and payload; for IPv6 too they fit 16 bits.</param>
    internal static ulong PseudoHeader(byte protocol, int length) => new Be16(protocol).Raw + (ulong)new Be16((ushort)length).Raw;

    internal static ulong SumScalar(ReadOnlySpan<byte> bytes, ulong sum)
    {
        while (bytes.Length >= sizeof(uint))
        {
            sum = Add(sum, MemoryMarshal.Read<uint>(bytes));
            bytes = bytes[sizeof(uint)..];
        }

        if (bytes.Length >= sizeof(ushort))
        {
            sum = Add(sum, MemoryMarshal.Read<ushort>(bytes));
            bytes = bytes[sizeof(ushort)..];
        }

        return bytes.Length == 0 ? sum : Add(sum, BitConverter.IsLittleEndian ? bytes[0] : (ulong)bytes[0] << 8);
    }

    // With end-around carry, so that any 64-bit sum can be given.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Add(ulong sum, ulong term)
    {
        sum += term;
        return sum < term ? sum + 1 : sum;
    }
}
