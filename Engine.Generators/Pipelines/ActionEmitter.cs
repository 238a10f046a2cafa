using System.Buffers.Binary;
using System.Globalization;
using Engine.Actions;
using Engine.Generators.Infrastructure;

namespace Engine.Generators.Pipelines;

/// <summary>Writes an action list as straight-line code: offsets are constants, and edits under one checksum are added up before it is brought along.</summary>
internal sealed class ActionEmitter
{
    private const int Udp = 17;

    private readonly SourceWriter _writer;
    private readonly CompiledList _list;
    private readonly List<string> _addresses = [];
    private readonly List<string> _header = [];
    private readonly List<string> _ports = [];
    private int _network;
    private bool _hasTag;
    private int _names;

    private ActionEmitter(SourceWriter writer, CompiledList list)
    {
        _writer = writer;
        _list = list;
        _network = list.Shape.NetworkOffset;
        _hasTag = list.Shape.Tag != 0;
    }

    /// <summary>Writes the statements of a case: <c>packet</c> is taken, and left is by <c>break</c> or at the end.</summary>
    public static void Emit(SourceWriter writer, CompiledList list) => new ActionEmitter(writer, list).Emit();

    private void Emit()
    {
        EquatableArray<StepSpec> steps = _list.List.Steps;
        if (steps.Any(EditsTransport))
        {
            _writer.Open("if (PipelineEdits.LeavesChecksum(ref packet))");
            _writer.Write("s_table.Execute(flow, ref packet, i, ref host);").Write("break;").Close().Blank();
        }

        for (int i = 0; i < steps.Count; i++)
        {
            if (EmitStep(steps[i], i == steps.Count - 1))
            {
                return;
            }
        }

        Drop("LastAction");
    }

    // The transport checksum covers the addresses and the ports.
    private static bool EditsTransport(StepSpec step) => step.Opcode switch
    {
        ActionOpcode.SetTcp or ActionOpcode.SetUdp => true,
        ActionOpcode.SetIpv4 => Word(step, 12) != 0 || Word(step, 16) != 0,
        _ => false,
    };

    // Returns whether the list ends here.
    private bool EmitStep(StepSpec step, bool isLast)
    {
        switch (step.Opcode)
        {
            case ActionOpcode.Output:
                Flush();
                _writer.Write($"PipelineEdits.{(isLast ? "Output" : "OutputCopy")}(ref packet, {Text(step.Argument)}, ref host);");
                return isLast;
            case ActionOpcode.Drop:
                Flush();
                Drop(step.Argument == 0 ? "Explicit" : "ExplicitWithError");
                return true;
            case ActionOpcode.Truncate:
                _writer.Write($"PipelineEdits.Truncate(ref packet, {Text(step.Argument)});");
                return false;
            case ActionOpcode.SetEthernet:
                EmitEthernet(step);
                return false;
            case ActionOpcode.SetIpv4:
                EmitIpv4(step);
                return false;
            case ActionOpcode.SetTcp or ActionOpcode.SetUdp:
                EmitPorts(step);
                return false;
            case ActionOpcode.DecrementTtl:
                EmitDecrementTtl();
                return false;
            case ActionOpcode.PushVlan:
                Flush();
                _writer.Open($"if (!PipelineEdits.TryPushVlan(ref packet, {Hex(step.Argument)}))");
                Drop("ActionError");
                _writer.Write("break;").Close().Blank();
                _network += 4;
                _hasTag = true;
                return false;
            case ActionOpcode.PopVlan when _hasTag:
                Flush();
                _writer.Write("PipelineEdits.PopVlan(ref packet);");
                _network -= 4;
                _hasTag = false;
                return false;
            default:
                // Priority and mark are fields of a key that nobody sees again; there is no tag to pop.
                return false;
        }
    }

    private void EmitEthernet(StepSpec step)
    {
        for (int at = 0; at < 12; at += 4)
        {
            if (Word(step, 12 + at) != 0)
            {
                _writer.Write($"PipelineEdits.Replace(ref packet, {Text(at)}, {Hex(Word(step, at))}, {Hex(Word(step, 12 + at))});");
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
                _addresses.Add($"PipelineEdits.Replace(ref packet, {Text(_network + 12 + at)}, {Hex(Word(step, at))}, {Hex(Word(step, 12 + at))})");
            }
        }

        if (step.Arguments[21] != 0)
        {
            Flush();
            _writer.Write($"PipelineEdits.ReplaceTos(ref packet, {Text(_network)}, {Text(step.Arguments[9])}, {Text(step.Arguments[21])});");
        }

        if (step.Arguments[22] != 0)
        {
            _header.Add($"PipelineEdits.ReplaceTtl(ref packet, {Text(_network)}, {Text(step.Arguments[10])}, {Text(step.Arguments[22])})");
        }
    }

    private void EmitPorts(StepSpec step)
    {
        for (int at = 0; at < 4; at += 2)
        {
            ushort mask = Half(step, 4 + at);
            if (mask != 0)
            {
                _ports.Add($"PipelineEdits.Replace(ref packet, {Text(_network + 20 + at)}, (ushort){Hex(Half(step, at))}, (ushort){Hex(mask)})");
            }
        }
    }

    private void EmitDecrementTtl()
    {
        Flush();
        string difference = $"ttl{Text(_names++)}";
        _writer.Write($"ulong {difference} = 0;");
        _writer.Open($"if (!PipelineEdits.TryDecrementTtl(ref packet, {Text(_network)}, ref {difference}))");
        Drop("IpTtl");
        _writer.Write("break;").Close().Blank();
        _header.Add(difference);
    }

    // Writes the edits that wait, and brings the checksums along once.
    private void Flush()
    {
        if (_addresses.Count + _header.Count + _ports.Count == 0)
        {
            return;
        }

        string addresses = Sum("addresses", _addresses), header = Sum("header", _header), ports = Sum("ports", _ports);
        if (addresses.Length + header.Length != 0)
        {
            _writer.Write($"PipelineEdits.UpdateIpv4Checksum(ref packet, {Text(_network)}, {Join(addresses, header)});");
        }

        if (addresses.Length + ports.Length != 0)
        {
            _writer.Write($"PipelineEdits.Update{(_list.Protocol == Udp ? "Udp" : "Tcp")}Checksum(ref packet, {Text(_network + 20)}, {Join(addresses, ports)});");
        }
    }

    private string Sum(string name, List<string> terms)
    {
        if (terms.Count == 0)
        {
            return string.Empty;
        }

        name += Text(_names++);
        _writer.Write($"ulong {name} = {string.Join("\n    + ", terms)};");
        terms.Clear();
        return name;
    }

    private static string Join(string one, string other) => one.Length == 0 ? other : other.Length == 0 ? one : $"{one} + {other}";

    private void Drop(string reason)
    {
        Flush();
        _writer.Write($"PipelineEdits.Drop(ref packet, DropReason.{reason}, ref host);");
    }

    private static uint Word(StepSpec step, int at) => BinaryPrimitives.ReadUInt32LittleEndian(step.Arguments.Skip(at).Take(4).ToArray());

    private static ushort Half(StepSpec step, int at) => BinaryPrimitives.ReadUInt16LittleEndian(step.Arguments.Skip(at).Take(2).ToArray());

    private static string Hex(uint number) => "0x" + number.ToString("x", CultureInfo.InvariantCulture) + "u";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
