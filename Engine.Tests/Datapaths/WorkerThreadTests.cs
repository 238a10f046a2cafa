using Engine.Datapaths;
using Engine.Packets;
using Engine.Platform;
using Engine.Tests.Live;
using Engine.Vports;

namespace Engine.Tests.Datapaths;

/// <summary>When the thread of a worker looks at its rings, and when it sleeps.</summary>
public sealed class WorkerThreadTests
{
    [Fact]
    public void It_does_not_sleep_long_while_a_driver_is_behind_and_does_when_none_is()
    {
        using Datapath datapath = new(new DatapathOptions { FrameCount = 64 });
        using BehindDriver driver = new();
        Vport port = new(1, "behind", VportType.Netdev, driver);
        using WorkerThread thread = new(0, null, TimeSpan.Zero);
        using FileDescriptor handle = FileDescriptor.FromCall(Libc.eventfd(0, Libc.O_NONBLOCK | Libc.O_CLOEXEC), "eventfd");
        driver.Behind = true;
        thread.Add(new WorkerRing(datapath.Workers[0], port, new VportRing(driver, handle)));
        Eventually.IsSo(() => driver.Looks > 20, "the driver to be looked at without a packet");

        driver.Behind = false;
        Eventually.IsSo(
            () =>
            {
                int looks = driver.Looks;
                Thread.Sleep(50);
                return driver.Looks == looks;
            },
            "the thread to sleep");
    }

    [Fact]
    public void What_happens_comes_with_the_tag_that_its_descriptor_was_added_with()
    {
        using EventPoll poll = new();
        using FileDescriptor ready = FileDescriptor.FromCall(Libc.eventfd(1, Libc.O_NONBLOCK | Libc.O_CLOEXEC), "eventfd");
        List<PollEvent> happened = [];
        poll.Add(ready.Number, uint.MaxValue);
        poll.Wait(happened, 0);
        Assert.Equal((ready.Number, uint.MaxValue, true), (happened.Single().Descriptor, happened[0].Tag, happened[0].CanRead));
        poll.Remove(ready.Number);
        poll.Add(ready.Number, 7);
        poll.Wait(happened, 0);
        Assert.Equal(7u, Assert.Single(happened).Tag);
    }

    /// <summary>A driver that may have something left to do.</summary>
    private sealed class BehindDriver : IVportDriver
    {
        private volatile int _looks;

        public int Looks => _looks;

        public bool Behind { get; set; }

        public bool IsBehind => Behind;

        public void Receive(PacketPool pool, ref PacketBatch batch) => _looks++;

        public int Transmit(PacketPool pool, ref PacketBatch batch) => 0;

        public void Dispose()
        {
        }
    }
}
