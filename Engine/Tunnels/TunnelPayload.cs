using Engine.Protocols;

namespace Engine.Tunnels;

/// <summary>What follows a tunnel header.</summary>
/// <param name="Offset">Where it starts, from the tunnel header on; at most the end.</param>
/// <param name="EtherType">Its type; <see cref="EtherTypes.TransparentEthernet"/> for an Ethernet frame, <see cref="Unknown"/> for what is dropped.</param>
internal readonly record struct TunnelPayload(int Offset, ushort EtherType)
{
    /// <summary><see cref="EtherType"/> of what the tunnel may not carry.</summary>
    public const ushort Unknown = 0;

    /// <summary>Whether it is an Ethernet frame.</summary>
    public bool HasEthernet => EtherType == EtherTypes.TransparentEthernet;

    /// <summary>A packet whose first bits say which version of IP it is, if any.</summary>
    public static TunnelPayload OfIp(ReadOnlySpan<byte> bytes, int offset) => new(offset, bytes.Length == offset ? Unknown : (bytes[offset] >> 4) switch
    {
        4 => EtherTypes.Ipv4,
        6 => EtherTypes.Ipv6,
        _ => Unknown,
    });
}
