using Engine.Packets;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>What only AF_XDP has: frames lent to the kernel, a queue that is taken.</summary>
public sealed unsafe class XdpDriverTests
{
    [SkippableFact]
    public void Frames_are_lent_by_the_worker_and_no_earlier_and_again_when_some_are_free()
    {
        using TwoHosts hosts = new();
        using PacketPool pool = new(128, PacketPool.XdpFrameSize);
        hosts.Switch.Call(() =>
        {
            Assert.Equal(Refusal.None, Netdev.TryOpen("left", out Netdev? device));
            using (device)
            {
                Assert.Equal(Refusal.None, XdpDriver.TryOpen(device!, new XdpMemory(pool), new XdpOptions { RingSize = 128 }, out XdpDriver? driver));
                using (driver)
                {
                    // The thread that opens it is not the worker, which may take frames at this moment.
                    Assert.Equal(0, pool.UsedCount);
                    PacketBatch taken = default;
                    while (!taken.IsFull)
                    {
                        taken.Add(pool.TryAllocate());
                    }

                    PacketBatch received = default;
                    driver!.Receive(pool, ref received);
                    Assert.Equal(0, pool.FreeCount);

                    int others = taken.Count;
                    pool.Free(ref taken);
                    Assert.Equal(others, pool.FreeCount);
                    driver.Receive(pool, ref received);
                    Assert.Equal(0, pool.FreeCount);

                    // What the hosts may have said meanwhile.
                    pool.Free(ref received);
                }
            }

            return 0;
        });
        Assert.Equal(0, pool.UsedCount);
    }

    [SkippableFact]
    public void A_second_driver_of_a_queue_is_refused_and_a_closed_one_can_be_opened_again()
    {
        using TwoHosts hosts = new();
        using PacketPool pool = new(1024, PacketPool.XdpFrameSize);
        XdpMemory memory = new(pool);
        XdpOptions options = new() { RingSize = 128 };
        hosts.Switch.Call(() =>
        {
            Assert.Equal(Refusal.None, Netdev.TryOpen("left", out Netdev? device));
            using (device)
            {
                for (int i = 0; i < 20; i++)
                {
                    Assert.Equal(Refusal.None, XdpDriver.TryOpen(device!, memory, options, out XdpDriver? driver));
                    PacketBatch batch = default;
                    driver!.Receive(pool, ref batch);
                    Assert.Equal(128, pool.UsedCount);
                    driver.Dispose();
                    Assert.Equal(0, pool.UsedCount);
                }

                Assert.Equal(Errno.InvalidArgument, XdpDriver.TryOpen(device!, memory, options with { Queue = 5 }, out _).Errno);
                Assert.Equal(0, pool.UsedCount);

                // Another process, or another port, has the device.
                Assert.Equal(Refusal.None, Netdev.TryOpen("left", out Netdev? other));
                using (other)
                {
                    Assert.Equal(Errno.Busy, XdpDriver.TryOpen(other!, memory, options, out _).Errno);
                }
            }

            return 0;
        });
        Assert.DoesNotContain("xdp", hosts.Switch.Run("ip -d link show left"), StringComparison.Ordinal);
        Assert.DoesNotContain("PROMISC", hosts.Switch.Run("ip link show left"), StringComparison.Ordinal);
    }
}
