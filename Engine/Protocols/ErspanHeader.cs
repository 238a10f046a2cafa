using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>The part common to ERSPAN types II and III (draft-foschiano-erspan-03), behind a GRE header with a sequence number. 4 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------+-----------------------+-----+---+-+-------------------+
/// |Version|         VLAN          | COS |En |T|    Session id     |
/// +-------+-----------------------+-----+---+-+-------------------+
/// </code>
/// Type II goes on with 12 reserved bits and a port index of 20; type III with a timestamp, a security group, and bits for hardware.
/// </remarks>
[ProtocolHeader(Size = 4)]
public partial struct ErspanHeader
{
    /// <summary><see cref="Version"/> and <see cref="Vlan"/>.</summary>
    public Be16 VersionAndVlan;

    /// <summary><see cref="ClassOfService"/>, <see cref="Encapsulation"/>, <see cref="IsTruncated"/> and <see cref="SessionId"/>.</summary>
    public Be16 FlagsAndSession;

    /// <summary>1 for type II, 2 for type III.</summary>
    [BitRange(nameof(VersionAndVlan), Shift = 12, Width = 4)]
    public partial byte Version { readonly get; set; }

    /// <summary>VLAN of the mirrored frame; 0 for none.</summary>
    [BitRange(nameof(VersionAndVlan), Shift = 0, Width = 12)]
    public partial ushort Vlan { readonly get; set; }

    /// <summary>Class of service of the mirrored frame.</summary>
    [BitRange(nameof(FlagsAndSession), Shift = 13, Width = 3)]
    public partial byte ClassOfService { readonly get; set; }

    /// <summary>Type II: 0 untagged, 3 the tag is in the frame. Type III: 0 a good frame, 1 too short, 2 too long.</summary>
    [BitRange(nameof(FlagsAndSession), Shift = 11, Width = 2)]
    public partial byte Encapsulation { readonly get; set; }

    /// <summary>Whether the mirrored frame was cut.</summary>
    [BitRange(nameof(FlagsAndSession), Shift = 10, Width = 1)]
    public partial bool IsTruncated { readonly get; set; }

    /// <summary>Tells the mirrors of one pair of hosts apart.</summary>
    [BitRange(nameof(FlagsAndSession), Shift = 0, Width = 10)]
    public partial ushort SessionId { readonly get; set; }

    /// <summary>Bytes of what follows for a version.</summary>
    public static int RestSize(int version) => version == 1 ? 4 : 8;
}
