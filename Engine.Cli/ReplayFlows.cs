using System.Text;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Pipelines;
using Engine.Text;

namespace Engine.Cli;

/// <summary>The flows of a replay: those of the pipeline, then those of the file, each in their order.</summary>
internal sealed class ReplayFlows
{
    private readonly List<(string Text, Func<FlowStats> ReadStats)> _flows = [];
    private readonly SortedSet<uint> _outputPorts = [];

    private ReplayFlows()
    {
    }

    /// <summary>The flows: the key as it was written with the actions as <c>ovs-dpctl dump-flows</c> prints them, and what they have matched.</summary>
    public IReadOnlyList<(string Text, Func<FlowStats> ReadStats)> Flows => _flows;

    /// <summary>The ports they may send to, in ascending order.</summary>
    public IReadOnlyCollection<uint> OutputPorts => _outputPorts;

    /// <summary>Loads the pipeline, reads the flows file and installs its flows.</summary>
    /// <exception cref="CommandFailure">
    /// A file cannot be read or has no pipeline, or has lines that do not parse or that the kernel would refuse: all of them are told.
    /// </exception>
    public static ReplayFlows Load(ReplayOptions options, Datapath datapath)
    {
        ReplayFlows flows = new();
        if (options.PipelinePath is { } assembly)
        {
            flows.Add(ReplayPipeline.Use(assembly, datapath));
        }

        if (options.FlowsPath is { } file)
        {
            flows.Read(file, datapath);
        }

        return flows;
    }

    private void Add(DatapathPipeline pipeline)
    {
        for (int i = 0; i < pipeline.Table.Flows.Count; i++)
        {
            int flow = i;
            PipelineFlow of = pipeline.Table.Flows[i];
            _flows.Add((of.Text, () => pipeline.ReadStats(flow)));
            Actions.OutputPorts.Collect(of.Actions.Attributes, _outputPorts);
        }
    }

    private void Read(string path, Datapath datapath)
    {
        string content;
        try
        {
            content = File.ReadAllText(path);
        }
        catch (Exception exception) when (CommandFailure.IsOfFile(exception))
        {
            throw CommandFailure.OfFile("read", path, exception);
        }

        FlowFile.TryParse(path, content, out IReadOnlyList<FlowLine> lines, out IReadOnlyList<FlowFileError> errors);
        List<FlowFileError> allErrors = [.. errors];
        foreach (FlowLine line in lines)
        {
            if (line.Install(datapath.Flows, out Flow? flow) is { } error)
            {
                allErrors.Add(error);
            }
            else
            {
                _flows.Add((Format(line), flow!.ReadStats));
                Actions.OutputPorts.Collect(flow.Actions.Attributes, _outputPorts);
            }
        }

        if (allErrors.Count != 0)
        {
            throw new CommandFailure(ExitCode.BadInput, [.. allErrors.OrderBy(error => error.Line).Select(error => error.ToString())]);
        }
    }

    private static string Format(FlowLine line)
    {
        StringBuilder text = new StringBuilder(line.KeyText).Append(", actions:");
        ActionText.Format(text, line.Actions.Span);
        return text.ToString();
    }
}
