using System.Buffers.Binary;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;
using Engine.Tests.Allocation;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>Every driver of an existing device, on veth devices between two hosts with the kernel's default offloads.</summary>
public sealed unsafe class NetdevDriverTests
{
    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp-native")]
    [InlineData("xdp-generic")]
    public void Hosts_ping_each_other(string driver)
    {
        using TwoHosts hosts = new();
        using NetdevPair pair = new(hosts, driver);
        Traffic.Ping(hosts.Left, 2);
        Traffic.Ping(hosts.Right, 1, size: 1400);
    }

    [SkippableTheory]
    [InlineData("packet", "10.77.0.2")]
    [InlineData("packet", "fd77::2")]
    [InlineData("uring", "10.77.0.2")]
    [InlineData("uring", "fd77::2")]
    [InlineData("xdp-native", "10.77.0.2")]
    [InlineData("xdp-native", "fd77::2")]
    [InlineData("xdp-generic", "10.77.0.2")]
    [InlineData("xdp-generic", "fd77::2")]
    public void A_stream_arrives_whole(string driver, string address)
    {
        using TwoHosts hosts = new();
        using NetdevPair pair = new(hosts, driver);
        Traffic.Tcp(hosts.Left, hosts.Right, address, 50 << 20);
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    public void Super_frames_are_carried(string driver)
    {
        using TwoHosts hosts = new();
        using NetdevPair pair = new(hosts, driver);
        int longest = 0;
        pair.Loop.Inspect = packet => longest = Math.Max(longest, ((Packet*)packet)->Length);
        Traffic.Tcp(hosts.Left, hosts.Right, "10.77.0.2", 20 << 20);
        Assert.True(longest > 10_000, $"The longest frame had {longest} bytes: segmentation was not left to the receiver.");
    }

    [SkippableTheory]
    [InlineData("packet", 1)]
    [InlineData("packet", 1472)]
    [InlineData("packet", 9000)] // In fragments.
    [InlineData("uring", 1472)]
    [InlineData("uring", 9000)]
    [InlineData("xdp-native", 1)]
    [InlineData("xdp-native", 1472)]
    [InlineData("xdp-native", 9000)]
    [InlineData("xdp-generic", 1472)]
    public void Datagrams_come_back_as_they_were(string driver, int size)
    {
        using TwoHosts hosts = new();
        using NetdevPair pair = new(hosts, driver);
        Traffic.Udp(hosts.Left, hosts.Right, "10.77.0.2", size, 100);
        Traffic.Udp(hosts.Right, hosts.Left, "fd77::1", size, 100);
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp-native")]
    [InlineData("xdp-generic")]
    public void Jumbo_frames_pass(string driver)
    {
        using TwoHosts hosts = new(mtu: 9000);
        using NetdevPair pair = new(hosts, driver);
        Traffic.Ping(hosts.Left, 2, size: 8000);
        Traffic.Udp(hosts.Left, hosts.Right, "10.77.0.2", 8900, 100);
        Traffic.Tcp(hosts.Right, hosts.Left, "fd77::1", 20 << 20);
    }

    // A tag the kernel takes off must be back in its place, with its type, and a second one behind it.
    [SkippableTheory]
    [InlineData("packet", "81000007")]
    [InlineData("packet", "8100e123")]
    [InlineData("packet", "88a8000581000007")]
    [InlineData("uring", "81000007")]
    [InlineData("uring", "88a8000581000007")]
    [InlineData("xdp-native", "8100e123")]
    [InlineData("xdp-native", "88a8000581000007")]
    public void Tagged_frames_keep_their_tags(string driver, string tags)
    {
        using TwoHosts hosts = new();
        using PacketPool pool = new(4096, PacketPool.XdpFrameSize);
        XdpMemory memory = new(pool);
        byte[] frame = Convert.FromHexString($"020000000002020000000001{tags}88b5").Concat(Enumerable.Range(0, 100).Select(i => (byte)i)).ToArray();
        (IVportDriver left, Netdev leftDevice, _) = NetdevPair.Open(hosts, "left", driver, memory);
        using NetdevEnd sender = new(hosts.Left, "eth");
        using (leftDevice)
        using (left)
        {
            sender.Send(frame);
            Assert.Equal(frame, Receive(left, pool, bytes => bytes.Length == frame.Length));

            // And back, by the driver's own sending.
            Send(left, pool, frame);
            Assert.Equal(frame, sender.Receive(bytes => bytes.Length == frame.Length));
        }

        Assert.Equal(0, pool.UsedCount);
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp-native")]
    public void The_host_does_not_see_what_was_taken(string driver)
    {
        using TwoHosts hosts = new();
        hosts.Switch.Run("ip addr add 10.77.0.9/24 dev left");
        hosts.Left.Run("ping -n -q -c 1 -W 30 10.77.0.9");
        using (PacketPool pool = new(4096, PacketPool.XdpFrameSize))
        {
            (IVportDriver left, Netdev device, _) = NetdevPair.Open(hosts, "left", driver, new XdpMemory(pool));
            using (device)
            using (left)
            {
                Assert.Contains("100% packet loss", hosts.Left.Run("ping -n -q -c 2 -i 0.1 -W 1 10.77.0.9 || true"), StringComparison.Ordinal);
                Assert.Contains("PROMISC", hosts.Switch.Run("ip -d link show left").Replace("promiscuity 1", "PROMISC", StringComparison.Ordinal), StringComparison.Ordinal);
            }
        }

        // Given back.
        hosts.Left.Run("ping -n -q -c 1 -W 30 10.77.0.9");
        Assert.Contains("promiscuity 0", hosts.Switch.Run("ip -d link show left"), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp-native")]
    [InlineData("xdp-generic")]
    public void A_device_that_goes_down_and_up_goes_on_and_one_that_is_deleted_is_gone(string driver)
    {
        using TwoHosts hosts = new();
        using NetdevPair pair = new(hosts, driver);
        Traffic.Ping(hosts.Left, 2);
        hosts.Switch.Run("ip link set right down");
        hosts.Left.Run("ping -n -q -c 3 -i 0.05 -W 1 10.77.0.2 || true");
        Assert.Equal(NetdevState.Down, pair.RightDevice.Refresh());
        hosts.Switch.Run("ip link set right up");
        Assert.Equal(NetdevState.Up, pair.RightDevice.Refresh());
        Traffic.Ping(hosts.Left, 2);

        hosts.Switch.Run("ip link del right");
        hosts.Left.Run("ping -n -q -c 3 -i 0.05 -W 1 10.77.0.2 || true");
        Assert.Equal(NetdevState.Gone, pair.RightDevice.Refresh());
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp-native")]
    [InlineData("xdp-generic")]
    public void Nothing_is_allocated_for_a_packet(string driver)
    {
        using TwoHosts hosts = new();
        using NetdevPair pair = new(hosts, driver);
        Traffic.Tcp(hosts.Left, hosts.Right, "10.77.0.2", 5 << 20);
        Assert.Equal(0, Allocated.Least(Measure));

        long Measure()
        {
            long before = pair.Loop.AllocatedBytes, packets = pair.Loop.Received;
            Traffic.Tcp(hosts.Left, hosts.Right, "10.77.0.2", 5 << 20);
            Traffic.Udp(hosts.Left, hosts.Right, "10.77.0.2", 100, 100);
            Assert.True(pair.Loop.Received > packets + 200);
            return pair.Loop.AllocatedBytes - before;
        }
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp-native")]
    [InlineData("xdp-generic")]
    public void A_frame_wakes_who_waits_for_it(string driver)
    {
        using TwoHosts hosts = new();
        using PacketPool pool = new(4096, PacketPool.XdpFrameSize);
        (IVportDriver left, Netdev device, int descriptor) = NetdevPair.Open(hosts, "left", driver, new XdpMemory(pool));
        using NetdevEnd sender = new(hosts.Left, "eth");
        using (device)
        using (left)
        {
            byte[] frame = Convert.FromHexString("02000000000202000000000188b5" + new string('0', 92));
            for (int i = 0; i < 5; i++)
            {
                // Only who has found nothing may wait. The host sends frames of its own at first.
                do
                {
                    while (TryReceive(left, pool))
                    {
                    }
                }
                while (Wait(descriptor, 20) != 0);
                sender.Send(frame);
                Assert.Equal(1, Wait(descriptor, 2000));
                Assert.True(TryReceive(left, pool));
            }
        }
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("xdp-native")]
    public void What_the_ring_cannot_hold_is_counted_as_dropped(string driver)
    {
        using TwoHosts hosts = new();
        using PacketPool pool = new(8192, PacketPool.XdpFrameSize);
        (IVportDriver left, Netdev device, _) = NetdevPair.Open(hosts, "left", driver, new XdpMemory(pool));
        using NetdevEnd sender = new(hosts.Left, "eth");
        using (device)
        using (left)
        {
            byte[] frame = Convert.FromHexString("02000000000202000000000188b5" + new string('0', 100));
            const int Sent = 8000;
            for (int i = 0; i < Sent; i++)
            {
                sender.Send(frame);
            }

            int received = 0;
            PacketBatch batch = default;
            do
            {
                for (int i = 0; i < batch.Count; i++)
                {
                    received += batch[i].Length == frame.Length ? 1 : 0;
                    pool.Free(batch.Pointer(i));
                }

                batch.Clear();
                left.Receive(pool, ref batch);
            }
            while (batch.Count != 0);
            VportStats stats = default;
            left.AddStats(ref stats);
            Assert.InRange(received, 1000, Sent - 1000);
            Assert.InRange((int)stats.RxDropped, Sent - received, Sent - received + 20); // And what the hosts send of themselves.
        }
    }

    [SkippableFact]
    public void Attach_refuses_what_the_kernel_refuses()
    {
        Requires.NetworkAdministration();
        using NetworkNamespace space = new();
        space.Run("ip tuntap add tun9 mode tun");
        space.Call(() =>
        {
            Assert.Equal(Errno.NoDevice, Netdev.TryOpen("missing", out _).Errno);
            Assert.Equal(Errno.NoDevice, Netdev.TryOpen("a-name-that-is-too-long", out _).Errno);
            Assert.Equal(Errno.InvalidArgument, Netdev.TryOpen("lo", out _).Errno);
            Assert.Equal(Errno.InvalidArgument, Netdev.TryOpen("tun9", out _).Errno);
            return 0;
        });
    }

    [SkippableFact]
    public void Drivers_of_a_fanout_group_share_the_frames()
    {
        using TwoHosts hosts = new();
        using PacketPool first = new(4096), second = new(4096);
        using NetdevEnd sender = new(hosts.Left, "eth");
        (Netdev device, PacketSocketDriver one, PacketSocketDriver two) = hosts.Switch.Call(() =>
        {
            PacketSocketOptions options = new() { FanoutGroup = 77 };
            Assert.Equal(Refusal.None, Netdev.TryOpen("left", out Netdev? opened));
            Assert.Equal(Refusal.None, PacketSocketDriver.TryOpen(opened!, options, out PacketSocketDriver? a));
            Assert.Equal(Refusal.None, PacketSocketDriver.TryOpen(opened!, options, out PacketSocketDriver? b));
            return (opened!, a!, b!);
        });
        using (device)
        using (one)
        using (two)
        {
            byte[] frame = Convert.FromHexString("0200000000020200000000010800" + "4500002e0000000040110000" + "0a4d00010a4d0002" + "10001000001a0000" + new string('0', 36));
            const int Sent = 256;
            for (int i = 0; i < Sent; i++)
            {
                BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(34), (ushort)(5000 + i));
                sender.Send(frame);
            }

            int a = Count(one, first, frame.Length), b = Count(two, second, frame.Length);
            Assert.Equal(Sent, a + b);
            Assert.InRange(a, 64, 192);
        }
    }

    private static int Wait(int descriptor, int timeoutMs)
    {
        Libc.pollfd wait = new() { fd = descriptor, events = Libc.POLLIN };
        return Libc.poll(&wait, 1, timeoutMs);
    }

    private static bool TryReceive(IVportDriver driver, PacketPool pool)
    {
        PacketBatch batch = default;
        driver.Receive(pool, ref batch);
        for (int i = 0; i < batch.Count; i++)
        {
            pool.Free(batch.Pointer(i));
        }

        return batch.Count != 0;
    }

    private static int Count(PacketSocketDriver driver, PacketPool pool, int length)
    {
        int count = 0;
        PacketBatch batch = default;
        do
        {
            for (int i = 0; i < batch.Count; i++)
            {
                count += batch[i].Length == length ? 1 : 0;
                pool.Free(batch.Pointer(i));
            }

            batch.Clear();
            driver.Receive(pool, ref batch);
        }
        while (batch.Count != 0);
        return count;
    }

    private static void Send(IVportDriver driver, PacketPool pool, byte[] frame)
    {
        PacketBatch batch = default;
        Packet* packet = pool.TryAllocate();
        Assert.True(packet->TrySetBytes(frame));
        batch.Add(packet);
        Assert.Equal(1, driver.Transmit(pool, ref batch));
    }

    private static byte[] Receive(IVportDriver driver, PacketPool pool, Func<byte[], bool> wanted) => NetdevEnd.Receive(driver, pool, wanted);
}
