using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>TCP header without options, RFC 9293 section 3.1. 20 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------------------------------+-------------------------------+
/// |          Source port          |       Destination port        |
/// +-------------------------------+-------------------------------+
/// |                        Sequence number                        |
/// +---------------------------------------------------------------+
/// |                     Acknowledgment number                     |
/// +-------+-----------------------+-------------------------------+
/// |Offset |         Flags         |            Window             |
/// +-------+-----------------------+-------------------------------+
/// |           Checksum            |        Urgent pointer         |
/// +-------------------------------+-------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 20)]
public partial struct TcpHeader
{
    /// <summary>Source port.</summary>
    public Be16 SourcePort;

    /// <summary>Destination port.</summary>
    public Be16 DestinationPort;

    /// <summary>Number of the first byte of payload.</summary>
    public Be32 SequenceNumber;

    /// <summary>Number of the next byte that is expected.</summary>
    public Be32 AcknowledgmentNumber;

    /// <summary><see cref="DataOffset"/> and <see cref="Flags"/>.</summary>
    public Be16 DataOffsetAndFlags;

    /// <summary>Receive window.</summary>
    public Be16 Window;

    /// <summary>RFC 1071 checksum of pseudo header, header and payload.</summary>
    public Be16 Checksum;

    /// <summary>Urgent pointer.</summary>
    public Be16 UrgentPointer;

    /// <summary>Header length with options in words of 4 bytes, at least 5.</summary>
    [BitRange(nameof(DataOffsetAndFlags), Shift = 12, Width = 4)]
    public partial byte DataOffset { readonly get; set; }

    /// <summary>Reserved bits and flags, FIN lowest: the 12 bits that a flow key matches.</summary>
    [BitRange(nameof(DataOffsetAndFlags), Shift = 0, Width = 12)]
    public partial ushort Flags { readonly get; set; }
}
