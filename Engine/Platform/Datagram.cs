using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Engine.Primitives;

namespace Engine.Platform;

/// <summary>What is known of a datagram besides its bytes: the outer header that the kernel took off.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = ByteSize)]
internal struct Datagram
{
    /// <summary>Bytes of it, a cache line: where it is, two lengths, and what <see cref="HasHeaderOf"/> compares.</summary>
    public const int ByteSize = HeaderOffset + HeaderSize;

    private const int HeaderOffset = sizeof(ulong) + (2 * sizeof(int)), HeaderSize = 48;

    /// <summary>Where its bytes are.</summary>
    public nint Address;

    /// <summary>Bytes of it, or of all of them when the kernel has put several together.</summary>
    public int Length;

    /// <summary>Bytes of each datagram when the kernel has put several together (UDP_GRO), the last may be shorter; 0 for one.</summary>
    public int SegmentSize;

    /// <summary>Whether the addresses are of IPv6.</summary>
    public bool IsIpv6;

    /// <summary>Whether the UDP header carries a checksum.</summary>
    public bool HasChecksum;

    /// <summary>TOS or traffic class.</summary>
    public byte Tos;

    /// <summary>TTL or hop limit.</summary>
    public byte Ttl;

    /// <summary>UDP source port; 0 for other protocols.</summary>
    public Be16 SourcePort;

    private readonly ushort _padding;

    /// <summary>Addresses of IPv4.</summary>
    public Be32 Ipv4Source, Ipv4Destination;

    /// <summary>Addresses of IPv6.</summary>
    public Ipv6Address Ipv6Source, Ipv6Destination;

    /// <summary>Whether the outer header of another one was the same, but for lengths.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool HasHeaderOf(in Datagram other)
    {
        // In bounds: the fields behind the lengths take 48 bytes up to the end, which a test holds them to. Two loads overlap.
        ref byte one = ref Unsafe.As<Datagram, byte>(ref Unsafe.AsRef(in this)), two = ref Unsafe.As<Datagram, byte>(ref Unsafe.AsRef(in other));
        Vector256<byte> start = Unaligned.Load<Vector256<byte>>(ref one, HeaderOffset) ^ Unaligned.Load<Vector256<byte>>(ref two, HeaderOffset);
        Vector256<byte> end = Unaligned.Load<Vector256<byte>>(ref one, ByteSize - 32) ^ Unaligned.Load<Vector256<byte>>(ref two, ByteSize - 32);
        return (start | end) == Vector256<byte>.Zero;
    }
}
