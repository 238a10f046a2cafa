using System.Runtime.InteropServices;
using System.Text;
using Engine.Actions;
using Engine.Flows;
using Engine.Generators.Infrastructure;
using Engine.Primitives;
using Engine.Text;

namespace Engine.Generators.Pipelines;

/// <summary>Reads the flows of a declaration into a <see cref="PipelineSpec"/>, by the parser and the rules of the runtime.</summary>
internal sealed class PipelineParser
{
    /// <summary>The most flows of a pipeline.</summary>
    public const int MaximumFlows = 10_000;

    private readonly PipelineDeclaration _declaration;
    private readonly List<DiagnosticInfo> _diagnostics = [];
    private readonly List<ActionListSpec> _lists = [];
    private readonly Dictionary<EquatableArray<StepSpec>, int> _listIndex = [];

    private PipelineParser(PipelineDeclaration declaration) => _declaration = declaration;

    /// <summary>Reads the flows. There is no spec when an error was reported.</summary>
    /// <param name="declaration">What the source says.</param>
    /// <param name="files">All additional files that may hold flows.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public static ParseResult<PipelineSpec> Parse(PipelineDeclaration declaration, EquatableArray<FlowsFile> files, CancellationToken cancellation)
    {
        PipelineParser parser = new(declaration);
        PipelineSpec? spec = parser.Parse(files, cancellation);
        return new(spec, parser._diagnostics.ToEquatableArray());
    }

    private PipelineSpec? Parse(EquatableArray<FlowsFile> files, CancellationToken cancellation)
    {
        if (!_declaration.IsExtensible)
        {
            _diagnostics.Add(_declaration.Place.Report(PipelineDiagnostics.NotPartial, _declaration.Name));
            return null;
        }

        List<FlowSource> sources = [.. ReadFile(files)];
        sources.AddRange(_declaration.Flows.Select(flow => FlowSource.Read(flow, _diagnostics)).OfType<FlowSource>());
        if (sources.Count > MaximumFlows)
        {
            _diagnostics.Add(_declaration.Place.Report(
                PipelineDiagnostics.TooManyFlows, _declaration.Name, sources.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            return null;
        }

        List<FlowSpec> flows = new(sources.Count);
        foreach (FlowSource source in sources)
        {
            cancellation.ThrowIfCancellationRequested();
            if (ReadFlow(source) is { } flow)
            {
                flows.Add(flow);
            }
        }

        if (_diagnostics.Count != 0)
        {
            return null;
        }

        if (flows.Count == 0)
        {
            _diagnostics.Add(_declaration.Place.Report(PipelineDiagnostics.WithoutFlows, _declaration.Name));
        }

        FlowConflicts conflicts = FlowConflicts.Find(flows, cancellation);
        Report(conflicts, sources);
        return conflicts.HasDuplicates ? null : new PipelineSpec(
            _declaration.Namespace, _declaration.Name, _declaration.IsStatic, flows.ToEquatableArray(), _lists.ToEquatableArray(), conflicts.HasOverlaps);
    }

    private IEnumerable<FlowSource> ReadFile(EquatableArray<FlowsFile> files)
    {
        if (_declaration.File is not { } name)
        {
            return [];
        }

        FlowsFile[] named = [.. files.Where(file => IsNamed(file.Path, name))];
        if (named.Length == 1)
        {
            return FlowSource.Read(named[0], _diagnostics);
        }

        _diagnostics.Add(_declaration.FilePlace.Report(PipelineDiagnostics.FileMissing, name, named.Length == 0 ? "none" : "several"));
        return [];
    }

    // The name may have folders in front, as far as they are needed to tell files apart.
    private static bool IsNamed(string path, string name)
    {
        path = path.Replace('\\', '/');
        name = name.Replace('\\', '/');
        return name.Length != 0 && (path == name || path.EndsWith("/" + name, StringComparison.Ordinal));
    }

    private FlowSpec? ReadFlow(FlowSource source)
    {
        FlowLine line = source.Line;
        FlowKey.MaskedCopy(in line.Key, in line.Mask, out FlowKey masked);
        Refusal refusal = ActionList.TryCreate(line.Actions.Span, in masked, ActionFeatures.All, out ActionList? list);
        if (refusal.IsRefused)
        {
            _diagnostics.Add(source.PlaceOf(line.ErrorInActions(in refusal).Column - 1).Report(PipelineDiagnostics.FlowRefused, refusal.Reason ?? "refused"));
            return null;
        }

        return new FlowSpec(source.Text.Trim(), MaskedWords(in masked, in line.Mask).ToEquatableArray(), ListOf(list!));
    }

    private static List<MaskedWord> MaskedWords(in FlowKey key, in FlowKey mask)
    {
        ReadOnlySpan<uint> values = WordsOf(in key), masks = WordsOf(in mask);
        List<MaskedWord> words = [];
        for (int i = 0; i < masks.Length; i++)
        {
            if (masks[i] != 0)
            {
                words.Add(new MaskedWord(i, masks[i], values[i] & masks[i]));
            }
        }

        return words;
    }

    private static ReadOnlySpan<uint> WordsOf(in FlowKey key) =>
        MemoryMarshal.Cast<FlowKey, uint>(new ReadOnlySpan<FlowKey>(in key))[..(FlowKey.MatchedSize / sizeof(uint))];

    private int ListOf(ActionList list)
    {
        List<StepSpec> steps = [];
        ReadOnlySpan<ActionStep> compiled = list.Steps;
        foreach (ref readonly ActionStep step in compiled)
        {
            steps.Add(new StepSpec(step.Opcode, step.Argument, step.Small, step.Nested, ArgumentsOf(list, in step).ToEquatableArray()));
        }

        // The arguments of these stand in objects; the attributes tell lists apart.
        EquatableArray<StepSpec> key = steps.ToEquatableArray();
        if (steps.Any(static step => step.Opcode is ActionOpcode.Conntrack or ActionOpcode.SetTunnel or ActionOpcode.Userspace or ActionOpcode.PushNsh))
        {
            key = steps.Append(new StepSpec(ActionOpcode.Drop, 0, 0, 0, list.Attributes.ToArray().ToEquatableArray())).ToEquatableArray();
        }

        if (!_listIndex.TryGetValue(key, out int index))
        {
            index = _lists.Count;
            _listIndex.Add(key, index);
            StringBuilder text = new();
            ActionText.Format(text, list.Attributes);
            _lists.Add(new ActionListSpec(text.ToString(), steps.ToEquatableArray()));
        }

        return index;
    }

    private static byte[] ArgumentsOf(ActionList list, in ActionStep step)
    {
        int size = step.Opcode switch
        {
            ActionOpcode.SetEthernet or ActionOpcode.SetIpv4 => 24,
            ActionOpcode.SetIpv6 => 80,
            ActionOpcode.SetTcp or ActionOpcode.SetUdp or ActionOpcode.SetSctp or ActionOpcode.SetMpls or ActionOpcode.SetPriority or ActionOpcode.SetMark => 8,
            ActionOpcode.PushEthernet => 12,
            _ => 0,
        };
        return list.Arguments.Slice(size == 0 ? 0 : step.Offset, size).ToArray();
    }

    private void Report(FlowConflicts conflicts, List<FlowSource> sources)
    {
        foreach ((int flow, int earlier, FlowConflicts.Kind kind) in conflicts.Found)
        {
            _diagnostics.Add(sources[flow].Place.Report(
                kind switch
                {
                    FlowConflicts.Kind.Duplicate => PipelineDiagnostics.FlowGivenTwice,
                    FlowConflicts.Kind.Unreachable => PipelineDiagnostics.FlowUnreachable,
                    _ => PipelineDiagnostics.FlowsOverlap,
                },
                sources[earlier].Place.ToString()));
        }

        for (int i = 0; i < sources.Count; i++)
        {
            if (NeverMatching.Reason(in sources[i].Line.Key, in sources[i].Line.Mask) is { } reason)
            {
                _diagnostics.Add(sources[i].Place.Report(PipelineDiagnostics.FlowNeverMatches, reason));
            }
        }
    }
}
