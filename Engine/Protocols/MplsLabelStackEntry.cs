using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>MPLS label stack entry, RFC 3032 section 2.1 and RFC 5462. 4 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------------------------------+-----+-+---------------+
/// |                 Label                 | TC  |S|      TTL      |
/// +---------------------------------------+-----+-+---------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 4)]
public partial struct MplsLabelStackEntry
{
    /// <summary>The entry as one word.</summary>
    public Be32 Word;

    /// <summary>Label value.</summary>
    [BitRange(nameof(Word), Shift = 12, Width = 20)]
    public partial uint Label { readonly get; set; }

    /// <summary>Traffic class.</summary>
    [BitRange(nameof(Word), Shift = 9, Width = 3)]
    public partial byte TrafficClass { readonly get; set; }

    /// <summary>Whether no entry follows.</summary>
    [BitRange(nameof(Word), Shift = 8, Width = 1)]
    public partial bool IsBottomOfStack { readonly get; set; }

    /// <summary>Time to live.</summary>
    [BitRange(nameof(Word), Shift = 0, Width = 8)]
    public partial byte Ttl { readonly get; set; }
}
