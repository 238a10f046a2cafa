using System.Globalization;
using System.Runtime.InteropServices;

namespace Engine.Flows;

/// <summary>A flow id chosen by user space (OVS_FLOW_ATTR_UFID): 1 to 16 bytes, zero-filled here to 16.</summary>
/// <param name="High">Bytes 0 to 7 as they stand in memory.</param>
/// <param name="Low">Bytes 8 to 15 as they stand in memory.</param>
/// <param name="Length">Bytes that user space gave, 1 to 16; 0 when the flow has no UFID.</param>
public readonly record struct Ufid(ulong High, ulong Low, int Length)
{
    /// <summary>The longest id the kernel takes (MAX_UFID_LENGTH); a longer one is ignored.</summary>
    public const int MaximumLength = 16;

    /// <summary>Whether there is an id.</summary>
    public bool IsPresent => Length != 0;

    /// <summary>Copies an id of 1 to 16 bytes.</summary>
    /// <exception cref="ArgumentException">It is longer.</exception>
    public static Ufid FromBytes(ReadOnlySpan<byte> bytes)
    {
        Span<byte> full = stackalloc byte[MaximumLength];
        full.Clear();
        bytes.CopyTo(full);
        return new Ufid(MemoryMarshal.Read<ulong>(full), MemoryMarshal.Read<ulong>(full[8..]), bytes.Length);
    }

    /// <summary>Copies the bytes that user space gave to <paramref name="destination"/>.</summary>
    public void CopyTo(Span<byte> destination)
    {
        Span<byte> full = stackalloc byte[MaximumLength];
        MemoryMarshal.Write(full, High);
        MemoryMarshal.Write(full[8..], Low);
        full[..Length].CopyTo(destination);
    }

    /// <summary>Hexadecimal in five groups, as Open vSwitch prints it.</summary>
    public override string ToString()
    {
        Span<byte> full = stackalloc byte[MaximumLength];
        MemoryMarshal.Write(full, High);
        MemoryMarshal.Write(full[8..], Low);
        string hex = Convert.ToHexStringLower(full);
        return string.Create(CultureInfo.InvariantCulture, $"{hex[..8]}-{hex[8..12]}-{hex[12..16]}-{hex[16..20]}-{hex[20..]}");
    }
}
