using System.Runtime.CompilerServices;
using Engine.Flows;
using Engine.Netlink;

namespace Engine.Control;

/// <summary>A dump of the flows of a datapath, in the order in which they lie in memory.</summary>
/// <remarks>Flows that come or go meanwhile may or may not be in it; the messages after that say so, as the kernel's do for interrupted dumps.</remarks>
internal sealed class FlowDump : ControlDump
{
    // OVS_FLOW_CMD_GET.
    private const byte Get = 3;

    private readonly FlowMessage _message;
    private readonly ControlledDatapath? _datapath;
    private readonly int _ifindex;
    private readonly uint _omit;
    private readonly long _startVersion;

    // The headers of every message.
    private byte[] _headers;
    private bool _saysInterrupted;
    private int _next;
    private int _last;

    /// <summary>Prepares a dump.</summary>
    /// <param name="target">Whose dump it is.</param>
    /// <param name="message">Writes the flows.</param>
    /// <param name="datapath">The datapath, or null when there is none.</param>
    /// <param name="ifindex">Index of the datapath's local device.</param>
    /// <param name="omit">OVS_UFID_F_*: what is left out of a flow that has a UFID.</param>
    public FlowDump(MessageTarget target, FlowMessage message, ControlledDatapath? datapath, int ifindex, uint omit)
        : base(target)
    {
        _message = message;
        _datapath = datapath;
        _ifindex = ifindex;
        _omit = omit;
        _startVersion = datapath?.FlowChanges ?? 0;
        _headers = MakeHeaders();
        message.BeginDump();
    }

    /// <inheritdoc/>
    protected override bool HasChanged => _datapath is not null && _datapath.FlowChanges != _startVersion;

    /// <inheritdoc/>
    /// <remarks>Compiled in full at once: see <see cref="FlowTemplate"/>.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override bool TryWriteNext(ref NetlinkWriter writer)
    {
        _last = _next;
        if (_datapath?.Datapath.Flows.Next(ref _next) is not { } flow)
        {
            return false;
        }

        if (HasChanged && !_saysInterrupted)
        {
            _saysInterrupted = true;
            _headers = MakeHeaders();
        }

        if (!_message.TryWrite(ref writer, _headers, flow, _omit))
        {
            _message.Write(ref writer, Target, flow, Get, _ifindex, _omit, Flags);
        }

        return true;
    }

    /// <inheritdoc/>
    protected override void StepBack() => _next = _last;

    private byte[] MakeHeaders()
    {
        NetlinkWriter writer = new(new byte[64]);
        Target.Begin(ref writer, Get, _ifindex, Flags);
        return writer.Written.ToArray();
    }
}
