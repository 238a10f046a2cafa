using Engine.Packets;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>What only AF_XDP has: frames lent to the kernel, a queue that is taken.</summary>
public sealed class XdpDriverTests
{
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
                    Assert.Equal(128, pool.UsedCount);
                    driver!.Dispose();
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
