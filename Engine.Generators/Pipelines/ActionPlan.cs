using Engine.Actions;

namespace Engine.Generators.Pipelines;

/// <summary>How the actions of the flows that compiled matching finds are executed: each flow has, for each shape, the number of a list.</summary>
/// <remarks>
/// First come <see cref="Straight"/> lists, which are executed for all their packets of a batch at once, then <see cref="Stepwise"/> ones,
/// then <see cref="ByPort"/>, then <see cref="Other"/>; from the stepwise ones on, packet by packet.
/// </remarks>
internal sealed class ActionPlan
{
    /// <summary>Lists written as code. What comes after them is data.</summary>
    public const int MaximumCompiled = 62;

    private readonly Dictionary<(FrameShape Shape, int Flow), CompiledList?> _listOf = [];

    private ActionPlan(PipelineSpec spec, IReadOnlyList<(FrameShape Shape, List<Candidate> Candidates)> shapes)
    {
        Dictionary<(int List, FrameShape? Shape, int Protocol), CompiledList> index = [];
        foreach ((FrameShape shape, List<Candidate> candidates) in shapes)
        {
            foreach (int flow in candidates.Select(static candidate => candidate.Number))
            {
                ActionListSpec list = spec.Lists[spec.Flows[flow].List];
                int protocol = CompiledList.NeedsProtocol(list) ? ProtocolOf(spec.Flows[flow]) : 0;
                (int, FrameShape?, int) key = (spec.Flows[flow].List, CompiledList.NeedsShape(list) ? shape : null, protocol);
                if (!index.TryGetValue(key, out CompiledList? compiled) && index.Count < MaximumCompiled && CompiledList.CanBe(list, shape, protocol))
                {
                    compiled = new CompiledList(list, shape, protocol);
                    index.Add(key, compiled);
                    (compiled.IsStraight ? Straight : Stepwise).Add(compiled);
                }

                _listOf.Add((shape, flow), compiled);
                if (compiled is null && list.Steps is [{ Opcode: ActionOpcode.Output }])
                {
                    Ports[flow] = list.Steps[0].Argument;
                }
            }
        }
    }

    /// <summary>Lists that end with the only output they have, or with a drop.</summary>
    public List<CompiledList> Straight { get; } = [];

    /// <summary>Lists that send copies, or cut.</summary>
    public List<CompiledList> Stepwise { get; } = [];

    /// <summary>Flows whose list is one output, beyond those: the port is data.</summary>
    public SortedDictionary<int, uint> Ports { get; } = [];

    /// <summary>Number of the lists in <see cref="Ports"/>.</summary>
    public int ByPort => Straight.Count + Stepwise.Count;

    /// <summary>Number of what the runtime executes: other lists, other packets.</summary>
    public int Other => ByPort + (Ports.Count == 0 ? 0 : 1);

    /// <summary>Decides.</summary>
    /// <param name="spec">The pipeline.</param>
    /// <param name="shapes">The shapes with the flows that they find.</param>
    public static ActionPlan Of(PipelineSpec spec, IReadOnlyList<(FrameShape Shape, List<Candidate> Candidates)> shapes) => new(spec, shapes);

    /// <summary>The number of the list of a flow.</summary>
    public int NumberOf(FrameShape shape, int flow)
    {
        CompiledList? compiled = _listOf.GetValueOrDefault((shape, flow));
        return compiled is null ? (_listOf.ContainsKey((shape, flow)) && Ports.ContainsKey(flow) ? ByPort : Other)
            : compiled.IsStraight ? Straight.IndexOf(compiled)
            : Straight.Count + Stepwise.IndexOf(compiled);
    }

    // The IP protocol that the flow asks for; 0 when it takes several.
    private static int ProtocolOf(FlowSpec flow)
    {
        MaskedWord word = flow.Match.FirstOrDefault(static word => word.Index == FrameWord.ProtocolIndex);
        return (word.Mask & 0xff) == 0xff ? (int)(word.Value & 0xff) : 0;
    }
}
