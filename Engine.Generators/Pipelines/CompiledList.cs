using Engine.Actions;

namespace Engine.Generators.Pipelines;

/// <summary>A list as code: what it does to frames of one shape, or, where the shape does not matter, of all.</summary>
/// <remarks>Compared by reference: it stands for the flows that share it.</remarks>
internal sealed class CompiledList(ActionListSpec list, FrameShape shape, int protocol)
{
    private const int Tcp = 6;
    private const int Udp = 17;

    /// <summary>The list.</summary>
    public ActionListSpec List { get; } = list;

    /// <summary>The shape.</summary>
    public FrameShape Shape { get; } = shape;

    /// <summary>The IP protocol of the frames; 0 when it does not matter.</summary>
    public int Protocol { get; } = protocol;

    /// <summary>Whether it ends with the only output it has, of the whole packet, or with a drop.</summary>
    public bool IsStraight { get; } =
        list.Steps.All(static step => step.Opcode != ActionOpcode.Truncate)
        && list.Steps.Take(list.Steps.Count - 1).All(static step => step.Opcode is not (ActionOpcode.Output or ActionOpcode.Drop));

    /// <summary>The port at the end of a straight list; null for a drop.</summary>
    public uint? Port { get; } = list.Steps.Count != 0 && list.Steps[list.Steps.Count - 1] is { Opcode: ActionOpcode.Output } output ? output.Argument : null;

    /// <summary>Whether what it does to a checksum depends on the IP protocol.</summary>
    public static bool NeedsProtocol(ActionListSpec list) => list.Steps.Any(static step =>
        step.Opcode is ActionOpcode.SetIpv4 or ActionOpcode.SetIpv6 or ActionOpcode.SetTcp or ActionOpcode.SetUdp);

    /// <summary>Whether its offsets depend on the shape.</summary>
    public static bool NeedsShape(ActionListSpec list) => NeedsProtocol(list) || list.Steps.Any(static step =>
        step.Opcode is ActionOpcode.DecrementTtl or ActionOpcode.PushVlan or ActionOpcode.PopVlan);

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
                case ActionOpcode.DecrementTtl when step.Nested == 0 && (shape.IsIpv4 || shape.IsIpv6):
                case ActionOpcode.SetIpv4 when shape.IsIpv4 && protocol is Tcp or Udp:
                case ActionOpcode.SetIpv6 when shape.IsIpv6 && protocol is Tcp or Udp:
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
