using Engine.Actions;

namespace Engine.Generators.Pipelines;

/// <summary>How the actions of the flows that compiled matching finds are executed.</summary>
/// <param name="Compiled">Lists written as code, each with its flows.</param>
/// <param name="Ports">Flows whose list is one output, beyond those: the port is data.</param>
/// <param name="General">Flows whose list the runtime's executor runs.</param>
internal sealed record ActionPlan(List<CompiledList> Compiled, List<int> Ports, List<int> General)
{
    /// <summary>Lists written as code. What comes after them is data.</summary>
    public const int MaximumCompiled = 64;

    /// <summary>Decides.</summary>
    /// <param name="spec">The pipeline.</param>
    /// <param name="shapes">The shapes with the flows that they find.</param>
    public static ActionPlan Of(PipelineSpec spec, IReadOnlyList<(FrameShape Shape, List<Candidate> Candidates)> shapes)
    {
        SortedDictionary<int, List<FrameShape>> found = [];
        foreach ((FrameShape shape, List<Candidate> candidates) in shapes)
        {
            foreach (Candidate candidate in candidates)
            {
                if (!found.TryGetValue(candidate.Number, out List<FrameShape>? of))
                {
                    found.Add(candidate.Number, of = []);
                }

                of.Add(shape);
            }
        }

        ActionPlan plan = new([], [], []);
        Dictionary<(int List, FrameShape Shape, int Protocol), CompiledList> index = [];
        foreach ((int flow, List<FrameShape> of) in found)
        {
            ActionListSpec list = spec.Lists[spec.Flows[flow].List];
            int protocol = CompiledList.NeedsProtocol(list) ? ProtocolOf(spec.Flows[flow]) : 0;
            (int, FrameShape, int) key = (spec.Flows[flow].List, of[0], protocol);
            if (index.TryGetValue(key, out CompiledList? compiled))
            {
                compiled.Flows.Add(flow);
            }
            else if (plan.Compiled.Count < MaximumCompiled && of.Count == 1 && CompiledList.CanBe(list, of[0], protocol))
            {
                compiled = new CompiledList(list, of[0], protocol, [flow]);
                index.Add(key, compiled);
                plan.Compiled.Add(compiled);
            }
            else if (list.Steps is [{ Opcode: ActionOpcode.Output }])
            {
                plan.Ports.Add(flow);
            }
            else
            {
                plan.General.Add(flow);
            }
        }

        return plan;
    }

    // The IP protocol that the flow asks for; 0 when it takes several.
    private static int ProtocolOf(FlowSpec flow)
    {
        MaskedWord word = flow.Match.FirstOrDefault(static word => word.Index == FrameShape.ProtocolWord);
        return (word.Mask & 0xff) == 0xff ? (int)(word.Value & 0xff) : 0;
    }
}

/// <summary>A list as code: what it does to frames of one shape.</summary>
/// <param name="List">The list.</param>
/// <param name="Shape">The shape.</param>
/// <param name="Protocol">The IP protocol of the frames; 0 when it does not matter.</param>
/// <param name="Flows">The flows with this list.</param>
internal sealed record CompiledList(ActionListSpec List, FrameShape Shape, int Protocol, List<int> Flows)
{
    private const int Tcp = 6;
    private const int Udp = 17;

    /// <summary>Whether what it does to a checksum depends on the IP protocol.</summary>
    public static bool NeedsProtocol(ActionListSpec list) =>
        list.Steps.Any(static step => step.Opcode is ActionOpcode.SetIpv4 or ActionOpcode.SetTcp or ActionOpcode.SetUdp);

    /// <summary>Whether all steps are among those that code is written for.</summary>
    public static bool CanBe(ActionListSpec list, FrameShape shape, int protocol)
    {
        int tags = shape.Tag / 4;
        foreach (StepSpec step in list.Steps)
        {
            switch (step.Opcode)
            {
                case ActionOpcode.Output or ActionOpcode.Drop or ActionOpcode.Truncate or ActionOpcode.SetEthernet or ActionOpcode.SetPriority
                    or ActionOpcode.SetMark:
                case ActionOpcode.DecrementTtl when step.Nested == 0:
                case ActionOpcode.SetIpv4 when protocol is Tcp or Udp:
                case ActionOpcode.SetTcp when protocol is Tcp:
                case ActionOpcode.SetUdp when protocol is Udp:
                    break;
                case ActionOpcode.PushVlan when tags == 0:
                    tags++;
                    break;
                case ActionOpcode.PopVlan:
                    tags = 0;
                    break;
                default:
                    return false;
            }
        }

        return true;
    }
}
