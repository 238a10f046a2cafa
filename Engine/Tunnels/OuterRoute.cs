using Engine.Primitives;

namespace Engine.Tunnels;

/// <summary>How the host reaches the other end of a tunnel.</summary>
/// <param name="Ipv4Source">Source address of IPv4.</param>
/// <param name="Ipv6Source">Source address of IPv6.</param>
/// <param name="MaximumTransmissionUnit">The longest outer packet of the path, as far as the host knows.</param>
internal readonly record struct OuterRoute(Be32 Ipv4Source, Ipv6Address Ipv6Source, int MaximumTransmissionUnit);
