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

    // Idle ports together must not take the frames that packets of others need.
    [SkippableFact]
    public void Many_ports_leave_a_worker_a_quarter_of_its_frames_and_one_too_many_is_refused()
    {
        using TwoHosts hosts = new();
        using PacketPool pool = new(2048, PacketPool.XdpFrameSize);
        VportWorkers workers = new([pool, pool], 1);
        hosts.Switch.Run("for i in $(seq 1 12); do ip link add x$i type veth peer name y$i; ip link set x$i up; done");
        hosts.Switch.Call(() =>
        {
            List<NetdevDriver> drivers = [];
            VportOptions options = VportOptions.Default with { Driver = NetdevDriverKind.Xdp };
            Refusal refusal = Refusal.None;
            for (int i = 1; i <= 12 && !refusal.IsRefused; i++)
            {
                Assert.Equal(Refusal.None, Netdev.TryOpen($"x{i}", out Netdev? device));
                refusal = NetdevDriver.TryAttach(device!, options, workers, out NetdevDriver? driver);
                if (driver is null)
                {
                    device!.Dispose();
                    break;
                }

                drivers.Add(driver);
                PacketBatch batch = default;
                driver.Receive(pool, ref batch);
                pool.Free(ref batch);
            }

            Assert.Equal(Errno.NoMemory, refusal.Errno);

            // Fill and transmit rings of 256, 256, 128, 64 and 64 entries.
            Assert.Equal(5, drivers.Count);
            Assert.InRange(pool.FreeCount, 2048 / 4, 2048 - (2048 * 3 / 8));

            // The place of one that goes is another's.
            drivers[0].Dispose();
            Assert.Equal(Refusal.None, Netdev.TryOpen("x12", out Netdev? last));
            Assert.Equal(Refusal.None, NetdevDriver.TryAttach(last!, options, workers, out NetdevDriver? late));
            drivers[0] = late!;
            drivers.ForEach(static driver => driver.Dispose());
            return 0;
        });
        Assert.Equal(0, pool.UsedCount);
    }
}
