using Engine.Generators.Infrastructure;

namespace Engine.Generators.Pipelines;

/// <summary>A shape of frames for which matching is compiled: what the words of the key of such a frame are.</summary>
/// <param name="Name">Ends the names of generated methods, and of <c>PlainFrame.TryView</c>.</param>
/// <param name="Description">In words.</param>
/// <param name="EtherType">As it stands in the key.</param>
/// <param name="Tag">Bytes of VLAN tags.</param>
/// <param name="Words">The words of which a frame may have bits that others of the shape do not have.</param>
internal sealed record FrameShape(string Name, string Description, uint EtherType, int Tag, EquatableArray<FrameWord> Words)
{
    // Places of words in the key; a test holds them to the declaration.
    private const int TypeAndTag = 7;
    private const int InnerTagAndProtocol = 9;

    private const int Ipv4Source = 10;
    private const int Ipv4Destination = 11;
    private const int Ports = 13;

    // IPv4 header, ports, and what a vector takes behind them.
    private const int HeaderWords = 8;

    private const uint EthernetProtocol = 1 << 16;
    private const uint HasTag = 0x0010_0000;

    /// <summary>All shapes, in the order in which they are asked for.</summary>
    public static IReadOnlyList<FrameShape> All { get; } =
    [
        Of("Ipv4", "untagged IPv4 without options, not a fragment, with a whole TCP or UDP header", Ipv4Type, FrameWord.Ipv4),
        Of("TaggedIpv4", "IPv4 of that kind behind one VLAN tag", Ipv4Type, FrameWord.Ipv4),
        Of("Ipv6", "untagged IPv6 without extension headers, with a whole TCP or UDP header", Ipv6Type, FrameWord.Ipv6),
        Of("TaggedIpv6", "IPv6 of that kind behind one VLAN tag", Ipv6Type, FrameWord.Ipv6),
        Of("Arp", "untagged ARP of Ethernet and IPv4", ArpType, FrameWord.Arp),
        Of("TaggedArp", "ARP of that kind behind one VLAN tag", ArpType, FrameWord.Arp),
    ];

    private const uint Ipv4Type = 0x0008;
    private const uint Ipv6Type = 0xdd86;
    private const uint ArpType = 0x0608;

    /// <summary>Where the network header starts.</summary>
    public int NetworkOffset => 14 + Tag;

    /// <summary>Where the transport header starts.</summary>
    public int TransportOffset => NetworkOffset + (IsIpv4 ? 20 : 40);

    /// <summary>Whether it is IPv4.</summary>
    public bool IsIpv4 => EtherType == Ipv4Type;

    /// <summary>Whether it is IPv6.</summary>
    public bool IsIpv6 => EtherType == Ipv6Type;

    /// <summary>What is left to ask of a frame of this shape for a flow to match.</summary>
    /// <returns>Null when no such frame matches.</returns>
    public MaskedWord[]? Specialize(FlowSpec flow)
    {
        List<MaskedWord> rest = [];
        foreach (MaskedWord word in flow.Match)
        {
            uint unknown = Words.FirstOrDefault(open => open.Index == word.Index)?.Bits ?? 0;
            if (((word.Value ^ ValueOf(word.Index)) & word.Mask & ~unknown) != 0
                || (word.Index == FrameWord.ProtocolIndex && (IsIpv4 || IsIpv6) && !IsTcpOrUdp(word)))
            {
                return null;
            }

            uint mask = word.Mask & unknown;
            if (mask != 0)
            {
                rest.Add(new MaskedWord(word.Index, mask, word.Value & mask));
            }
        }

        return [.. rest];
    }

    /// <summary>A word that frames of the shape may have.</summary>
    public FrameWord Word(int index) => Words.First(word => word.Index == index);

    /// <summary>Whether generated code can compare a word together with the others of the header, by <c>PlainFrame.HasIpv4Header</c>.</summary>
    public bool IsInHeader(int index) => IsIpv4 && index is Ipv4Source or Ipv4Destination or FrameWord.ProtocolIndex or Ports;

    /// <summary>Mask and value of the header and the ports behind it, as they stand in the packet, for words that are in it.</summary>
    public static (uint[] Mask, uint[] Value) Header(MaskedWord[] words)
    {
        uint[] mask = new uint[HeaderWords], value = new uint[HeaderWords];
        foreach (MaskedWord word in words)
        {
            foreach ((int at, Func<uint, uint> stand) in Stand(word.Index))
            {
                mask[at] |= stand(word.Mask);
                value[at] |= stand(word.Value);
            }
        }

        return (mask, value);
    }

    // Where the bits of a word of the key stand in the IPv4 header, in words of 4 bytes.
    private static (int At, Func<uint, uint> Stand)[] Stand(int index) => index switch
    {
        Ipv4Source => [(3, static bits => bits)],
        Ipv4Destination => [(4, static bits => bits)],
        Ports => [(5, static bits => bits)],

        // TOS is byte 1; TTL byte 8 and the protocol byte 9.
        _ => [(0, static bits => bits & 0xff00), (2, static bits => ((bits >> 16) & 0xff) | ((bits & 0xff) << 8))],
    };

    private static FrameShape Of(string name, string description, uint type, FrameWord[] words)
    {
        int tag = name.StartsWith("Tagged", StringComparison.Ordinal) ? 4 : 0;
        return new(name, description, type, tag, FrameWord.Link.Concat(tag != 0 ? FrameWord.Tag : []).Concat(words).ToEquatableArray());
    }

    // The bits that every frame of the shape has alike. What only actions or tunnels give is zero in a frame just received.
    private uint ValueOf(int index) => index switch
    {
        TypeAndTag => EtherType | (Tag != 0 ? HasTag : 0),
        InnerTagAndProtocol => EthernetProtocol,
        _ => 0,
    };

    private static bool IsTcpOrUdp(MaskedWord protocol) => (((protocol.Value ^ 6) & protocol.Mask & 0xff) == 0) || (((protocol.Value ^ 17) & protocol.Mask & 0xff) == 0);
}
