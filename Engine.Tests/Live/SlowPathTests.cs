using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>Devices that take frames slowly, not at all for a while, or by fewer queues than they have rings: what is sent later must arrive again.</summary>
public sealed unsafe class SlowPathTests
{
    private static readonly byte[] Frame = Convert.FromHexString("02000000770202000000770188b5" + new string('0', 2000));

    // What a device has sent comes back when its frames are freed, which is when the last queueing discipline on their way has let go of them.
    [SkippableFact]
    public void A_sender_whose_frames_were_long_on_their_way_goes_on()
    {
        Requires.NetworkAdministration();
        using NetworkNamespace space = new();
        space.Run("""
            ip link add bridge0 type bridge
            ip link add fast type veth peer name end
            ip link add slow type veth peer name away
            ip link set end master bridge0; ip link set slow master bridge0
            for device in bridge0 fast end slow away; do ip link set $device up; done
            tc qdisc add dev slow root tbf rate 64kbit burst 3000 limit 10000000
            """);
        using XdpSender sender = space.Call(() => XdpSender.TryOpen(Index("fast"), 0)!);
        Eventually.IsSo(
            () =>
            {
                bool isAdded = sender.TryAdd(Frame);
                _ = sender.Send(out _);
                return !isAdded && sender is { IsBehind: false, IsDead: false };
            },
            "all places to be on their way");

        // Nothing waits to be sent, so nobody calls Send.
        space.Run("tc qdisc del dev slow root");
        Eventually.IsSo(() => sender.TryAdd(Frame), "a place to come back");
        Assert.Equal(1, sender.Send(out _));
    }

    [SkippableFact]
    public void A_queue_of_receivers_alone_is_not_sent_by()
    {
        using TwoHosts hosts = new();
        hosts.Switch.Run("ip link add more numrxqueues 2 numtxqueues 1 type veth peer name end; ip link set more up; ip link set end up");
        hosts.Switch.Call(() =>
        {
            Assert.Equal(Refusal.None, Netdev.TryOpen("more", out Netdev? device));
            using (device)
            {
                Assert.Equal((2, 1), (device!.CountQueues(), device.CountTransmitQueues()));
                for (int queue = 0; queue < 2; queue++)
                {
                    Assert.Equal(Refusal.None, PacketSocketDriver.TryOpen(device, new PacketSocketOptions { Queue = queue }, out PacketSocketDriver? driver));
                    using (driver)
                    {
                        Assert.Equal(queue == 0, driver!.HasXdpSender);
                    }
                }
            }

            // As when the device gets fewer of them while it is open: the kernel takes nothing, and says nothing.
            using XdpSender sender = XdpSender.TryOpen(Index("more"), 1)!;
            Assert.True(sender.TryAdd(Frame));
            Assert.Equal(0, sender.Send(out Errno errno));
            Assert.Equal((Errno.None, true, false), (errno, sender.IsDead, sender.IsBehind));
            return 0;
        });
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp-native")]
    [InlineData("xdp-generic")]
    public void A_device_that_was_down_while_much_was_sent_sends_when_it_is_up(string kind)
    {
        using TwoHosts hosts = new();
        using NetdevEnd receiver = new(hosts.Left, "eth");
        using PacketPool pool = new(8192, PacketPool.XdpFrameSize);
        (IVportDriver driver, Netdev device, _) = NetdevPair.Open(hosts, "left", kind, new XdpMemory(pool));
        using (device)
        using (driver)
        {
            hosts.Switch.Run("ip link set left down");
            for (int i = 0; i < 300; i++)
            {
                Send(driver, pool, PacketBatch.Capacity);
            }

            Assert.False(driver.IsBehind);
            hosts.Switch.Run("ip link set left up");
            byte[] last = [.. Frame[..60], 1, 2, 3, 4];
            Eventually.IsSo(
                () =>
                {
                    Send(driver, pool, 1, last);
                    return receiver.HasReceived(last.SequenceEqual);
                },
                "a frame to arrive");
        }

        Assert.Equal(0, pool.UsedCount);
    }

    // The socket says once that its device went down, before it gives the frames that still wait.
    [SkippableFact]
    public void Long_frames_that_waited_while_the_device_went_down_are_received_whole()
    {
        using TwoHosts hosts = new();
        using PacketPool pool = new(256, PacketPool.XdpFrameSize);
        (IVportDriver driver, Netdev device, _) = NetdevPair.Open(hosts, "left", "packet", new XdpMemory(pool));
        using (device)
        using (driver)
        {
            // Longer than a slot of the ring.
            hosts.Switch.Run("ip link set left mtu 9000");
            hosts.Left.Run("ip link set eth mtu 9000");
            using NetdevEnd sender = new(hosts.Left, "eth");
            using LinkSocket links = hosts.Switch.Call(static () => new LinkSocket());
            ulong before = CountReceived(links, device);
            byte[][] frames = [.. Enumerable.Range(0, 4).Select(static i => (byte[])[.. Frame[..14], .. Enumerable.Repeat((byte)i, 4000 + (1000 * i))])];
            Array.ForEach(frames, sender.Send);
            Eventually.IsSo(() => CountReceived(links, device) >= before + (ulong)frames.Length, "the frames to arrive");
            hosts.Switch.Run("ip link set left down; ip link set left up");
            List<byte[]> arrived = [];
            _ = NetdevEnd.Receive(driver, pool, bytes =>
            {
                if (bytes[12] == 0x88 && bytes[13] == 0xb5)
                {
                    arrived.Add(bytes);
                }

                return arrived.Count == frames.Length;
            });
            Assert.Equal(frames, arrived);
        }
    }

    private static ulong CountReceived(LinkSocket links, Netdev device)
    {
        Span<ulong> counters = stackalloc ulong[1];
        Assert.True(links.TryReadStats(device.Index, counters));
        return counters[0];
    }

    private static int Index(string name)
    {
        Assert.Equal(Refusal.None, Netdev.TryOpen(name, out Netdev? device));
        using (device)
        {
            return device!.Index;
        }
    }

    private static void Send(IVportDriver driver, PacketPool pool, int count, byte[]? frame = null)
    {
        PacketBatch batch = default;
        for (int i = 0; i < count; i++)
        {
            Packet* packet = pool.TryAllocate();
            Assert.True(packet != null && packet->TrySetBytes(frame ?? Frame));
            batch.Add(packet);
        }

        driver.Transmit(pool, ref batch);
        driver.Receive(pool, ref batch);
        pool.Free(ref batch);
    }
}
