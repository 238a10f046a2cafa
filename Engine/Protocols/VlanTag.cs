using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>VLAN tag, IEEE 802.1Q section 9, as it stands between the addresses and the Ethernet type. 4 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------------------------------+-----+-+-----------------------+
/// |             TPID              | PCP |D|          VID          |
/// +-------------------------------+-----+-+-----------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 4)]
public partial struct VlanTag
{
    /// <summary>0x8100 (802.1Q) or 0x88a8 (802.1ad).</summary>
    public Be16 Tpid;

    /// <summary>Tag control information.</summary>
    public Be16 Tci;

    /// <summary>Priority code point.</summary>
    [BitRange(nameof(Tci), Shift = 13, Width = 3)]
    public partial byte Pcp { readonly get; set; }

    /// <summary>Drop eligible indicator, once CFI. A flow key sets it to say that there is a tag.</summary>
    [BitRange(nameof(Tci), Shift = 12, Width = 1)]
    public partial bool Dei { readonly get; set; }

    /// <summary>VLAN identifier.</summary>
    [BitRange(nameof(Tci), Shift = 0, Width = 12)]
    public partial ushort Vid { readonly get; set; }
}
