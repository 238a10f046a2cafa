namespace Engine.Control;

/// <summary>Lets a worker receive from the ports of datapaths.</summary>
/// <remarks>Threads: called by the control thread. Each round of receiving holds <see cref="ControlledDatapath.WorkerGate"/>.</remarks>
public interface IVportRunner
{
    /// <summary>From now on, a worker receives from this port.</summary>
    void Start(ControlledVport port);

    /// <summary>The port was taken out of its table. Returns when no worker uses it any more, so that its driver can be disposed.</summary>
    void Stop(ControlledVport port);
}
