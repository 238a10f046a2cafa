using System.Net;
using System.Runtime.InteropServices;

namespace Engine.Primitives;

/// <summary>An IPv6 address, RFC 4291. 16 bytes, as on the wire; no alignment is assumed.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = 16)]
public readonly record struct Ipv6Address
{
    private readonly ulong _high;
    private readonly ulong _low;

    /// <summary>Copies the address from the first 16 bytes of <paramref name="bytes"/>.</summary>
    /// <exception cref="ArgumentException">Fewer than 16 bytes.</exception>
    public Ipv6Address(ReadOnlySpan<byte> bytes) => this = MemoryMarshal.Read<Ipv6Address>(bytes);

    private Ipv6Address(ulong high, ulong low)
    {
        _high = high;
        _low = low;
    }

    /// <summary>The mask of an address that matters whole.</summary>
    internal static Ipv6Address AllOnes => new(ulong.MaxValue, ulong.MaxValue);

    /// <summary>Whether all bits are zero.</summary>
    public bool IsZero => (_high | _low) == 0;

    /// <summary>Copies the 16 bytes to <paramref name="destination"/>.</summary>
    public void CopyTo(Span<byte> destination) => MemoryMarshal.Write(destination, in this);

    /// <summary>RFC 5952 text, as Open vSwitch prints it.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        CopyTo(bytes);
        return new IPAddress(bytes).ToString();
    }
}
