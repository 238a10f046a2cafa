namespace Engine.Generators.Pipelines;

/// <summary>A word of the key, as generated code has it of a frame.</summary>
/// <param name="Index">Place in the key, in words of 4 bytes.</param>
/// <param name="Name">Name of the local.</param>
/// <param name="Parts">The properties of <c>PlainFrame</c> that it is made of, with their bits.</param>
internal sealed record FrameWord(int Index, string Name, params (uint Bits, string Property)[] Parts)
{
    /// <summary>The port, which is a parameter.</summary>
    public const int InPortIndex = 0;

    /// <summary>IP protocol, TOS, TTL.</summary>
    public const int ProtocolIndex = 12;

    /// <summary>What every frame has.</summary>
    public static FrameWord[] Link { get; } =
    [
        new(InPortIndex, "inPort", (uint.MaxValue, "")),
        Whole(4, "Ethernet0"), Whole(5, "Ethernet1"), Whole(6, "Ethernet2"),
    ];

    /// <summary>What a tagged frame has.</summary>
    public static FrameWord[] Tag { get; } = [new(7, "tag", (0xffef_0000, "Tag")), new(8, "tpid", (0xffff, "Tpid"))];

    /// <summary>What IPv4 has.</summary>
    public static FrameWord[] Ipv4 { get; } =
    [
        Whole(10, "Ipv4Source"), Whole(11, "Ipv4Destination"),
        new(ProtocolIndex, "protocol", (0xff, "Ipv4Protocol"), (0xff00, "Ipv4Tos"), (0xff_0000, "Ipv4Ttl")),
        new(13, "ports", (uint.MaxValue, "Ipv4Ports")), new(14, "tcpFlags", (0xffff, "TcpFlags")),
    ];

    /// <summary>What IPv6 has.</summary>
    public static FrameWord[] Ipv6 { get; } =
    [
        new(ProtocolIndex, "protocol", (0xff, "Ipv6Protocol"), (0xff00, "Ipv6Class"), (0xff_0000, "Ipv6HopLimit")),
        new(13, "ports", (uint.MaxValue, "Ipv6Ports")), new(14, "tcpFlags", (0xffff, "TcpFlags")),
        Whole(16, "Ipv6Source0"), Whole(17, "Ipv6Source1"), Whole(18, "Ipv6Source2"), Whole(19, "Ipv6Source3"),
        Whole(20, "Ipv6Destination0"), Whole(21, "Ipv6Destination1"), Whole(22, "Ipv6Destination2"), Whole(23, "Ipv6Destination3"),
        new(24, "label", (0xffff_0f00, "Ipv6Label")),
    ];

    /// <summary>What ARP has.</summary>
    public static FrameWord[] Arp { get; } =
    [
        Whole(10, "ArpSender"), Whole(11, "ArpTarget"), new(ProtocolIndex, "operation", (0xff, "ArpOperation")),
        Whole(26, "ArpHardware0"), Whole(27, "ArpHardware1"), Whole(28, "ArpHardware2"),
    ];

    /// <summary>The bits that a frame may have.</summary>
    public uint Bits => Parts.Aggregate(0u, static (bits, part) => bits | part.Bits);

    /// <summary>The expression, of which only the bits of <paramref name="mask"/> are looked at.</summary>
    public string Expression(uint mask) => string.Join(" | ", Parts.Where(part => (part.Bits & mask) != 0).Select(static part => "frame." + part.Property));

    private static FrameWord Whole(int index, string property) =>
        new(index, char.ToLowerInvariant(property[0]) + property.Substring(1), (uint.MaxValue, property));
}
