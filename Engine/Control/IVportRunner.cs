using Engine.Datapaths;
using Engine.Vports;

namespace Engine.Control;

/// <summary>Lets workers receive from the ports of datapaths.</summary>
/// <remarks>Threads: called by the control thread.</remarks>
public interface IVportRunner
{
    /// <summary>From now on, a worker receives from this port.</summary>
    void Start(Datapath datapath, Vport vport);

    /// <summary>The port was taken out of its table. Returns when no worker uses it any more, so that its driver can be disposed.</summary>
    void Stop(Datapath datapath, Vport vport);
}
