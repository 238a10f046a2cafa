using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>Geneve header, RFC 8926 section 3.4, without its options. 8 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---+-----------+-+-+-----------+-------------------------------+
/// |Ver| Opt length|O|C| Reserved  |        Protocol type          |
/// +---+-----------+-+-+-----------+---------------+---------------+
/// |  Network identifier (VNI)                     |   Reserved    |
/// +-----------------------------------------------+---------------+
/// |  Options: class (2), type (1), length in words (5 bits), data |
/// </code>
/// </remarks>
[ProtocolHeader(Size = 8)]
public partial struct GeneveHeader
{
    /// <summary><see cref="Version"/> and <see cref="OptionWords"/>.</summary>
    public byte VersionAndLength;

    /// <summary><see cref="IsControl"/> and <see cref="HasCriticalOption"/>.</summary>
    public byte Flags;

    /// <summary>Ethernet type of the payload; 0x6558 for an Ethernet frame.</summary>
    public Be16 Protocol;

    /// <summary><see cref="Vni"/> and a reserved byte.</summary>
    public Be32 VniAndReserved;

    /// <summary>0.</summary>
    [BitRange(nameof(VersionAndLength), Shift = 6, Width = 2)]
    public partial byte Version { readonly get; set; }

    /// <summary>Length of the options in words of 4 bytes.</summary>
    [BitRange(nameof(VersionAndLength), Shift = 0, Width = 6)]
    public partial byte OptionWords { readonly get; set; }

    /// <summary>Whether it is a control packet.</summary>
    [BitRange(nameof(Flags), Shift = 7, Width = 1)]
    public partial bool IsControl { readonly get; set; }

    /// <summary>Whether an option must be understood.</summary>
    [BitRange(nameof(Flags), Shift = 6, Width = 1)]
    public partial bool HasCriticalOption { readonly get; set; }

    /// <summary>Network identifier.</summary>
    [BitRange(nameof(VniAndReserved), Shift = 8, Width = 24)]
    public partial uint Vni { readonly get; set; }

    /// <summary>Bit of an option's type that makes it critical.</summary>
    public const byte CriticalType = 0x80;
}
