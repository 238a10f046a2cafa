namespace Engine.Protocols;

/// <summary>IP protocol and IPv6 next header numbers the datapath knows (IANA registry).</summary>
public static class IpProtocols
{
    /// <summary>IPv6 hop-by-hop options.</summary>
    public const byte HopByHop = 0;

    /// <summary>ICMP.</summary>
    public const byte Icmp = 1;

    /// <summary>IPv4 in IP.</summary>
    public const byte Ipv4 = 4;

    /// <summary>TCP.</summary>
    public const byte Tcp = 6;

    /// <summary>UDP.</summary>
    public const byte Udp = 17;

    /// <summary>IPv6 in IP.</summary>
    public const byte Ipv6 = 41;

    /// <summary>IPv6 routing header.</summary>
    public const byte Routing = 43;

    /// <summary>IPv6 fragment header.</summary>
    public const byte Fragment = 44;

    /// <summary>GRE.</summary>
    public const byte Gre = 47;

    /// <summary>Authentication header.</summary>
    public const byte Authentication = 51;

    /// <summary>ICMPv6.</summary>
    public const byte Icmpv6 = 58;

    /// <summary>No next header.</summary>
    public const byte None = 59;

    /// <summary>IPv6 destination options.</summary>
    public const byte DestinationOptions = 60;

    /// <summary>SCTP.</summary>
    public const byte Sctp = 132;

    /// <summary>
    /// Whether <paramref name="number"/> is an IPv6 extension header that can be walked over (the kernel's ipv6_ext_hdr).
    /// ESP is none: what follows it is encrypted.
    /// </summary>
    public static bool IsIpv6Extension(byte number) =>
        number is HopByHop or Routing or Fragment or Authentication or None or DestinationOptions;
}
