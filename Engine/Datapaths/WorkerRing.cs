using System.Runtime.InteropServices;
using Engine.Vports;

namespace Engine.Datapaths;

/// <summary>A ring that a thread looks at, and the worker of its datapath that processes what is found.</summary>
/// <remarks>Threads: made by the control thread; <see cref="IsReady"/> is the worker thread's.</remarks>
internal sealed class WorkerRing
{
    private readonly Worker _worker;
    private readonly IVportDriver _driver;

    public WorkerRing(Worker worker, Vport vport, VportRing ring)
    {
        _worker = worker;
        _driver = ring.Driver;
        Vport = vport;
        Handle = ring.WaitHandle;
        LooksByCall = ring.LooksByCall && ring.WaitHandle is not null;
    }

    public Vport Vport { get; }

    /// <summary>What its thread knows it by; no other ring of the thread has had it.</summary>
    public uint Tag { get; set; }

    public SafeHandle? Handle { get; }

    /// <summary>What epoll knows the ring by; -1 when nothing can be waited for.</summary>
    public int Descriptor => Handle is null ? -1 : (int)Handle.DangerousGetHandle();

    /// <summary>Whether it is looked at only when its handle says so.</summary>
    public bool LooksByCall { get; }

    /// <summary>Whether it is to be looked at again soon, packet or not.</summary>
    public bool IsBehind => _driver.IsBehind;

    /// <summary>Whether its handle has said that something waits, and it has not been found empty since.</summary>
    public bool IsReady { get; set; } = true;

    /// <summary>Receives a batch and sees it through.</summary>
    /// <returns>Packets received.</returns>
    public int Poll()
    {
        if (LooksByCall && !IsReady)
        {
            return 0;
        }

        int count = _worker.Poll(Vport, _driver);
        IsReady = count != 0;
        return count;
    }
}
