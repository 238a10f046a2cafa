using System.Diagnostics;

namespace Engine.Control;

/// <summary>Counters that workers write, as they were read last. Asked for more often than a program would, they are not read anew for the rest of a millisecond.</summary>
/// <remarks>
/// <para>To read a worker's counter takes its cache line away from it, and the worker waits for it with its next batch: a client that asks as fast as it can made
/// forwarding 5 % slower (Bench -- control). So many readings in a millisecond cost it less than half a percent.</para>
/// <para>Threads: the control thread.</para>
/// </remarks>
internal struct PacedReading<T>
    where T : struct
{
    /// <summary>So many readings in a millisecond are of the moment.</summary>
    public const int MostInMillisecond = 32;

    private static readonly long Millisecond = Stopwatch.Frequency / 1000;

    private long _since;
    private int _count;
    private T _last;

    /// <summary>Reads, or gives what was read last.</summary>
    /// <param name="source">What has the counters.</param>
    /// <param name="read">Reads them.</param>
    public T Read<TSource>(TSource source, Func<TSource, T> read)
    {
        long now = Stopwatch.GetTimestamp();
        if (now - _since > Millisecond)
        {
            _since = now;
            _count = 0;
        }

        if (_count < MostInMillisecond)
        {
            _count++;
            _last = read(source);
        }

        return _last;
    }
}
