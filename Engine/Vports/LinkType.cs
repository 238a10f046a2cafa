namespace Engine.Vports;

/// <summary>What the bytes of a captured packet start with: LINKTYPE_* of the IANA "PCAP LINKTYPE" registry (draft-ietf-opsawg-pcaplinktype).</summary>
/// <remarks>Only the ones named here can be read and written; a capture may carry any 16-bit number.</remarks>
public enum LinkType
{
    /// <summary>LINKTYPE_NULL, which no reader of this engine accepts; here as the value of "not known".</summary>
    Null = 0,

    /// <summary>LINKTYPE_ETHERNET: an Ethernet header, no frame check sequence.</summary>
    Ethernet = 1,

    /// <summary>LINKTYPE_RAW: an IPv4 or IPv6 header, told apart by its version.</summary>
    RawIp = 101,

    /// <summary>LINKTYPE_IPV4: an IPv4 header.</summary>
    Ipv4 = 228,

    /// <summary>LINKTYPE_IPV6: an IPv6 header.</summary>
    Ipv6 = 229,
}
