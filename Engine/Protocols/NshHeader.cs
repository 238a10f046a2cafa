using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>NSH base and service path header, RFC 8300 sections 2.2 and 2.3. 8 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---+-+-+-----------+-----------+---------------+---------------+
/// |Ver|O|U|    TTL    |  Length   |    MD type    | Next protocol |
/// +---+-+-+-----------+-----------+---------------+---------------+
/// |            Service path identifier            | Service index |
/// +-----------------------------------------------+---------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 8)]
public partial struct NshHeader
{
    /// <summary><see cref="MdType"/> of <see cref="NshContextHeader"/>.</summary>
    public const byte FixedMetadata = 1;

    /// <summary><see cref="MdType"/> of metadata of variable length.</summary>
    public const byte VariableMetadata = 2;

    /// <summary><see cref="Version"/>, <see cref="Flags"/>, <see cref="Ttl"/> and <see cref="LengthWords"/>.</summary>
    public Be16 VersionFlagsTtlAndLength;

    /// <summary>Metadata type. RFC 8300 uses the low 4 bits; the kernel reads all 8.</summary>
    public byte MdType;

    /// <summary>1 IPv4, 2 IPv6, 3 Ethernet, 4 NSH, 5 MPLS.</summary>
    public byte NextProtocol;

    /// <summary><see cref="PathIdentifier"/> and <see cref="ServiceIndex"/>.</summary>
    public Be32 Path;

    /// <summary>0.</summary>
    [BitRange(nameof(VersionFlagsTtlAndLength), Shift = 14, Width = 2)]
    public partial byte Version { readonly get; set; }

    /// <summary>The O bit (operations, high) and an unassigned one.</summary>
    [BitRange(nameof(VersionFlagsTtlAndLength), Shift = 12, Width = 2)]
    public partial byte Flags { readonly get; set; }

    /// <summary>Service function hops left.</summary>
    [BitRange(nameof(VersionFlagsTtlAndLength), Shift = 6, Width = 6)]
    public partial byte Ttl { readonly get; set; }

    /// <summary>Whole NSH in words of 4 bytes.</summary>
    [BitRange(nameof(VersionFlagsTtlAndLength), Shift = 0, Width = 6)]
    public partial byte LengthWords { readonly get; set; }

    /// <summary>Service path identifier (SPI).</summary>
    [BitRange(nameof(Path), Shift = 8, Width = 24)]
    public partial uint PathIdentifier { readonly get; set; }

    /// <summary>Service index (SI).</summary>
    [BitRange(nameof(Path), Shift = 0, Width = 8)]
    public partial byte ServiceIndex { readonly get; set; }
}
