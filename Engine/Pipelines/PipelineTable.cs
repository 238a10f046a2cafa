using System.ComponentModel;
using System.Runtime.CompilerServices;
using Engine.Actions;
using Engine.Flows;
using Engine.Packets;
using Engine.Primitives;
using Engine.Text;

namespace Engine.Pipelines;

/// <summary>The flows of a compiled pipeline as data: for packets that are not of a common shape, and for actions of the general kind.</summary>
/// <remarks>
/// Read once, from the text that the generator read, by the same parser. Of several flows that match, the first is taken.
/// Threads: any number of readers.
/// </remarks>
public sealed unsafe class PipelineTable
{
    // What stands instead of a flow number for a packet that the compiled code does not execute.
    private const int Missed = -1;
    private const int Bad = -2;
    private const int FirstKeyed = -3;

    private readonly PipelineFlow[] _flows;
    private readonly MaskedFlows[] _groups;

    private PipelineTable(PipelineFlow[] flows)
    {
        _flows = flows;
        _groups = MaskedFlows.Group(flows);
    }

    /// <summary>The flows in their order.</summary>
    public IReadOnlyList<PipelineFlow> Flows => _flows;

    /// <summary>Reads the flows, a line each.</summary>
    /// <exception cref="FormatException">The text is not one that the generator took.</exception>
    public static PipelineTable Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        FlowFile.TryParse("pipeline", text, out IReadOnlyList<FlowLine> lines, out IReadOnlyList<FlowFileError> errors);
        string[] texts = text.Split('\n');
        PipelineFlow[] flows = new PipelineFlow[lines.Count];
        for (int i = 0; i < flows.Length; i++)
        {
            FlowKey.MaskedCopy(in lines[i].Key, in lines[i].Mask, out FlowKey key);
            Refusal refusal = ActionList.TryCreate(lines[i].Actions.Span, in key, ActionFeatures.All, out ActionList? actions);
            flows[i] = new PipelineFlow(texts[lines[i].Line - 1], in key, new FlowMask(in lines[i].Mask), actions ?? throw new FormatException(refusal.Reason));
        }

        return errors.Count == 0 ? new PipelineTable(flows) : throw new FormatException(errors[0].ToString());
    }

    /// <summary>The first flow that matches a key.</summary>
    /// <returns>Its number, or -1.</returns>
    public int Find(in FlowKey key)
    {
        int found = int.MaxValue;
        foreach (MaskedFlows group in _groups)
        {
            // Groups stand in the order of their first flows.
            if (group.First > found)
            {
                break;
            }

            int flow = group.Find(in key);
            found = flow >= 0 && flow < found ? flow : found;
        }

        return found == int.MaxValue ? Missed : found;
    }

    /// <summary>Matches a packet of another shape than the compiled code knows. For generated code.</summary>
    /// <returns>What <see cref="ProcessOther"/> takes.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    [MethodImpl(MethodImplOptions.NoInlining)]
    public int MatchOther<THost>(ref Packet packet, int index, ref THost host)
        where THost : struct, IPipelineHost
    {
        ref FlowKey key = ref host.KeyOf(index);
        if (!FlowKeyExtractor.TryReceive(Packet.PointerTo(ref packet), ref key, host.InPort))
        {
            return Bad;
        }

        int flow = Find(in key);
        return flow < 0 ? Missed : FirstKeyed - flow;
    }

    /// <summary>Sees packets out that the compiled code does not execute: from <paramref name="index"/> on all that missed, or one. For generated code.</summary>
    /// <remarks>A flow that the compiled code found is counted by it; one that is found here, here.</remarks>
    /// <param name="batch">The batch.</param>
    /// <param name="index">The packet.</param>
    /// <param name="host">The host.</param>
    /// <returns>The packet to go on with.</returns>
    [EditorBrowsable(EditorBrowsableState.Never)]
    [MethodImpl(MethodImplOptions.NoInlining)]
    public int ProcessOther<THost>(ref PacketBatch batch, int index, ref THost host)
        where THost : struct, IPipelineHost
    {
        ref FoundFlows flows = ref host.Found;
        int found = flows.FlowOf(index), end = index + 1;
        if (found == Missed)
        {
            while (end < batch.Count && flows.FlowOf(end) == Missed)
            {
                end++;
            }

            host.Miss(ref batch, index, end);
            return end;
        }

        Packet* packet = batch.Pointer(index);
        if (found == Bad)
        {
            host.Drop(packet, FlowKeyExtractor.ReasonOfFailure(packet));
            return end;
        }

        ref FlowKey key = ref host.KeyOf(index);
        if (found < 0)
        {
            Execute(FirstKeyed - found, packet, ref key, ref host);
            return end;
        }

        // It is counted, and the key was not needed so far.
        host.CountHits(1);
        FlowKeyExtractor.TryReceive(packet, ref key, host.InPort);
        ActionExecutor.Execute(_flows[found].Actions, packet, ref key, host.Context, ref host);
        return end;
    }

    /// <summary>Executes the flow that matches a key, if one does: a packet that goes round again.</summary>
    internal bool TryExecute<THost>(Packet* packet, ref FlowKey key, ref THost host)
        where THost : struct, IPipelineHost
    {
        int flow = Find(in key);
        if (flow < 0)
        {
            return false;
        }

        Execute(flow, packet, ref key, ref host);
        return true;
    }

    private void Execute<THost>(int flow, Packet* packet, ref FlowKey key, ref THost host)
        where THost : struct, IPipelineHost
    {
        host.CountHits(1);
        host.Counters.Count(flow, ref *packet, (byte)key.TcpFlags.Value);
        ActionExecutor.Execute(_flows[flow].Actions, packet, ref key, host.Context, ref host);
    }
}
