using Engine.Primitives;

namespace Engine.Platform;

/// <summary>What is known of a datagram besides its bytes: the outer header that the kernel took off.</summary>
internal struct Datagram
{
    /// <summary>Bytes of it, or of all of them when the kernel has put several together.</summary>
    public int Length;

    /// <summary>Bytes of each datagram when the kernel has put several together (UDP_GRO), the last may be shorter; 0 for one.</summary>
    public int SegmentSize;

    /// <summary>Whether the addresses are of IPv6.</summary>
    public bool IsIpv6;

    /// <summary>Whether the UDP header carries a checksum.</summary>
    public bool HasChecksum;

    /// <summary>TOS or traffic class.</summary>
    public byte Tos;

    /// <summary>TTL or hop limit.</summary>
    public byte Ttl;

    /// <summary>UDP source port; 0 for other protocols.</summary>
    public Be16 SourcePort;

    /// <summary>Addresses of IPv4.</summary>
    public Be32 Ipv4Source, Ipv4Destination;

    /// <summary>Addresses of IPv6.</summary>
    public Ipv6Address Ipv6Source, Ipv6Destination;
}
