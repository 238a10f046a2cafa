using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>IPv6 fragment header, RFC 8200 section 4.5. 8 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------+---------------+-------------------------+---+-+
/// |  Next header  |   Reserved    |     Fragment offset     |Res|M|
/// +---------------+---------------+-------------------------+---+-+
/// |                        Identification                         |
/// +---------------------------------------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 8)]
public partial struct Ipv6FragmentHeader
{
    /// <summary>Type of the first header of the fragmentable part.</summary>
    public byte NextHeader;

    /// <summary>Zero.</summary>
    public byte Reserved;

    /// <summary><see cref="FragmentOffset"/> and <see cref="MoreFragments"/>.</summary>
    public Be16 OffsetAndFlags;

    /// <summary>Common to all fragments of a packet.</summary>
    public Be32 Identification;

    /// <summary>Where this fragment belongs, in units of 8 bytes.</summary>
    [BitRange(nameof(OffsetAndFlags), Shift = 3, Width = 13)]
    public partial ushort FragmentOffset { readonly get; set; }

    /// <summary>Not the last fragment.</summary>
    [BitRange(nameof(OffsetAndFlags), Shift = 0, Width = 1)]
    public partial bool MoreFragments { readonly get; set; }
}
