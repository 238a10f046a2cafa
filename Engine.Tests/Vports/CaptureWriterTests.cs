using Engine.Vports;

namespace Engine.Tests.Vports;

/// <summary>What is written is read again, and a stream that fails is no reason to throw.</summary>
public sealed class CaptureWriterTests
{
    [Theory]
    [InlineData(CaptureFormat.PcapMicroseconds, 1000)]
    [InlineData(CaptureFormat.PcapNanoseconds, 1)]
    [InlineData(CaptureFormat.Pcapng, 1)]
    public void Packets_of_every_length_come_back_with_their_times(CaptureFormat format, long resolutionNs)
    {
        const int seed = 20261121;
        Random random = new(seed);
        List<(byte[] Bytes, long TimestampNs, uint OriginalLength)> written = [];
        MemoryStream stream = new();
        using (CaptureWriter writer = new(stream, format))
        {
            foreach (int length in Enumerable.Range(0, 130).Append(1514).Append(65_535).Append(65_536).Append(CaptureReader.MaximumPacketLength))
            {
                byte[] packet = new byte[length];
                random.NextBytes(packet);
                long time = random.NextInt64(uint.MaxValue * 1_000_000_000L);
                uint originalLength = random.Next(2) == 0 ? (uint)length : 300_000;
                Assert.True(writer.TryWrite(packet, time, originalLength));
                written.Add((packet, time / resolutionNs * resolutionNs, length == 0 && originalLength == 0 ? 0 : originalLength));
            }

            Assert.False(writer.TryWrite(new byte[CaptureReader.MaximumPacketLength + 1], 0));
            Assert.Null(writer.Failure);
        }

        (var read, CaptureFault fault) = CaptureBytes.Read(stream.ToArray());
        Assert.Equal(CaptureFaultKind.None, fault.Kind);
        Assert.Equal(written.Count, read.Count);
        for (int i = 0; i < read.Count; i++)
        {
            Assert.Equal(written[i].Bytes, read[i].Bytes);
            Assert.Equal(written[i].TimestampNs, read[i].TimestampNs);
            Assert.Equal(written[i].OriginalLength, read[i].OriginalLength);
        }
    }

    [Theory]
    [InlineData(CaptureFormat.PcapMicroseconds)]
    [InlineData(CaptureFormat.PcapNanoseconds)]
    [InlineData(CaptureFormat.Pcapng)]
    public void The_bytes_are_those_of_the_format(CaptureFormat format)
    {
        byte[] packet = [1, 2, 3, 4, 5];
        MemoryStream stream = new();
        using (CaptureWriter writer = new(stream, format))
        {
            writer.TryWrite(packet, 3_000_004_005);
        }

        CaptureBytes expected = new(false);
        byte[] bytes = format switch
        {
            CaptureFormat.PcapMicroseconds => expected.U32(0xa1b2c3d4).U16(2).U16(4).U64(0).U32(262_144).U32(1).Record(3, 4, packet).ToArray(),
            CaptureFormat.PcapNanoseconds => expected.U32(0xa1b23c4d).U16(2).U16(4).U64(0).U32(262_144).U32(1).Record(3, 4005, packet).ToArray(),
            _ => expected.Section()
                .Block(1, body => body.U16(1).U16(0).U32(262_144).U16(9).U16(1).Raw(9, 0, 0, 0).U16(0).U16(0))
                .Block(6, body => body.U32(0).U32(0).U32(3_000_004_005).U32(5).U32(5).Raw(packet).Raw(0, 0, 0))
                .ToArray(),
        };
        Assert.Equal(bytes, stream.ToArray());
    }

    [Fact]
    public void A_full_disk_is_reported_once_and_nothing_more_is_written()
    {
        FullStream stream = new();
        CaptureWriter writer = new(stream);
        int accepted = 0;
        while (writer.TryWrite(new byte[1500], 0))
        {
            accepted++;
        }

        Assert.InRange(accepted, 1, 100);
        Assert.Equal("disk full", writer.Failure);
        writer.Dispose();
        Assert.Equal("disk full", writer.Failure);
        Assert.Equal(1, stream.Writes);
    }

    private sealed class FullStream : MemoryStream
    {
        public int Writes { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Writes++;
            throw new IOException("disk full");
        }
    }
}
