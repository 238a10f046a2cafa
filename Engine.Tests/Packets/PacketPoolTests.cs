using Engine.Packets;

namespace Engine.Tests.Packets;

public unsafe class PacketPoolTests
{
    [Fact]
    public void Frames_run_out_and_come_back()
    {
        using PacketPool pool = new(frameCount: 2);
        Packet* first = pool.TryAllocate();
        Packet* second = pool.TryAllocate();

        Assert.True(first != null && second != null && first != second);
        Assert.True(pool.TryAllocate() == null);
        Assert.Equal(2, pool.UsedCount);

        pool.Free(first);
        Assert.True(pool.TryAllocate() == first);
        pool.Free(first);
        pool.Free(second);
        Assert.Equal(0, pool.UsedCount);
    }

    [Fact]
    public void A_batch_of_frames_goes_and_comes_back_standard_and_large()
    {
        using PacketPool pool = new(frameCount: 8, largeFrameCount: 2);
        PacketBatch batch = default;
        batch.Add(pool.TryAllocate(5_000));
        Packet* single = pool.TryAllocate();

        Assert.Equal(7, pool.Allocate(ref batch, PacketBatch.Capacity - 1));
        Assert.Equal(0, pool.Allocate(ref batch, 1));
        HashSet<nint> frames = [(nint)single];
        for (int i = 0; i < batch.Count; i++)
        {
            batch[i].Reset(Packet.DefaultDataOffset, 60);
            Assert.True(frames.Add((nint)batch.Pointer(i)));
            Assert.Equal((i == 0, 60, true), (batch[i].IsLarge, batch[i].Length, batch[i].HasEthernet));
        }

        pool.Free(ref batch);
        pool.Free(single);
        Assert.Equal((0, 0, 8), (batch.Count, pool.UsedCount, pool.FreeCount));
        Assert.Equal(3, pool.Allocate(ref batch, 3));
        pool.Free(ref batch);
        Assert.Equal(0, pool.UsedCount);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1984, true)]
    [InlineData(1985, false)]
    [InlineData(PacketPool.MaximumPacketLength, false)]
    public void A_packet_gets_a_frame_it_fits_in(int length, bool isStandard)
    {
        using PacketPool pool = new(frameCount: 4);
        int free = pool.FreeCount;
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);

        Packet* packet = pool.TryAllocate(length);

        Assert.True(packet->TrySetBytes(bytes));
        Assert.True(packet->Bytes.SequenceEqual(bytes));
        Assert.Equal(isStandard, pool.FreeCount == free - 1);
        pool.Free(packet);
        Assert.Equal(0, pool.UsedCount);
    }

    [Fact]
    public void A_packet_longer_than_any_frame_gets_none()
    {
        using PacketPool pool = new(frameCount: 1);
        Assert.True(pool.TryAllocate(PacketPool.MaximumPacketLength + 1) == null);
        Packet* packet = pool.TryAllocate();
        Assert.False(packet->TrySetBytes(new byte[1985]));
        Assert.Equal(0, packet->Length);
        pool.Free(packet);
    }

    [Fact]
    public void A_frame_that_comes_back_is_clean()
    {
        using PacketPool pool = new(frameCount: 1);
        Packet* packet = pool.TryAllocate();
        packet->TrySetBytes([1, 2, 3]);
        packet->TryPush(14);
        packet->HasEthernet = false;
        packet->HasOuterTag = true;
        packet->HasTransport = true;
        packet->CutLength = 7;
        packet->FlowHash = 1;
        packet->MaximumReceiveUnit = 1400;
        packet->Offload.GsoType = 1;
        pool.Free(packet);

        packet = pool.TryAllocate();

        Assert.Equal((0, Packet.Headroom), (packet->Length, packet->AvailableHeadroom));
        Assert.Equal((true, false, false), (packet->HasEthernet, packet->HasOuterTag, packet->HasTransport));
        Assert.Equal((0, 0ul, 0, 0), (packet->CutLength, packet->FlowHash, packet->MaximumReceiveUnit, packet->Offload.GsoType));
        pool.Free(packet);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(1984)]
    [InlineData(9000)]
    public void A_clone_has_bytes_and_metadata_of_its_own(int length)
    {
        using PacketPool pool = new(frameCount: 2);
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        Packet* packet = pool.TryAllocate(length);
        packet->TrySetBytes(bytes);
        packet->NetworkOffset = 18;
        packet->HasOuterTag = true;

        Packet* clone = pool.TryClone(ref *packet);
        packet->Bytes.Fill(0xa5);
        packet->NetworkOffset = 0;

        Assert.True(clone->Bytes.SequenceEqual(bytes));
        Assert.Equal((18, true), (clone->NetworkOffset, clone->HasOuterTag));
        pool.Free(clone);
        pool.Free(packet);
        Assert.Equal(0, pool.UsedCount);
    }

    [Fact]
    public void Bytes_are_pushed_into_the_headroom_until_it_is_used_up()
    {
        using PacketPool pool = new(frameCount: 1);
        Packet* packet = pool.TryAllocate();
        packet->TrySetBytes([9]);

        Assert.True(packet->TryPush(Packet.Headroom));
        Assert.False(packet->TryPush(1));
        Assert.Equal(Packet.Headroom + 1, packet->Length);
        packet->Pull(Packet.Headroom);
        Assert.True(packet->Bytes.SequenceEqual((ReadOnlySpan<byte>)[9]));
        packet->Trim(5);
        Assert.Equal(1, packet->Length);
        packet->Trim(0);
        Assert.Equal(0, packet->Length);
        pool.Free(packet);
    }

    [Theory]
    [InlineData(0, 2048)]
    [InlineData(1, 256)]
    [InlineData(1, 3001)]
    public void Sizes_that_cannot_be_are_refused(int frameCount, int frameSize) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PacketPool(frameCount, frameSize));

    [Fact]
    public unsafe void Frames_given_back_by_another_thread_while_the_worker_runs_are_all_there_again()
    {
        using PacketPool pool = new(frameCount: 512, largeFrameCount: 1);
        nint[] held = [.. Enumerable.Range(0, 256).Select(_ => (nint)pool.TryAllocate())];
        Thread other = new(() =>
        {
            foreach (nint frame in held)
            {
                pool.GiveBack((Packet*)frame);
            }
        });
        other.Start();

        // The worker takes all that it can get meanwhile, and frees half of it again.
        List<nint> own = [];
        do
        {
            for (Packet* packet = pool.TryAllocate(); packet != null; packet = pool.TryAllocate())
            {
                own.Add((nint)packet);
            }

            for (int i = own.Count / 2; i > 0; i--)
            {
                pool.Free((Packet*)own[^1]);
                own.RemoveAt(own.Count - 1);
            }
        }
        while (!other.Join(0));

        for (Packet* packet = pool.TryAllocate(); packet != null; packet = pool.TryAllocate())
        {
            own.Add((nint)packet);
        }

        Assert.Equal(512, own.Distinct().Count());
        Assert.Equal(512, own.Count);
        Assert.Equal(0, pool.FreeCount);
    }
}
