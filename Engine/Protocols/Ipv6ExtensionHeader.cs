using Engine.Annotations;

namespace Engine.Protocols;

/// <summary>Start of an IPv6 extension header: hop-by-hop options, destination options, routing, authentication (RFC 8200 section 4). 2 bytes.</summary>
/// <remarks>
/// <code>
///  0                   1
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
/// +---------------+---------------+
/// |  Next header  |    Length     |
/// +---------------+---------------+
/// </code>
/// </remarks>
[ProtocolHeader(Size = 2)]
public partial struct Ipv6ExtensionHeader
{
    /// <summary>Type of the header that follows this one.</summary>
    public byte NextHeader;

    /// <summary>Units of 8 bytes after the first 8; in the authentication header (RFC 4302) units of 4 bytes after the first 8.</summary>
    public byte Length;
}
