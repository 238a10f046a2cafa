using Engine.Annotations;
using Engine.Primitives;

namespace Engine.Protocols;

/// <summary>ARP and RARP packet for IPv4 over Ethernet, RFC 826 and RFC 903. 28 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------------------------------+-------------------------------+
/// |         Hardware type         |         Protocol type         |
/// +---------------+---------------+-------------------------------+
/// |  Hw. length   | Proto. length |           Operation           |
/// +---------------+---------------+-------------------------------+
/// |                    Sender hardware address                    |
/// +                               +-------------------------------+
/// |                               |   Sender protocol address     |
/// +-------------------------------+-------------------------------+
/// |   Sender protocol address     |                               |
/// +-------------------------------+                               +
/// |                    Target hardware address                    |
/// +---------------------------------------------------------------+
/// |                    Target protocol address                    |
/// +---------------------------------------------------------------+
/// </code>
/// The addresses have these lengths only when the first four fields say so.
/// </remarks>
[ProtocolHeader(Size = 28)]
public partial struct ArpHeader
{
    /// <summary><see cref="HardwareType"/> of Ethernet.</summary>
    public const ushort Ethernet = 1;

    /// <summary>Kind of hardware address.</summary>
    public Be16 HardwareType;

    /// <summary>Kind of protocol address, an Ethernet type.</summary>
    public Be16 ProtocolType;

    /// <summary>Bytes of a hardware address.</summary>
    public byte HardwareLength;

    /// <summary>Bytes of a protocol address.</summary>
    public byte ProtocolLength;

    /// <summary>1 request, 2 reply; 3 and 4 for RARP.</summary>
    public Be16 Operation;

    /// <summary>Sender hardware address.</summary>
    public EthernetAddress SenderHardware;

    /// <summary>Sender protocol address.</summary>
    public Be32 SenderProtocol;

    /// <summary>Target hardware address.</summary>
    public EthernetAddress TargetHardware;

    /// <summary>Target protocol address.</summary>
    public Be32 TargetProtocol;
}
