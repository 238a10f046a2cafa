using Engine.Datapaths;
using Engine.Platform;

namespace Engine.Control;

/// <summary>Receives from all ports on one thread, which sleeps while nothing comes.</summary>
/// <remarks>
/// <para>Between rounds it gives way to the control thread (<see cref="ControlledDatapath.WorkerGate"/>), which executes packets on the same worker.</para>
/// <para>Threads: one of its own; the control thread starts and stops ports.</para>
/// </remarks>
public sealed class VportRunner : IVportRunner, IDisposable
{
    // Rounds for one port before the others have their turn.
    private const int RoundsInTurn = 8;

    private readonly EventPoll _poll = new();
    private readonly System.Collections.Concurrent.ConcurrentDictionary<int, ControlledVport> _ports = new();
    private readonly Thread _thread;
    private volatile bool _isStopping;

    /// <summary>Starts the thread.</summary>
    public VportRunner()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "worker 0" };
        _thread.Start();
    }

    /// <summary>Told of ports whose device has gone, on a thread that holds nothing.</summary>
    public Action<ControlledVport>? Gone { get; set; }

    /// <inheritdoc/>
    public void Start(ControlledVport port)
    {
        ArgumentNullException.ThrowIfNull(port);
        if (port.Device.WaitHandle is { } handle)
        {
            int descriptor = (int)handle.DangerousGetHandle();
            _ports[descriptor] = port;
            _poll.Add(descriptor);
        }
    }

    /// <inheritdoc/>
    public void Stop(ControlledVport port)
    {
        ArgumentNullException.ThrowIfNull(port);
        if (port.Device.WaitHandle is { } handle)
        {
            int descriptor = (int)handle.DangerousGetHandle();
            _poll.Remove(descriptor);
            _ports.TryRemove(descriptor, out _);
        }

        // A round that had begun is over once the gate can be had.
        lock (port.Datapath.WorkerGate)
        {
        }
    }

    /// <summary>Stops the thread.</summary>
    public void Dispose()
    {
        if (!_isStopping)
        {
            _isStopping = true;
            _poll.Wake();
            _thread.Join();
            _poll.Dispose();
        }
    }

    private void Run()
    {
        List<PollEvent> happened = [];
        while (!_isStopping)
        {
            _poll.Wait(happened);
            foreach (PollEvent item in happened)
            {
                if (_ports.TryGetValue(item.Descriptor, out ControlledVport? port))
                {
                    Serve(port, item);
                }
            }
        }
    }

    private void Serve(ControlledVport port, PollEvent item)
    {
        lock (port.Datapath.WorkerGate)
        {
            // Stopped while this round waited for its turn.
            if (!_ports.TryGetValue(item.Descriptor, out ControlledVport? current) || current != port)
            {
                return;
            }

            Worker worker = port.Datapath.ControlWorker;
            for (int round = 0; round < RoundsInTurn && worker.Poll(port.Vport) != 0; round++)
            {
            }
        }

        if (item.IsClosed && port.Device.IsGone?.Invoke() == true)
        {
            _poll.Remove(item.Descriptor);
            Gone?.Invoke(port);
        }
    }
}
