using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>Source or target link-layer address option for Ethernet, RFC 4861 section 4.6.1. 8 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---------------+---------------+-------------------------------+
/// |     Type      |    Length     |                               |
/// +---------------+---------------+                               +
/// |                      Link-layer address                       |
/// +---------------------------------------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 8)]
public partial struct NeighborOption
{
    /// <summary><see cref="Type"/> of the sender's address.</summary>
    public const byte SourceLinkLayer = 1;

    /// <summary><see cref="Type"/> of the target's address.</summary>
    public const byte TargetLinkLayer = 2;

    /// <summary>Kind of option.</summary>
    public byte Type;

    /// <summary>Of the whole option, in units of 8 bytes; 0 is malformed.</summary>
    public byte Length;

    /// <summary>The address; other data in other options.</summary>
    public EthernetAddress LinkLayer;
}
