using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Text;
using Engine.Upcalls;

namespace Bench.Peers;

/// <summary>An upcall handler inside the process: installs a flow for the packet's five-tuple and sends the packet on by its actions.</summary>
internal sealed class FlowInstaller : IUpcallHandler
{
    private readonly Datapath _datapath;
    private readonly FlowKey _mask;
    private readonly ReadOnlyMemory<byte> _actions;

    /// <summary>Installs flows like <paramref name="example"/>, with the source port besides.</summary>
    public FlowInstaller(Datapath datapath, FlowLine example)
    {
        _datapath = datapath;
        _mask = example.Mask;
        _mask.TransportSource = ushort.MaxValue;
        _actions = example.Actions;
    }

    /// <inheritdoc/>
    public void Handle(ref Upcall upcall, IUpcallReply port)
    {
        FlowKey.MaskedCopy(in upcall.Key, in _mask, out FlowKey masked);
        if (ActionList.TryCreate(_actions.Span, in masked, ActionFeatures.All, out ActionList? actions).IsRefused
            || _datapath.Flows.Put(in upcall.Key, in _mask, actions!, default, FlowPutMode.CreateOnly, out _).IsRefused)
        {
            port.CountLost();
            return;
        }

        port.Execute(ref upcall, actions!);
    }
}
