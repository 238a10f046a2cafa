namespace Bench.Peers;

/// <summary>What is measured: traffic, flows, and what the flows do.</summary>
/// <param name="Name">By which <c>--case</c> asks for it.</param>
internal sealed record PeerCase(string Name)
{
    /// <summary>Different five-tuples in the capture, each with a flow of its own; with <see cref="CaseKind.NeverRepeating"/> flows.</summary>
    public int FiveTuples { get; init; } = 1;

    /// <summary>Masks over which the flows are spread evenly.</summary>
    public int Masks { get; init; } = 1;

    /// <summary>How masks differ.</summary>
    public MaskShape Shape { get; init; }

    /// <summary>Bytes of a frame, without its checksum; at least what the headers take.</summary>
    public int FrameLength { get; init; } = Traffic.SmallestFrame;

    /// <summary>Headers of the packets.</summary>
    public CaseHeaders Headers { get; init; }

    /// <summary>What every flow does.</summary>
    public CaseActions Actions { get; init; }

    /// <summary>What happens while it is measured.</summary>
    public CaseKind Kind { get; init; }

    /// <summary>Cycles that design goals ask for; 0 for none.</summary>
    public int Goal { get; init; }

    /// <summary>Whether it runs when no case is named.</summary>
    public bool IsDefault { get; init; }

    /// <summary>Whether peers can run it: flows change only in the engine, and a million packets do not fit the hugepages asked for.</summary>
    public bool HasPeers => Kind is CaseKind.Replay or CaseKind.NeverRepeating && FiveTuples <= 200_000;

    /// <summary>In words.</summary>
    public string Title => $"{FiveTuples:N0} {(Kind == CaseKind.NeverRepeating ? "flows, five-tuples never repeat" : FiveTuples == 1 ? "five-tuple" : "five-tuples")}, "
        + $"{Masks} {(Masks == 1 ? "mask" : Shape == MaskShape.Prefixes ? "masks" : "masks of whole bytes")}, {FrameLength} bytes, {Headers}, {Actions}"
        + (Kind is CaseKind.Churn or CaseKind.Upcalls ? $", {Kind}" : string.Empty);

    /// <summary>All cases, in the order in which they run.</summary>
    public static IReadOnlyList<PeerCase> All { get; } = [.. Ladder(), .. Variants(), .. Special()];

    private static IEnumerable<PeerCase> Ladder()
    {
        Dictionary<(int, int), int> goals = new()
        {
            [(1, 1)] = 50,
            [(1_000, 1)] = 70,
            [(20_000, 1)] = 110,
            [(1_000, 10)] = 70,
            [(20_000, 10)] = 120,
            [(20_000, 64)] = 120,
            [(200_000, 100)] = 250,
        };
        yield return Plain(1, 1);
        foreach (int fiveTuples in (int[])[1_000, 20_000, 200_000, 1_000_000])
        {
            foreach (int masks in (int[])[1, 10, 64, 100])
            {
                yield return Plain(fiveTuples, masks);
            }
        }

        PeerCase Plain(int fiveTuples, int masks)
        {
            int goal = goals.GetValueOrDefault((fiveTuples, masks));
            return new PeerCase($"{fiveTuples}x{masks}") { FiveTuples = fiveTuples, Masks = masks, Goal = goal, IsDefault = goal != 0 };
        }
    }

    private static IEnumerable<PeerCase> Variants()
    {
        foreach (int fiveTuples in (int[])[1, 20_000])
        {
            PeerCase start = new(string.Empty) { FiveTuples = fiveTuples, Masks = fiveTuples == 1 ? 1 : 10 };
            string name = $"{fiveTuples}x{start.Masks}";
            yield return start with { Name = $"{name}-1500", FrameLength = 1500 };
            yield return start with { Name = $"{name}-push", Actions = CaseActions.PushVlan, IsDefault = fiveTuples != 1 };
            yield return start with { Name = $"{name}-push-1500", Actions = CaseActions.PushVlan, FrameLength = 1500 };
            yield return start with { Name = $"{name}-nat", Actions = CaseActions.Rewrite, IsDefault = fiveTuples != 1 };
            yield return start with { Name = $"{name}-nat-1500", Actions = CaseActions.Rewrite, FrameLength = 1500 };
            yield return start with { Name = $"{name}-ipv6", Headers = CaseHeaders.UdpIpv6, FrameLength = 64, IsDefault = fiveTuples != 1 };
            yield return start with { Name = $"{name}-vlan", Headers = CaseHeaders.TaggedUdpIpv4, FrameLength = 64 };
        }

        yield return new PeerCase("20000x100-bytes") { FiveTuples = 20_000, Masks = 100, Shape = MaskShape.WholeBytes };
    }

    private static IEnumerable<PeerCase> Special()
    {
        yield return new PeerCase("never") { FiveTuples = 20_000, Masks = 100, Kind = CaseKind.NeverRepeating, Goal = 600, IsDefault = true };
        yield return new PeerCase("never-1") { FiveTuples = 20_000, Masks = 1, Kind = CaseKind.NeverRepeating };
        yield return new PeerCase("never-10") { FiveTuples = 20_000, Masks = 10, Kind = CaseKind.NeverRepeating };
        yield return new PeerCase("never-bytes") { FiveTuples = 20_000, Masks = 100, Shape = MaskShape.WholeBytes, Kind = CaseKind.NeverRepeating };
        yield return new PeerCase("churn") { FiveTuples = 20_000, Masks = 10, Kind = CaseKind.Churn };
        yield return new PeerCase("upcalls") { FiveTuples = 20_000, Kind = CaseKind.Upcalls };
    }
}

/// <summary>How the masks of a case differ.</summary>
internal enum MaskShape
{
    /// <summary>In how many bits of both addresses they cover, as routes and megaflows do.</summary>
    Prefixes,

    /// <summary>In which of seven bytes and addresses they cover as a whole: no two agree.</summary>
    WholeBytes,
}

/// <summary>Headers of the packets of a case.</summary>
internal enum CaseHeaders
{
    /// <summary>Ethernet, IPv4, UDP.</summary>
    UdpIpv4,

    /// <summary>Ethernet, IPv6, UDP.</summary>
    UdpIpv6,

    /// <summary>Ethernet, one 802.1Q tag, IPv4, UDP.</summary>
    TaggedUdpIpv4,
}

/// <summary>What the flows of a case do.</summary>
internal enum CaseActions
{
    /// <summary>Output.</summary>
    Output,

    /// <summary>Push a VLAN tag, output.</summary>
    PushVlan,

    /// <summary>Set both addresses, both ports and a TTL one smaller, output: what NAT in a router does.</summary>
    Rewrite,
}

/// <summary>What happens during a case.</summary>
internal enum CaseKind
{
    /// <summary>The capture is played again and again; every packet has a flow.</summary>
    Replay,

    /// <summary>Every packet has a flow, and no five-tuple comes twice.</summary>
    NeverRepeating,

    /// <summary>A control thread adds and removes 10,000 flows a second meanwhile.</summary>
    Churn,

    /// <summary>Every packet is a miss; a handler installs a flow for it.</summary>
    Upcalls,
}
