using Engine.Packets;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>The workers of a datapath as its ports see them: whose memory packets lie in, and who has the least to do.</summary>
/// <remarks>The last worker is the control thread's: it transmits and never receives. Threads: the control thread.</remarks>
public sealed class VportWorkers
{
    private readonly PacketPool[] _pools;
    private readonly XdpMemory?[] _memories;
    private readonly Func<int, double>? _loadOf;

    /// <summary>Describes workers.</summary>
    /// <param name="pools">The packet memory of each.</param>
    /// <param name="receiverCount">How many of them, from the first on, receive.</param>
    /// <param name="loadOf">How much a receiving worker has to do, in any unit; null when all are alike.</param>
    public VportWorkers(IEnumerable<PacketPool> pools, int receiverCount, Func<int, double>? loadOf = null)
    {
        ArgumentNullException.ThrowIfNull(pools);
        _pools = [.. pools];
        _memories = new XdpMemory?[_pools.Length];
        _loadOf = loadOf;
        ReceiverCount = receiverCount;
    }

    /// <summary>All of them.</summary>
    public int Count => _pools.Length;

    /// <summary>Those that receive, from the first on.</summary>
    public int ReceiverCount { get; }

    /// <summary>Chooses a worker for each ring of a port: those that were named, in turn, else those with the least to do.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="ringCount">Rings of the port.</param>
    /// <param name="chosen">A worker for each ring.</param>
    /// <returns>EINVAL when a worker is named that there is not.</returns>
    public Refusal TryAssign(VportOptions options, int ringCount, out int[] chosen)
    {
        ArgumentNullException.ThrowIfNull(options);
        chosen = [];
        foreach (int worker in options.Workers)
        {
            if ((uint)worker >= (uint)ReceiverCount)
            {
                return Refusal.Invalid($"There is no worker {worker}");
            }
        }

        int[] order = options.Workers.IsEmpty
            ? [.. Enumerable.Range(0, ReceiverCount).OrderBy(worker => _loadOf?.Invoke(worker) ?? 0)]
            : [.. options.Workers];
        chosen = [.. Enumerable.Range(0, ringCount).Select(ring => order[ring % order.Length])];
        return Refusal.None;
    }

    /// <summary>A worker's frames as AF_XDP memory.</summary>
    /// <returns>Null when they have not the size that AF_XDP takes.</returns>
    internal XdpMemory? MemoryOf(int worker)
    {
        PacketPool pool = _pools[worker];
        return XdpMemory.Takes(pool) ? _memories[worker] ??= new XdpMemory(pool) : null;
    }
}
