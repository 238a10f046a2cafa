using Engine.Packets;
using Engine.Tests.Allocation;
using Engine.Vports;

namespace Engine.Tests.Vports;

/// <summary>Drivers without an outside: captures, memory, nothing.</summary>
public sealed unsafe class DriverTests
{
    private static readonly byte[][] Packets = [.. Enumerable.Range(0, 100).Select(i => Enumerable.Range(i, 14 + (i * 31)).Select(b => (byte)b).ToArray())];

    [Fact]
    public void A_capture_goes_in_by_one_port_and_out_by_another_with_its_times()
    {
        MemoryStream written = new();
        using PacketPool pool = new(64);
        PcapDriver input = new(Open(Packets), null);
        PcapDriver outputDriver = new(null, new CaptureWriter(written));
        PacketBatch batch = default;
        while (!input.IsFinished)
        {
            input.Receive(pool, ref batch);
            int count = batch.Count;
            Assert.Equal(count, outputDriver.Transmit(pool, ref batch));
            Assert.Equal(0, batch.Count);
        }

        outputDriver.Dispose();
        Assert.Equal(0, pool.UsedCount);
        (var read, _) = CaptureBytes.Read(written.ToArray());
        Assert.Equal(Packets, read.Select(packet => packet.Bytes));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => i * 1_000_000_000L), read.Select(packet => packet.TimestampNs));
    }

    [Fact]
    public void Without_a_free_frame_a_packet_of_a_capture_waits()
    {
        using PacketPool pool = new(3, largeFrameCount: 3);
        using PcapDriver driver = new(Open(Packets), null);
        List<byte[]> received = [];
        while (!driver.IsFinished)
        {
            Drain(driver, pool, received);
        }

        Assert.Equal(Packets, received);
    }

    [Fact]
    public void Packets_longer_than_any_frame_are_counted()
    {
        byte[] tooLong = new byte[PacketPool.MaximumPacketLength + 1], longest = new byte[PacketPool.MaximumPacketLength];
        using PacketPool pool = new(3);
        using PcapDriver file = new(Open(tooLong, Packets[0], tooLong, longest), null);
        PacketStore store = new();
        LoopbackDriver loopback = new();
        foreach (byte[] packet in new[] { tooLong, Packets[0], tooLong, longest })
        {
            store.Add(packet);
            Assert.True(loopback.TryPut(packet));
        }

        using PcapLoopDriver memory = new(store);
        foreach (IVportDriver driver in new IVportDriver[] { file, loopback })
        {
            List<byte[]> received = [];
            Drain(driver, pool, received);
            Drain(driver, pool, received);
            Assert.Equal(new[] { Packets[0], longest }, received);
        }

        PacketBatch batch = default;
        memory.Receive(pool, ref batch);
        Assert.Equal((2L, 2L), (file.DroppedTooLong, loopback.DroppedTooLong));
        Assert.True(memory.DroppedTooLong > 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(100)]
    public void A_capture_in_memory_is_played_again_and_again_in_order(int count)
    {
        PacketStore store = PcapLoopDriver.Load(Open(Packets[..count]));
        Assert.Equal((count, Packets[..count].Sum(packet => (long)packet.Length)), (store.Count, store.TotalLength));
        using PacketPool pool = new(64);
        using PcapLoopDriver driver = new(store);
        List<byte[]> received = [];
        for (int i = 0; i < 20; i++)
        {
            Drain(driver, pool, received);
        }

        Assert.Equal(20 * 32, received.Count);
        for (int i = 0; i < received.Count; i++)
        {
            Assert.Equal(Packets[i % count], received[i]);
        }
    }

    [Fact]
    public void An_empty_capture_in_memory_gives_nothing()
    {
        using PacketPool pool = new(64);
        using PcapLoopDriver driver = new(PcapLoopDriver.Load(Open()));
        PacketBatch batch = default;
        driver.Receive(pool, ref batch);
        Assert.Equal(0, batch.Count);
    }

    [Fact]
    public void A_capture_in_memory_costs_no_allocation_to_play_and_discard()
    {
        using PacketPool pool = new(64);
        using PcapLoopDriver driver = new(PcapLoopDriver.Load(Open(Packets)));
        using NullDriver sink = new();
        PacketBatch batch = default;
        Play();
        Assert.Equal(0, Allocated.ByThisThread(Play));
        Assert.Equal(0, pool.UsedCount);

        void Play()
        {
            for (int i = 0; i < 1000; i++)
            {
                driver.Receive(pool, ref batch);
                Assert.True(sink.Transmit(pool, ref batch) == PacketBatch.Capacity);
            }
        }
    }

    [Fact]
    public void What_is_put_into_a_loopback_comes_out_in_order_round_the_ring_s_end()
    {
        const int seed = 7;
        Random random = new(seed);
        using PacketPool pool = new(64);
        using LoopbackDriver driver = new(ringSize: 4096);
        Queue<byte[]> expected = [];
        byte[] taken = new byte[4096];
        int through = 0, refused = 0;
        while (through < 5000)
        {
            byte[] packet = new byte[random.Next(0, 1200)];
            random.NextBytes(packet);
            if (driver.TryPut(packet))
            {
                expected.Enqueue(packet);
            }
            else
            {
                refused++;
                PacketBatch batch = default;
                driver.Receive(pool, ref batch);
                int count = batch.Count;
                int sent = driver.Transmit(pool, ref batch);
                Assert.Equal(count, sent);
                while (driver.TryTake(taken, out int length))
                {
                    Assert.Equal(expected.Dequeue(), taken[..length]);
                    through++;
                }
            }
        }

        Assert.True(refused > 0);
        Assert.Equal(0, pool.UsedCount);
    }

    [Fact]
    public void A_full_loopback_takes_what_fits_and_frees_the_rest()
    {
        using PacketPool pool = new(64);
        using LoopbackDriver driver = new(ringSize: 256);
        PacketBatch batch = default;
        for (int i = 0; i < 32; i++)
        {
            Packet* packet = pool.TryAllocate();
            packet->TrySetBytes(new byte[60]);
            batch.Add(packet);
        }

        Assert.Equal(4, driver.Transmit(pool, ref batch));
        Assert.Equal(0, pool.UsedCount);
        byte[] cut = new byte[10];
        Assert.True(driver.TryTake(cut, out int length));
        Assert.Equal(60, length);
    }

    private static CaptureReader Open(params byte[][] packets)
    {
        CaptureBytes capture = new CaptureBytes(false).PcapHeader();
        for (int i = 0; i < packets.Length; i++)
        {
            capture = capture.Record((uint)i, 0, packets[i]);
        }

        Assert.True(CaptureReader.TryOpen(new MemoryStream(capture.ToArray()), out CaptureReader? reader, out _));
        return reader;
    }

    // One batch into copies; its frames go back.
    private static void Drain(IVportDriver driver, PacketPool pool, List<byte[]> received)
    {
        PacketBatch batch = default;
        driver.Receive(pool, ref batch);
        for (int i = 0; i < batch.Count; i++)
        {
            received.Add(batch[i].Bytes.ToArray());
            pool.Free(batch.Pointer(i));
        }
    }
}
