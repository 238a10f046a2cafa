using System.Collections.Immutable;
using Engine.Datapaths;

namespace Engine.Control;

/// <summary>Lets workers receive from the ports of datapaths.</summary>
/// <remarks>Threads: called by the control thread, but for <see cref="LoadOf"/> and <see cref="ReadStats"/>.</remarks>
public interface IVportRunner
{
    /// <summary>How many workers receive. Each datapath has one more, for the control thread.</summary>
    int WorkerCount { get; }

    /// <summary>How much a worker has to do, in any unit. Any thread.</summary>
    double LoadOf(int worker);

    /// <summary>What each worker has done so far. Any thread.</summary>
    ImmutableArray<WorkerStats> ReadStats();

    /// <summary>From now on, workers receive from the rings of this port.</summary>
    void Start(ControlledVport port);

    /// <summary>The port was taken out of its table. Returns when no worker uses it any more, so that its driver can be disposed.</summary>
    void Stop(ControlledVport port);
}
