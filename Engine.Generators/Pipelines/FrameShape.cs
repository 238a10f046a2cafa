using System.Globalization;

namespace Engine.Generators.Pipelines;

/// <summary>A shape of frames for which matching is compiled: what the words of the key of such a frame are.</summary>
/// <param name="Name">Ends the names of generated methods.</param>
/// <param name="Description">In words.</param>
/// <param name="View">How generated code asks for it.</param>
/// <param name="Tag">Bytes of VLAN tags.</param>
internal sealed record FrameShape(string Name, string Description, string View, int Tag)
{
    /// <summary>The word with the IP protocol.</summary>
    public const int ProtocolWord = 12;

    // Places of words in the core of FlowKey; a test holds them to the declaration.
    private const int InPort = 0;
    private const int TypeAndTag = 7;
    private const int Tpid = 8;
    private const int InnerTagAndProtocol = 9;
    private const int Protocol = ProtocolWord;
    private const int FlagsAndZone = 14;

    private const uint Ipv4Type = 0x0008;
    private const uint EthernetProtocol = 1 << 16;

    /// <summary>Untagged IPv4.</summary>
    public static FrameShape Ipv4 { get; } = new("Ipv4", "untagged IPv4 without options, not a fragment, with a whole TCP or UDP header", "TryView", 0);

    /// <summary>IPv4 behind one tag.</summary>
    public static FrameShape TaggedIpv4 { get; } = new("TaggedIpv4", "the same behind one VLAN tag", "TryViewTagged", 4);

    /// <summary>All shapes, in the order in which they are asked for.</summary>
    public static IReadOnlyList<FrameShape> All { get; } = [Ipv4, TaggedIpv4];

    /// <summary>Where the IPv4 header starts.</summary>
    public int NetworkOffset => 14 + Tag;

    /// <summary>What is left to ask of a frame of this shape for a flow to match.</summary>
    /// <returns>Null when no such frame matches.</returns>
    public MaskedWord[]? Specialize(FlowSpec flow)
    {
        List<MaskedWord> rest = [];
        foreach (MaskedWord word in flow.Match)
        {
            (uint known, uint value) = Known(word.Index);
            if (((word.Value ^ value) & word.Mask & known) != 0 || (word.Index == Protocol && !IsTcpOrUdp(word)))
            {
                return null;
            }

            uint mask = word.Mask & ~known;
            if (mask != 0)
            {
                rest.Add(new MaskedWord(word.Index, mask, word.Value & mask));
            }
        }

        return [.. rest];
    }

    /// <summary>The expression for a word of the key, of which only the bits of <paramref name="mask"/> are looked at.</summary>
    public static string Expression(int index, uint mask) => index switch
    {
        InPort => "inPort",
        4 => "frame.Ethernet0",
        5 => "frame.Ethernet1",
        6 => "frame.Ethernet2",
        TypeAndTag => "frame.TypeAndTag",
        Tpid => "frame.Tpid",
        10 => "frame.Ipv4Source",
        11 => "frame.Ipv4Destination",
        Protocol => string.Join(" | ", new[] { (0xffu, "frame.Protocol"), (0xff00u, "frame.Tos"), (0xff_0000u, "frame.Ttl") }
            .Where(part => (part.Item1 & mask) != 0).Select(static part => part.Item2)),
        13 => "frame.Ports",
        _ => "frame.TcpFlags",
    };

    /// <summary>The name of the local for a word of the key.</summary>
    public static string Local(int index) => index switch
    {
        InPort => "inPort",
        4 => "ethernet0",
        5 => "ethernet1",
        6 => "ethernet2",
        TypeAndTag => "typeAndTag",
        Tpid => "tpid",
        10 => "ipv4Source",
        11 => "ipv4Destination",
        Protocol => "protocol",
        13 => "ports",
        FlagsAndZone => "tcpFlags",
        _ => "word" + index.ToString(CultureInfo.InvariantCulture),
    };

    // The bits of a word that every frame of the shape has alike. What only actions or tunnels give is zero in a frame just received.
    private (uint Mask, uint Value) Known(int index) => index switch
    {
        InPort or 4 or 5 or 6 or 10 or 11 or 13 => (0, 0),
        TypeAndTag when Tag == 0 => (uint.MaxValue, Ipv4Type),
        TypeAndTag => (0x0010_ffff, 0x0010_0000 | Ipv4Type),
        Tpid when Tag != 0 => (0xffff_0000, 0),
        InnerTagAndProtocol => (uint.MaxValue, EthernetProtocol),
        Protocol => (0xff00_0000, 0),
        FlagsAndZone => (0xffff_0000, 0),
        _ => (uint.MaxValue, 0),
    };

    private static bool IsTcpOrUdp(MaskedWord protocol) => (((protocol.Value ^ 6) & protocol.Mask & 0xff) == 0) || (((protocol.Value ^ 17) & protocol.Mask & 0xff) == 0);
}
