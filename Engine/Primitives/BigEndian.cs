using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Engine.Primitives;

/// <summary>A 16-bit integer stored in network byte order. 2 bytes.</summary>
/// <remarks>Byte order is in the type: a value reaches host order only through <see cref="Value"/>.</remarks>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly record struct Be16
{
    /// <summary>Stores <paramref name="value"/>, given in host order.</summary>
    public Be16(ushort value) => Raw = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    /// <summary>The two bytes as they stand in memory.</summary>
    public ushort Raw { get; private init; }

    /// <summary>The value in host order.</summary>
    public ushort Value => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(Raw) : Raw;

    /// <summary>Wraps bytes that are already in network order.</summary>
    public static Be16 FromRaw(ushort raw) => new() { Raw = raw };

    /// <summary>Stores a host-order value.</summary>
    public static implicit operator Be16(ushort value) => new(value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A 32-bit integer stored in network byte order. 4 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly record struct Be32
{
    /// <summary>Stores <paramref name="value"/>, given in host order.</summary>
    public Be32(uint value) => Raw = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    /// <summary>The four bytes as they stand in memory.</summary>
    public uint Raw { get; private init; }

    /// <summary>The value in host order.</summary>
    public uint Value => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(Raw) : Raw;

    /// <summary>Wraps bytes that are already in network order.</summary>
    public static Be32 FromRaw(uint raw) => new() { Raw = raw };

    /// <summary>Stores a host-order value.</summary>
    public static implicit operator Be32(uint value) => new(value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A 64-bit integer stored in network byte order. 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly record struct Be64
{
    /// <summary>Stores <paramref name="value"/>, given in host order.</summary>
    public Be64(ulong value) => Raw = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    /// <summary>The eight bytes as they stand in memory.</summary>
    public ulong Raw { get; private init; }

    /// <summary>The value in host order.</summary>
    public ulong Value => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(Raw) : Raw;

    /// <summary>Wraps bytes that are already in network order.</summary>
    public static Be64 FromRaw(ulong raw) => new() { Raw = raw };

    /// <summary>Stores a host-order value.</summary>
    public static implicit operator Be64(ulong value) => new(value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
