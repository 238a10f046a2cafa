using System.Globalization;
using System.Runtime.InteropServices;

namespace Engine.Primitives;

/// <summary>A 48-bit Ethernet address, IEEE 802. 6 bytes, as on the wire, alignment 2.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 2, Size = 6)]
public readonly record struct EthernetAddress
{
    private readonly ushort _bytes01;
    private readonly ushort _bytes23;
    private readonly ushort _bytes45;

    /// <summary>Copies the address from the first 6 bytes of <paramref name="bytes"/>.</summary>
    /// <exception cref="ArgumentException">Fewer than 6 bytes.</exception>
    public EthernetAddress(ReadOnlySpan<byte> bytes) => this = MemoryMarshal.Read<EthernetAddress>(bytes);

    /// <summary>All ones.</summary>
    public static EthernetAddress Broadcast { get; } = new([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

    /// <summary>Copies the 6 bytes to <paramref name="destination"/>.</summary>
    public void CopyTo(Span<byte> destination) => MemoryMarshal.Write(destination, in this);

    /// <summary>Parses six hexadecimal pairs separated by colons.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out EthernetAddress address)
    {
        address = default;
        if (text.Length != 17)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[6];
        for (int i = 0; i < 6; i++)
        {
            if ((i < 5 && text[(i * 3) + 2] != ':')
                || !byte.TryParse(text.Slice(i * 3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[i]))
            {
                return false;
            }
        }

        address = new EthernetAddress(bytes);
        return true;
    }

    /// <summary>Lower-case hexadecimal with colons, as Open vSwitch prints it.</summary>
    public override string ToString()
    {
        Span<byte> b = stackalloc byte[6];
        CopyTo(b);
        return string.Create(CultureInfo.InvariantCulture, $"{b[0]:x2}:{b[1]:x2}:{b[2]:x2}:{b[3]:x2}:{b[4]:x2}:{b[5]:x2}");
    }
}
