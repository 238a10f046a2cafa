using System.Runtime.CompilerServices;
using Engine.Primitives;
using Engine.Protocols;

namespace Engine.Actions;

/// <summary>Changes of single header fields, each with what it does to a checksum: the parts that action lists and compiled pipelines are made of.</summary>
/// <remarks>
/// A difference is the sum of the complements of the old words and of the new words; differences of several fields under one checksum
/// may be added up before <see cref="UpdateChecksum"/>. Fields stand as they do in the packet. The caller has checked that they are there.
/// </remarks>
internal static class HeaderEdit
{
    private const int TosOffset = 1;
    private const int ChecksumOffset = 10;

    /// <summary>Replaces the bits of a mask in a 32-bit field.</summary>
    /// <returns>The difference; 0 when the field was so already.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Replace(ref byte field, uint value, uint mask)
    {
        uint before = Unaligned.Load<uint>(ref field, 0);
        uint after = value | (before & ~mask);
        Unaligned.Store(ref field, 0, after);
        return before == after ? 0 : ~before + (ulong)after;
    }

    /// <summary>Replaces the bits of a mask in a 16-bit field.</summary>
    /// <returns>The difference; 0 when the field was so already.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Replace(ref byte field, ushort value, ushort mask)
    {
        ushort before = Unaligned.Load<ushort>(ref field, 0);
        ushort after = (ushort)(value | (before & ~mask));
        Unaligned.Store(ref field, 0, after);
        return before == after ? 0 : ~(uint)before + (ulong)after;
    }

    /// <summary>Replaces the TTL of an IPv4 header.</summary>
    /// <returns>The difference, never 0: the kernel updates the checksum also when nothing changes.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReplaceTtl(ref byte field, byte ttl)
    {
        ushort before = new Be16((ushort)(field << 8)).Raw;
        field = ttl;
        return (ushort)~before + (ulong)new Be16((ushort)(ttl << 8)).Raw;
    }

    /// <summary>Replaces the TOS of an IPv4 header and brings its checksum along.</summary>
    /// <remarks>The kernel's ipv4_change_dsfield: its own arithmetic, which keeps a wrong checksum wrong by the same amount.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReplaceTos(ref byte header, byte tos)
    {
        uint checksum = Unaligned.Load<Be16>(ref header, ChecksumOffset).Value;
        checksum += Unaligned.Load<byte>(ref header, TosOffset);
        if (((checksum + 1) >> 16) != 0)
        {
            checksum = (checksum + 1) & 0xffff;
        }

        checksum -= tos;
        checksum += checksum >> 16;
        Unaligned.Store(ref header, ChecksumOffset, new Be16((ushort)checksum));
        Unaligned.Store(ref header, TosOffset, tos);
    }

    /// <summary>Brings a checksum along with what changed under it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UpdateChecksum(ref byte checksum, ulong difference) =>
        Unaligned.Store(ref checksum, 0, InternetChecksum.Update(Unaligned.Load<Be16>(ref checksum, 0), difference));

    /// <summary>Brings the sum of a pseudo header along with what changed in it: a checksum that is left to the sink.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UpdatePartial(ref byte sum, ulong difference) =>
        Unaligned.Store(ref sum, 0, InternetChecksum.UpdatePartial(Unaligned.Load<Be16>(ref sum, 0), difference));

    /// <summary>Writes a UDP checksum that came out as zero the way that does not say "none" (RFC 768).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MangleZero(ref byte checksum)
    {
        if (Unaligned.Load<ushort>(ref checksum, 0) == 0)
        {
            Unaligned.Store(ref checksum, 0, InternetChecksum.MangledZero);
        }
    }
}
