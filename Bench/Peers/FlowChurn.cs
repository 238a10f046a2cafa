using System.Diagnostics;
using Engine.Actions;
using Engine.Datapaths;
using Engine.Flows;
using Engine.Text;

namespace Bench.Peers;

/// <summary>The control thread of the churn case: 10,000 flow changes a second, each adding a flow that no packet matches or removing the oldest such one.</summary>
internal sealed class FlowChurn(Datapath datapath, List<FlowLine> lines) : IDisposable
{
    private const int ChangesPerSecond = 10_000;
    private const int MostFlows = 5_000;

    private readonly Queue<Flow> _flows = new(MostFlows + 1);
    private volatile bool _isMeasured;
    private long _changes;
    private int _next;

    /// <summary>Counts changes from now on.</summary>
    public void Begin()
    {
        Volatile.Write(ref _changes, 0);
        _isMeasured = true;
    }

    /// <summary>Changes since <see cref="Begin"/>.</summary>
    public long End()
    {
        _isMeasured = false;
        return Volatile.Read(ref _changes);
    }

    /// <summary>Changes flows until the worker's thread ends.</summary>
    public void Run(Thread worker)
    {
        long start = Stopwatch.GetTimestamp();
        long made = 0;
        while (!worker.Join(TimeSpan.FromMilliseconds(1)))
        {
            // What is due by now, in the order in which a switch makes them: add one, remove the oldest.
            for (long due = (long)(Stopwatch.GetElapsedTime(start).TotalSeconds * ChangesPerSecond); made < due; made++)
            {
                Change();
                _changes += _isMeasured ? 1 : 0;
            }
        }
    }

    /// <summary>Takes the flows that are left out of the table.</summary>
    public void Dispose()
    {
        while (_flows.TryDequeue(out Flow? flow))
        {
            datapath.Flows.Remove(flow);
        }
    }

    private void Change()
    {
        if (_flows.Count == MostFlows || (_flows.Count > MostFlows / 2 && _next % 2 == 1))
        {
            datapath.Flows.Remove(_flows.Dequeue());
            _next++;
            return;
        }

        // The line's flow from another port: no packet comes by it.
        FlowLine line = lines[_next++ % lines.Count];
        FlowKey key = line.Key;
        key.InPort = 1000 + (uint)(_next / lines.Count);
        if (!ActionList.TryCreate(line.Actions.Span, in key, ActionFeatures.All, out ActionList? actions).IsRefused
            && !datapath.Flows.Put(in key, line.Mask, actions!, default, FlowPutMode.CreateOnly, out Flow? flow).IsRefused)
        {
            _flows.Enqueue(flow!);
        }
    }
}
