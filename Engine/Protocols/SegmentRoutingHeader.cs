using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>IPv6 segment routing header, RFC 8754 section 2: the 8 bytes before the segments. Options (TLVs) follow the segments.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------+---------------+---------------+---------------+
/// |  Next header  |    Length     |   Type (4)    | Segments left |
/// +---------------+---------------+---------------+---------------+
/// |  Last entry   |     Flags     |              Tag              |
/// +---------------+---------------+-------------------------------+
/// |        Segments, 16 bytes each, the last one of the path first |
/// </code>
/// </remarks>
[ProtocolHeader(Size = 8)]
public partial struct SegmentRoutingHeader
{
    /// <summary>Type of the header that follows this one.</summary>
    public byte NextHeader;

    /// <summary>Units of 8 bytes after the first 8.</summary>
    public byte Length;

    /// <summary><see cref="SegmentRouting"/>.</summary>
    public byte RoutingType;

    /// <summary>Segments still to be visited.</summary>
    public byte SegmentsLeft;

    /// <summary>Index of the last segment in the list.</summary>
    public byte LastEntry;

    /// <summary>None is in use.</summary>
    public byte Flags;

    /// <summary>Says that packets belong together.</summary>
    public Be16 Tag;

    /// <summary>The kind of routing header this is.</summary>
    public const byte SegmentRouting = 4;

    /// <summary>Bytes of a segment.</summary>
    public const int SegmentSize = 16;
}
