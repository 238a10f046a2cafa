using System.Text;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Text;

namespace Engine.Cli;

/// <summary>The flows of a replay, in the order of their file.</summary>
internal sealed class ReplayFlows
{
    private ReplayFlows(IReadOnlyList<(Flow Flow, string Text)> flows, IReadOnlyCollection<uint> outputPorts)
    {
        Flows = flows;
        OutputPorts = outputPorts;
    }

    /// <summary>The flows, each with its text: the key as it was written and the actions as <c>ovs-dpctl dump-flows</c> prints them.</summary>
    public IReadOnlyList<(Flow Flow, string Text)> Flows { get; }

    /// <summary>The ports they may send to, in ascending order.</summary>
    public IReadOnlyCollection<uint> OutputPorts { get; }

    /// <summary>Reads a flows file and installs its flows.</summary>
    /// <exception cref="CommandFailure">The file cannot be read, or has lines that do not parse or that the kernel would refuse: all of them are told.</exception>
    public static ReplayFlows Load(string path, Datapath datapath)
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
        List<(Flow, string)> flows = new(lines.Count);
        SortedSet<uint> outputPorts = [];
        foreach (FlowLine line in lines)
        {
            if (line.Install(datapath.Flows, out Flow? flow) is { } error)
            {
                allErrors.Add(error);
            }
            else
            {
                flows.Add((flow!, Format(line)));
                Actions.OutputPorts.Collect(flow!.Actions.Attributes, outputPorts);
            }
        }

        if (allErrors.Count != 0)
        {
            throw new CommandFailure(ExitCode.BadInput, [.. allErrors.OrderBy(error => error.Line).Select(error => error.ToString())]);
        }

        return new ReplayFlows(flows, outputPorts);
    }

    private static string Format(FlowLine line)
    {
        StringBuilder text = new StringBuilder(line.KeyText).Append(", actions:");
        ActionText.Format(text, line.Actions.Span);
        return text.ToString();
    }
}
