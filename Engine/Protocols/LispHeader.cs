using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>LISP data header, RFC 6830 section 5.3. 8 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-----+-----------------------------------------------+
/// |N|L|E|V|I|Flags|            Nonce or map versions              |
/// +-+-+-+-+-+-----+-------------------------------+---------------+
/// |                 Instance id                   | Locator bits  |
/// +-----------------------------------------------+---------------+
/// </code>
/// Without <see cref="HasInstance"/> the whole second word holds locator status bits. The three flags at the end are for receivers to ignore.
/// </remarks>
[ProtocolHeader(Size = 8)]
public partial struct LispHeader
{
    /// <summary>The first word: flags, then nonce or map versions.</summary>
    public Be32 Flags;

    /// <summary><see cref="Instance"/> and <see cref="LocatorStatus"/>.</summary>
    public Be32 InstanceAndLocators;

    /// <summary>Instance id.</summary>
    [BitRange(nameof(InstanceAndLocators), Shift = 8, Width = 24)]
    public partial uint Instance { readonly get; set; }

    /// <summary>A bit for each locator of the sender's site that is up.</summary>
    [BitRange(nameof(InstanceAndLocators), Shift = 0, Width = 8)]
    public partial byte LocatorStatus { readonly get; set; }

    /// <summary>N: the first word ends in a nonce.</summary>
    public const uint HasNonce = 1u << 31;

    /// <summary>L: the second word has locator status bits.</summary>
    public const uint HasLocatorStatus = 1u << 30;

    /// <summary>V: the first word ends in map versions, so not in a nonce.</summary>
    public const uint HasMapVersion = 1u << 28;

    /// <summary>I: the second word starts with an instance id.</summary>
    public const uint HasInstance = 1u << 27;
}
