using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>Ethernet header, IEEE 802.3 clause 3. 14 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------------------------------+-------------------------------+
/// |                      Destination address                      |
/// +                               +-------------------------------+
/// |                               |                               |
/// +-------------------------------+                               +
/// |                        Source address                         |
/// +-------------------------------+-------------------------------+
/// |     Ethernet type / length    |
/// +-------------------------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 14)]
public partial struct EthernetHeader
{
    /// <summary>Destination address.</summary>
    public EthernetAddress Destination;

    /// <summary>Source address.</summary>
    public EthernetAddress Source;

    /// <summary>One of <see cref="EtherTypes"/>; below 0x0600 it is the length of an LLC frame.</summary>
    public Be16 EtherType;
}
