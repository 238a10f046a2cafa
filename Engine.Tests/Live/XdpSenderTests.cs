using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>Frames that leave by AF_XDP from a device that receives by other means.</summary>
public sealed unsafe class XdpSenderTests
{
    // More than the ring holds, so that every place is used again and again.
    private const int Many = 2000;

    [SkippableFact]
    public void Frames_arrive_as_they_were_and_places_come_back()
    {
        using TwoHosts hosts = new();
        using NetdevEnd receiver = new(hosts.Left, "eth");
        using XdpSender sender = hosts.Switch.Call(() => Open("left")!);
        for (int i = 0; i < Many; i++)
        {
            byte[] frame = FrameOf(i, 60 + (i % 1400));
            Assert.True(sender.TryAdd(frame));
            Assert.Equal(1, sender.Waiting);
            Assert.Equal(1, sender.Send(out Errno errno));
            Assert.Equal((Errno.None, 0, false), (errno, sender.Waiting, sender.IsBehind));
            Assert.Equal(frame, receiver.Receive(bytes => bytes.AsSpan(0, 14).SequenceEqual(frame.AsSpan(0, 14))));
        }
    }

    [SkippableFact]
    public void A_device_that_is_down_takes_none_and_one_that_is_up_again_does()
    {
        using TwoHosts hosts = new();
        using NetdevEnd receiver = new(hosts.Left, "eth");
        using XdpSender sender = hosts.Switch.Call(() => Open("left")!);
        hosts.Switch.Run("ip link set left down");
        int added = 0;
        while (sender.TryAdd(FrameOf(added, 60)))
        {
            added++;
        }

        Assert.Equal(0, sender.Send(out Errno errno));
        Assert.Equal((Errno.NetworkDown, true), (errno, sender.IsBehind));
        hosts.Switch.Run("ip link set left up");
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                _ = sender.Send(out _);
                return !sender.IsBehind;
            },
            TimeSpan.FromSeconds(10)));
        Assert.True(sender.TryAdd(FrameOf(added, 60)));
        Assert.Equal(1, sender.Send(out _));
        byte[] last = FrameOf(added, 60);
        Assert.Equal(last, receiver.Receive(last.SequenceEqual));
    }

    [SkippableFact]
    public void There_is_none_where_the_queue_is_taken_or_missing()
    {
        using TwoHosts hosts = new();
        hosts.Switch.Call(() =>
        {
            using XdpSender? first = Open("left");
            Assert.NotNull(first);
            Assert.Null(Open("left"));
            Assert.Null(Open("right", queue: 7));
            return 0;
        });
    }

    // Frames of a batch go two ways: complete ones by AF_XDP, those with a partial checksum by the packet socket.
    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    public void A_batch_leaves_in_its_order_whichever_way_its_frames_go(string driver)
    {
        using TwoHosts hosts = new();
        using PacketPool pool = new(4096, PacketPool.XdpFrameSize);
        using NetdevEnd receiver = new(hosts.Left, "eth");
        (IVportDriver left, Netdev device, _) = NetdevPair.Open(hosts, "left", driver, new XdpMemory(pool));
        using (device)
        using (left)
        {
            PacketBatch batch = default;
            for (int i = 0; i < PacketBatch.Capacity; i++)
            {
                Packet* packet = pool.TryAllocate();
                Assert.True(packet->TrySetBytes(FrameOf(i, 100)));
                if ((i & 3) >= 2)
                {
                    // Of the last four bytes, zeros, with nothing in the field: the sum is all ones.
                    packet->Offload = new PacketOffload { Flags = ChecksumOffload.NeedsChecksum, ChecksumStart = 96, ChecksumOffset = 0 };
                }

                batch.Add(packet);
            }

            Assert.Equal(PacketBatch.Capacity, left.Transmit(pool, ref batch));
            List<byte[]> arrived = [];
            _ = receiver.Receive(bytes =>
            {
                if (bytes.Length == 100 && bytes[12] == 0x88 && bytes[13] == 0xb5)
                {
                    arrived.Add(bytes[..14]);
                }

                return arrived.Count == PacketBatch.Capacity;
            });
            Assert.Equal(Enumerable.Range(0, PacketBatch.Capacity).Select(static i => FrameOf(i, 14)), arrived);
        }

        Assert.Equal(0, pool.UsedCount);
    }

    private static XdpSender? Open(string name, int queue = 0)
    {
        Assert.Equal(Refusal.None, Netdev.TryOpen(name, out Netdev? device));
        using (device)
        {
            return XdpSender.TryOpen(device!.Index, queue);
        }
    }

    // Its number is in the source address.
    private static byte[] FrameOf(int number, int length)
    {
        byte[] frame = new byte[length];
        Convert.FromHexString($"02000000770102{number:x10}88b5").CopyTo(frame, 0);
        return frame;
    }
}
