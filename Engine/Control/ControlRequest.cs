using Engine.Netlink;

namespace Engine.Control;

/// <summary>A request: who asks, the headers, and the attributes.</summary>
internal readonly ref struct ControlRequest(ControlClient client, ControlFamily family, NetlinkHeader header, GenericHeader generic, int ifindex, ReadOnlySpan<byte> attributes)
{
    /// <summary>Who asks.</summary>
    public ControlClient Client { get; } = client;

    /// <summary>The family asked.</summary>
    public ControlFamily Family { get; } = family;

    /// <summary>The netlink header.</summary>
    public NetlinkHeader Header { get; } = header;

    /// <summary>The generic header.</summary>
    public GenericHeader Generic { get; } = generic;

    /// <summary>struct ovs_header: index of the datapath's local device; 0 in a family without it.</summary>
    public int Ifindex { get; } = ifindex;

    /// <summary>The attributes.</summary>
    public ReadOnlySpan<byte> Attributes { get; } = attributes;

    /// <summary>Offset of the attributes from the start of the message.</summary>
    public int AttributesOffset => NetlinkHeader.Size + GenericHeader.Size + Family.HeaderSize;

    /// <summary>The header of an answer.</summary>
    public MessageTarget Answer => new(Family, Header.Sequence, Client.PortId);
}
