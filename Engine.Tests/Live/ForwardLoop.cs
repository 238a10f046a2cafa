using Engine.Packets;
using Engine.Platform;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>The smallest switch: a thread that sends on one port what comes in at the other.</summary>
internal sealed unsafe class ForwardLoop : IDisposable
{
    private readonly IVportDriver _left;
    private readonly IVportDriver _right;
    private readonly int[] _descriptors;
    private readonly Thread _thread;
    private volatile bool _stop;

    /// <summary>Starts the thread. The drivers stay the caller's.</summary>
    /// <param name="pool">Packet memory, the thread's alone until <see cref="Dispose"/>.</param>
    /// <param name="left">One port.</param>
    /// <param name="right">The other.</param>
    /// <param name="descriptors">What to wait on when nothing comes.</param>
    public ForwardLoop(PacketPool pool, IVportDriver left, IVportDriver right, params int[] descriptors)
    {
        Pool = pool;
        _left = left;
        _right = right;
        _descriptors = descriptors;
        _thread = new Thread(Loop) { IsBackground = true };
        _thread.Start();
    }

    public PacketPool Pool { get; }

    /// <summary>Packets received, of both ports.</summary>
    public long Received { get; private set; }

    /// <summary>Packets the drivers took.</summary>
    public long Sent { get; private set; }

    /// <summary>Bytes that the thread has allocated.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Looks at packets on their way, on the thread.</summary>
    public Action<nint>? Inspect { get; set; }

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        _stop = true;
        _thread.Join();
    }

    private void Loop()
    {
        PacketBatch batch = default;
        int idle = 0;
        Libc.pollfd* waits = stackalloc Libc.pollfd[_descriptors.Length];
        for (int i = 0; i < _descriptors.Length; i++)
        {
            waits[i] = new Libc.pollfd { fd = _descriptors[i], events = Libc.POLLIN };
        }

        while (!_stop)
        {
            int count = Forward(_left, _right, ref batch) + Forward(_right, _left, ref batch);
            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread();
            if (count != 0)
            {
                idle = 0;
            }
            else if (++idle > 200)
            {
                // Short, since the machine's cores also run the hosts.
                int ready = Libc.poll(waits, (nuint)_descriptors.Length, 5);
                if (ready > 0 && ((waits[0].revents | waits[_descriptors.Length - 1].revents) & Libc.POLLERR) != 0)
                {
                    Thread.Sleep(1);
                }
            }
        }
    }

    private int Forward(IVportDriver from, IVportDriver to, ref PacketBatch batch)
    {
        from.Receive(Pool, ref batch);
        int count = batch.Count;
        Received += count;
        if (count != 0 && Inspect is { } inspect)
        {
            for (int i = 0; i < count; i++)
            {
                inspect((nint)batch.Pointer(i));
            }
        }

        Sent += to.Transmit(Pool, ref batch);
        return count;
    }
}
