using System.Buffers.Binary;
using Engine.Actions;
using Engine.Generators.Infrastructure;
using static Engine.Generators.Pipelines.Literal;

namespace Engine.Generators.Pipelines;

/// <summary>Writes an action list as straight-line code: offsets are constants, and edits under one checksum are added up before it is brought along.</summary>
internal sealed class ActionEmitter
{
    private const int Udp = 17;

    private readonly SourceWriter _writer;
    private readonly CompiledList _list;
    private readonly string _leave;
    private readonly List<string> _addresses = [];
    private readonly List<string> _header = [];
    private readonly List<string> _ports = [];
    private int _shift;
    private bool _hasTag;
    private int _names;

    private ActionEmitter(SourceWriter writer, CompiledList list, string leave)
    {
        _writer = writer;
        _list = list;
        _leave = leave;
        _hasTag = list.Shape.Tag != 0;
    }

    private int Network => _list.Shape.NetworkOffset + _shift;

    private int Transport => _list.Shape.TransportOffset + _shift;

    /// <summary>Whether a straight list changes anything before its output.</summary>
    public static bool Edits(CompiledList list) => list.List.Steps.Any(static step => step.Opcode is not
        (ActionOpcode.Output or ActionOpcode.Drop or ActionOpcode.SetPriority or ActionOpcode.SetMark));

    /// <summary>Writes the edits of a straight list, up to its output.</summary>
    /// <param name="writer">Gets the statements.</param>
    /// <param name="list">The list.</param>
    /// <param name="leave">Statements that end the packet's way, behind a drop.</param>
    public static void EmitEdits(SourceWriter writer, CompiledList list, string leave)
    {
        ActionEmitter emitter = new(writer, list, leave);
        foreach (StepSpec step in list.List.Steps)
        {
            emitter.EmitEdit(step);
        }

        emitter.Flush();
    }

    /// <summary>Writes the statements of a list that is executed packet by packet.</summary>
    /// <param name="writer">Gets the statements.</param>
    /// <param name="list">The list.</param>
    /// <param name="leave">Statements that end the packet's way, behind a drop.</param>
    public static void EmitStepwise(SourceWriter writer, CompiledList list, string leave) => new ActionEmitter(writer, list, leave).EmitStepwise();

    private void EmitStepwise()
    {
        EquatableArray<StepSpec> steps = _list.List.Steps;
        for (int i = 0; i < steps.Count; i++)
        {
            switch (steps[i].Opcode)
            {
                case ActionOpcode.Output:
                    Flush();
                    bool isLast = i == steps.Count - 1;
                    _writer.Write($"PipelineEdits.{(isLast ? "Output" : "OutputCopy")}(ref packet, {Number(steps[i].Argument)}, ref host);");
                    if (isLast)
                    {
                        return;
                    }

                    break;
                case ActionOpcode.Drop:
                    Flush();
                    Drop(ReasonOf(steps[i]));
                    return;
                case ActionOpcode.Truncate:
                    _writer.Write($"PipelineEdits.Truncate(ref packet, {Number(steps[i].Argument)});");
                    break;
                default:
                    EmitEdit(steps[i]);
                    break;
            }
        }

        Flush();
        Drop("LastAction");
    }

    /// <summary>Why packets of a straight list without an output are dropped.</summary>
    public static string ReasonOf(CompiledList list) => list.List.Steps is [.., { Opcode: ActionOpcode.Drop } drop] ? ReasonOf(drop) : "LastAction";

    private static string ReasonOf(StepSpec drop) => drop.Argument == 0 ? "Explicit" : "ExplicitWithError";

    private void EmitEdit(StepSpec step)
    {
        switch (step.Opcode)
        {
            case ActionOpcode.SetEthernet:
                EmitEthernet(step);
                break;
            case ActionOpcode.SetIpv4:
                EmitIpv4(step);
                break;
            case ActionOpcode.SetIpv6:
                EmitIpv6(step);
                break;
            case ActionOpcode.SetTcp or ActionOpcode.SetUdp:
                EmitPorts(step);
                break;
            case ActionOpcode.DecrementTtl:
                EmitDecrementTtl();
                break;
            case ActionOpcode.PushVlan:
                Flush();
                LeaveUnless($"PipelineEdits.TryPushVlan(ref packet, {Hex(step.Argument)})", "ActionError");
                _shift += 4;
                _hasTag = true;
                break;
            case ActionOpcode.PopVlan when _hasTag:
                Flush();
                _writer.Write("PipelineEdits.PopVlan(ref packet);");
                _shift -= 4;
                _hasTag = false;
                break;
            default:
                // Priority and mark are fields of a key that nobody sees again; there is no tag to pop. Outputs and drops are the caller's.
                break;
        }
    }

    private void EmitEthernet(StepSpec step)
    {
        for (int at = 0; at < 12; at += 4)
        {
            if (Word(step, 12 + at) != 0)
            {
                _writer.Write($"PipelineEdits.Replace(ref packet, {Number(at)}, {Hex(Word(step, at))}, {Hex(Word(step, 12 + at))});");
            }
        }
    }

    // struct ovs_key_ipv4, then its mask: source, destination, protocol, TOS, TTL.
    private void EmitIpv4(StepSpec step)
    {
        for (int at = 0; at < 8; at += 4)
        {
            if (Word(step, 12 + at) != 0)
            {
                _addresses.Add($"PipelineEdits.Replace(ref packet, {Number(Network + 12 + at)}, {Hex(Word(step, at))}, {Hex(Word(step, 12 + at))})");
            }
        }

        if (step.Arguments[21] != 0)
        {
            Flush();
            _writer.Write($"PipelineEdits.ReplaceTos(ref packet, {Number(Network)}, {Number(step.Arguments[9])}, {Number(step.Arguments[21])});");
        }

        if (step.Arguments[22] != 0)
        {
            _header.Add($"PipelineEdits.ReplaceTtl(ref packet, {Number(Network)}, {Number(step.Arguments[10])}, {Number(step.Arguments[22])})");
        }
    }

    private void EmitPorts(StepSpec step)
    {
        for (int at = 0; at < 4; at += 2)
        {
            ushort mask = Half(step, 4 + at);
            if (mask != 0)
            {
                _ports.Add($"PipelineEdits.Replace(ref packet, {Number(Transport + at)}, (ushort){Hex(Half(step, at))}, (ushort){Hex(mask)})");
            }
        }
    }

    // struct ovs_key_ipv6, then its mask: source, destination, label, protocol, traffic class, hop limit, fragment.
    private void EmitIpv6(StepSpec step)
    {
        for (int at = 0; at < 32; at += 4)
        {
            if (Word(step, 40 + at) != 0)
            {
                _addresses.Add($"PipelineEdits.Replace(ref packet, {Number(Network + 8 + at)}, {Hex(Word(step, at))}, {Hex(Word(step, 40 + at))})");
            }
        }

        // The first word of the header: version 4 bits, traffic class 8, label 20, in network order.
        uint value = Word(step, 32) | Swap((uint)step.Arguments[37] << 20), mask = Word(step, 72) | Swap((uint)step.Arguments[77] << 20);
        if (mask != 0)
        {
            _writer.Write($"PipelineEdits.Replace(ref packet, {Number(Network)}, {Hex(value)}, {Hex(mask)});");
        }

        if (step.Arguments[78] != 0)
        {
            _writer.Write($"PipelineEdits.Replace(ref packet, {Number(Network + 7)}, (byte){Number(step.Arguments[38])}, (byte){Number(step.Arguments[78])});");
        }
    }

    private void EmitDecrementTtl()
    {
        Flush();
        if (_list.Shape.IsIpv6)
        {
            LeaveUnless($"PipelineEdits.TryDecrementHopLimit(ref packet, {Number(Network)})", "IpTtl");
            return;
        }

        string difference = $"ttl{Number(_names++)}";
        _writer.Write($"ulong {difference} = 0;");
        LeaveUnless($"PipelineEdits.TryDecrementTtl(ref packet, {Number(Network)}, ref {difference})", "IpTtl");
        _header.Add(difference);
    }

    // Writes the edits that wait, and brings the checksums along once. IPv6 has no checksum of its header.
    private void Flush()
    {
        if (_addresses.Count + _header.Count + _ports.Count == 0)
        {
            return;
        }

        string addresses = Sum("addresses", _addresses), header = Sum("header", _header), ports = Sum("ports", _ports);
        if (_list.Shape.IsIpv4 && addresses.Length + header.Length != 0)
        {
            _writer.Write($"PipelineEdits.UpdateIpv4Checksum(ref packet, {Number(Network)}, {Join(addresses, header)});");
        }

        if (addresses.Length + ports.Length != 0)
        {
            string name = _list.Protocol == Udp ? "Udp" : "Tcp";
            _writer.Write($"PipelineEdits.Update{name}Checksum(ref packet, {Number(Transport)}, {OrNone(addresses)}, {OrNone(ports)});");
        }
    }

    private string Sum(string name, List<string> terms)
    {
        if (terms.Count == 0)
        {
            return string.Empty;
        }

        // A difference that has a name already.
        if (terms.Count == 1 && terms[0].All(char.IsLetterOrDigit))
        {
            name = terms[0];
            terms.Clear();
            return name;
        }

        name += Number(_names++);
        _writer.Write($"ulong {name} = {string.Join("\n    + ", terms)};");
        terms.Clear();
        return name;
    }

    private static string Join(string one, string other) => one.Length == 0 ? other : other.Length == 0 ? one : $"{one} + {other}";

    private static string OrNone(string difference) => difference.Length == 0 ? "0" : difference;

    private void LeaveUnless(string condition, string reason)
    {
        _writer.Open($"if (!{condition})");
        Drop(reason);
        _writer.Write(_leave).Close().Blank();
    }

    private void Drop(string reason) => _writer.Write($"PipelineEdits.Drop(ref packet, DropReason.{reason}, ref host);");

    private static uint Swap(uint word) => BinaryPrimitives.ReverseEndianness(word);

    private static uint Word(StepSpec step, int at) => BinaryPrimitives.ReadUInt32LittleEndian(step.Arguments.Skip(at).Take(4).ToArray());

    private static ushort Half(StepSpec step, int at) => BinaryPrimitives.ReadUInt16LittleEndian(step.Arguments.Skip(at).Take(2).ToArray());
}
