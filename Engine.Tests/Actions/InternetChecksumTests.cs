using Engine.Primitives;
using Engine.Protocols;
using Engine.Tests.Oracles;
using Xunit.Abstractions;

namespace Engine.Tests.Actions;

/// <summary>The Internet checksum against its slow twin, and incremental updates against a full recompute.</summary>
public sealed class InternetChecksumTests(ITestOutputHelper output)
{
    [Fact]
    public void Sum_of_the_example_of_RFC_1071_section_3()
    {
        byte[] bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        Assert.Equal(0xddf2, Be16.FromRaw(InternetChecksum.Sum(bytes)).Value);
        Assert.Equal(0x220d, InternetChecksum.Compute(bytes).Value);
    }

    [Fact]
    public void The_example_of_RFC_1624_section_4()
    {
        // HC = 0xdd2f, m = 0x5555, m' = 0x3285: equation 3 gives 0x0000, not the 0xffff of equation 4.
        Assert.Equal(0x0000, InternetChecksum.Update(new Be16(0xdd2f), new Be16(0x5555), new Be16(0x3285)).Value);
    }

    [Fact]
    public void Any_length_gives_what_the_twin_gives()
    {
        Random random = TestSeed.NewRandom(output);
        byte[] buffer = new byte[2048];
        for (int length = 0; length < buffer.Length; length += 1 + (length / 64))
        {
            random.NextBytes(buffer);
            if (length % 3 == 0)
            {
                Array.Fill(buffer, (byte)0xff);
            }

            foreach (int offset in new[] { 0, 1, 3 })
            {
                ReadOnlySpan<byte> bytes = buffer.AsSpan(offset, Math.Min(length, buffer.Length - offset));
                Assert.Equal(ByteSum(bytes), Be16.FromRaw(InternetChecksum.Sum(bytes)).Value);
                Assert.Equal(OnesComplement.Fold(OnesComplement.SumScalar(bytes, 0)), InternetChecksum.Sum(bytes));
            }
        }
    }

    [Fact]
    public void A_sum_goes_on_where_another_ended()
    {
        byte[] bytes = new byte[300];
        TestSeed.NewRandom(output).NextBytes(bytes);
        uint first = InternetChecksum.Sum(bytes.AsSpan(0, 122));
        Assert.Equal(InternetChecksum.Compute(bytes), InternetChecksum.Compute(bytes.AsSpan(122), first));
    }

    [Fact]
    public void An_updated_checksum_is_the_one_of_the_changed_bytes()
    {
        Random random = TestSeed.NewRandom(output);
        byte[] bytes = new byte[64];
        for (int i = 0; i < 100_000; i++)
        {
            random.NextBytes(bytes);
            Be16 before = InternetChecksum.Compute(bytes);
            int at = random.Next(24) * 2;
            byte[] old = bytes.AsSpan(at, 16).ToArray();
            random.NextBytes(bytes.AsSpan(at, (i % 3) switch { 0 => 2, 1 => 4, _ => 16 }));
            ReadOnlySpan<byte> now = bytes.AsSpan(at, 16);
            Be16 updated = (i % 3) switch
            {
                0 => InternetChecksum.UpdateTransport(before, Word(old), Word(now)),
                1 => InternetChecksum.Update(before, Be32.FromRaw(BitConverter.ToUInt32(old)), Be32.FromRaw(BitConverter.ToUInt32(now))),
                _ => InternetChecksum.Update(before, new Ipv6Address(old), new Ipv6Address(now)),
            };
            Assert.True(updated == InternetChecksum.Compute(bytes), $"step {i}");
        }
    }

    [Theory]
    [InlineData(0xffff, 0xffff, 0x0000, 0xffff)]
    [InlineData(0x0000, 0x0000, 0x0000, 0x0000)]
    [InlineData(0xffff, 0x0000, 0x0000, 0x0000)]
    [InlineData(0x1234, 0x4000, 0x3f00, 0x1334)]
    public void Both_forms_of_zero_come_out_as_in_the_kernel(int checksum, int old, int now, int expected)
    {
        Assert.Equal(expected, InternetChecksum.Update(new Be16((ushort)checksum), new Be16((ushort)old), new Be16((ushort)now)).Value);

        // The functions for transport headers never give 0xffff.
        int transport = expected == 0xffff ? 0 : expected;
        Assert.Equal(transport, InternetChecksum.UpdateTransport(new Be16((ushort)checksum), new Be16((ushort)old), new Be16((ushort)now)).Value);
    }

    [Fact]
    public void An_updated_sum_of_a_pseudo_header_is_not_complemented()
    {
        Be16 sum = Be16.FromRaw(InternetChecksum.Sum([10, 0, 0, 1, 10, 0, 0, 2, 0, 6, 0, 20]));
        Be16 updated = InternetChecksum.UpdatePartial(sum, new Be32(0x0a000001), new Be32(0xc0000201));
        Assert.Equal(Be16.FromRaw(InternetChecksum.Sum([192, 0, 2, 1, 10, 0, 0, 2, 0, 6, 0, 20])), updated);
    }

    [Fact]
    public void The_checksum_of_SCTP_is_that_of_its_twin_and_changes_with_the_ports_alone()
    {
        Random random = TestSeed.NewRandom(output);
        for (int length = 12; length < 200; length++)
        {
            byte[] packet = new byte[length];
            random.NextBytes(packet);
            packet.AsSpan(8, 4).Clear();
            uint before = SctpChecksum.Compute(packet);
            Assert.Equal(ByteCrc32C.Of(packet), before);
            uint ports = BitConverter.ToUInt32(packet);
            random.NextBytes(packet.AsSpan(0, 4));
            Assert.Equal(SctpChecksum.Compute(packet), before ^ SctpChecksum.Difference(ports ^ BitConverter.ToUInt32(packet), length));
        }
    }

    private static Be16 Word(ReadOnlySpan<byte> bytes) => Be16.FromRaw(BitConverter.ToUInt16(bytes));

    private static int ByteSum(ReadOnlySpan<byte> bytes)
    {
        int sum = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            sum += (i & 1) == 0 ? bytes[i] << 8 : bytes[i];
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return sum;
    }
}
