using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>The Internet checksum, RFC 1071, and its incremental update, RFC 1624.</summary>
/// <remarks>
/// <para>Sums are taken over 16-bit words as they stand in memory: the one's complement sum does not depend on byte order
/// (RFC 1071 section 2 (B)), so nothing is swapped.</para>
/// <para>Zero has two forms, 0x0000 and 0xffff. Which one comes out is not left to chance: each update says which of the
/// kernel's functions it agrees with, bit for bit.</para>
/// </remarks>
public static class InternetChecksum
{
    /// <summary>What a UDP sender writes when the checksum comes out as 0, RFC 768 (the kernel's CSUM_MANGLED_0).</summary>
    public static Be16 MangledZero { get; } = Be16.FromRaw(0xffff);

    /// <summary>The checksum of <paramref name="bytes"/>: the complement of their sum.</summary>
    /// <param name="bytes">Any number of bytes; an odd last one counts as if a zero followed.</param>
    /// <param name="sum">Sum of what comes before, for instance a pseudo header; its length must be even.</param>
    public static Be16 Compute(ReadOnlySpan<byte> bytes, uint sum = 0) => Be16.FromRaw((ushort)~Sum(bytes, sum));

    /// <summary>The one's complement sum of <paramref name="bytes"/>, 16 bits wide, with the carries added back.</summary>
    /// <param name="bytes">Any number of bytes; an odd last one counts as if a zero followed.</param>
    /// <param name="sum">Sum of what comes before; its length must be even.</param>
    public static ushort Sum(ReadOnlySpan<byte> bytes, uint sum = 0) => OnesComplement.Fold(OnesComplement.Sum(bytes, sum));

    /// <summary>The checksum after one 16-bit word changed (RFC 1624 equation 3; the kernel's csum_replace2).</summary>
    public static Be16 Update(Be16 checksum, Be16 oldValue, Be16 newValue) =>
        Be16.FromRaw((ushort)~OnesComplement.Fold((ushort)~checksum.Raw + (ulong)(ushort)~oldValue.Raw + newValue.Raw));

    /// <summary>The checksum after a word inside a transport header changed (inet_proto_csum_replace2), which never gives 0xffff.</summary>
    public static Be16 UpdateTransport(Be16 checksum, Be16 oldValue, Be16 newValue) => Update(checksum, ~(uint)oldValue.Raw + (ulong)newValue.Raw);

    /// <summary>The checksum after two adjacent words changed (csum_replace4), which never gives 0xffff.</summary>
    public static Be16 Update(Be16 checksum, Be32 oldValue, Be32 newValue) => Update(checksum, ~oldValue.Raw + (ulong)newValue.Raw);

    /// <summary>The checksum after an IPv6 address changed (inet_proto_csum_replace16), which never gives 0xffff.</summary>
    public static Be16 Update(Be16 checksum, in Ipv6Address oldValue, in Ipv6Address newValue) => Update(checksum, Difference(oldValue, newValue));

    /// <summary>The sum of a pseudo header, not complemented, after an address in it changed: a checksum left to the sink.</summary>
    public static Be16 UpdatePartial(Be16 sum, Be32 oldValue, Be32 newValue) => UpdatePartial(sum, ~oldValue.Raw + (ulong)newValue.Raw);

    /// <summary><see cref="UpdatePartial(Be16, Be32, Be32)"/> for an IPv6 address.</summary>
    public static Be16 UpdatePartial(Be16 sum, in Ipv6Address oldValue, in Ipv6Address newValue) =>
        UpdatePartial(sum, Difference(oldValue, newValue));

    /// <summary>The checksum after words changed whose complements before and values after add up to <paramref name="difference"/>; never 0xffff.</summary>
    /// <remarks>
    /// Several changes can be added up first: folding keeps the sum modulo 0xffff, and gives zero only for zero, which no sum here is.
    /// The kernel complements the 16-bit checksum as a 32-bit number, so the upper half is never zero.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Be16 Update(Be16 checksum, ulong difference) => Be16.FromRaw((ushort)~OnesComplement.Fold(~(uint)checksum.Raw + difference));

    /// <summary>The same for the sum of a pseudo header, not complemented.</summary>
    internal static Be16 UpdatePartial(Be16 sum, ulong difference) => Be16.FromRaw(OnesComplement.Fold(sum.Raw + difference));

    private static ulong Difference(in Ipv6Address oldValue, in Ipv6Address newValue)
    {
        ReadOnlySpan<uint> oldWords = MemoryMarshal.Cast<Ipv6Address, uint>(new ReadOnlySpan<Ipv6Address>(in oldValue));
        ReadOnlySpan<uint> newWords = MemoryMarshal.Cast<Ipv6Address, uint>(new ReadOnlySpan<Ipv6Address>(in newValue));
        ulong difference = 0;
        for (int i = 0; i < 4; i++)
        {
            difference += ~oldWords[i] + (ulong)newWords[i];
        }

        return difference;
    }
}
