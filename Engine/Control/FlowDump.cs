using Engine.Flows;
using Engine.Netlink;

namespace Engine.Control;

/// <summary>A dump of the flows of a datapath, in the order in which they lie in memory.</summary>
/// <remarks>Flows that come or go meanwhile may or may not be in it; the messages after that say so, as the kernel's do for interrupted dumps.</remarks>
/// <param name="target">Whose dump it is.</param>
/// <param name="datapath">The datapath, or null when there is none.</param>
/// <param name="write">Writes the message of one flow.</param>
internal sealed class FlowDump(MessageTarget target, ControlledDatapath? datapath, FlowDump.WriteFlow write) : ControlDump(target)
{
    private readonly long _startVersion = datapath?.FlowChanges ?? 0;
    private int _next;
    private int _last;

    /// <summary>Writes the message of one flow, with these flags in its header.</summary>
    public delegate void WriteFlow(ref NetlinkWriter writer, MessageTarget target, Flow flow, ushort flags);

    /// <inheritdoc/>
    protected override bool HasChanged => datapath is not null && datapath.FlowChanges != _startVersion;

    /// <inheritdoc/>
    protected override bool TryWriteNext(ref NetlinkWriter writer)
    {
        _last = _next;
        if (datapath?.Datapath.Flows.Next(ref _next) is not { } flow)
        {
            return false;
        }

        write(ref writer, Target, flow, Flags);
        return true;
    }

    /// <inheritdoc/>
    protected override void StepBack() => _next = _last;
}
