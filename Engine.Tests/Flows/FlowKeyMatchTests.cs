using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Tests.Oracles;

namespace Engine.Tests.Flows;

/// <summary>Masked hash, comparison and copy: every vector width against the scalar twin, and both against a loop over bytes.</summary>
public sealed class FlowKeyMatchTests
{
    private const int Rounds = 2_000;

    [Fact]
    public void A_key_has_the_size_and_offsets_of_its_declaration()
    {
        Assert.Equal(FlowKey.ByteSize, Unsafe.SizeOf<FlowKey>());
        Assert.Equal(64, FlowKey.CoreSegmentSize);
        FlowKey key = default;
        Assert.Equal(FlowKey.Offsets.IpProtocol, OffsetOf(ref key, ref key.IpProtocol));
        Assert.Equal(FlowKey.Offsets.SkbPriority, OffsetOf(ref key, ref key.SkbPriority));
        Assert.Equal(FlowKey.Offsets.NdTarget, OffsetOf(ref key, ref key.NdTarget));
        Assert.Equal(FlowKey.Offsets.NshContext3, OffsetOf(ref key, ref key.NshContext3));
        Assert.Equal(FlowKey.Offsets.TunnelTtl, OffsetOf(ref key, ref key.TunnelTtl));
        Assert.Equal(FlowKey.Offsets.TunnelOptions, OffsetOf(ref key, ref key.TunnelOptions));
        Assert.Equal(64, FlowKey.Offsets.TunnelOptions - FlowKey.Offsets.TunnelId);
        Assert.Equal(16, FlowKey.Offsets.TunnelIpv6Source - FlowKey.Offsets.TunnelId);
        Assert.Equal(FlowKey.Offsets.Segments, OffsetOf(ref key, ref key.Segments));
        Assert.Equal(FlowKey.MatchedSize, OffsetOf(ref key, ref key.Segments));
    }

    [Fact]
    public void Every_width_hashes_as_the_scalar_twin()
    {
        Random random = Seeded(out int seed);
        for (int round = 0; round < Rounds; round++)
        {
            FlowKey key = RandomKey(random);
            FlowKey mask = RandomMask(random);
            ulong expected = FlowKey.MaskedHashScalar(in key, in mask);
            Assert.True(expected == FlowKey.MaskedHashVector128(in key, in mask), $"128 bits, seed {seed}, round {round}");
            Assert.True(expected == FlowKey.MaskedHashVector256(in key, in mask), $"256 bits, seed {seed}, round {round}");
            Assert.True(expected == FlowKey.MaskedHashVector512(in key, in mask), $"512 bits, seed {seed}, round {round}");
            Assert.True(expected == FlowKey.MaskedHash(in key, in mask), $"dispatched, seed {seed}, round {round}");
            if (mask.Segments == FlowKeySegments.None)
            {
                Assert.True(expected == FlowKey.MaskedHashCore(in key, in mask), $"core, seed {seed}, round {round}");
            }
        }
    }

    [Fact]
    public void The_hash_depends_on_significant_bits_only()
    {
        Random random = Seeded(out int seed);
        for (int round = 0; round < Rounds; round++)
        {
            FlowKey key = RandomKey(random);
            FlowKey mask = RandomMask(random);
            FlowKey.MaskedCopy(in key, in mask, out FlowKey masked);
            Assert.True(FlowKey.MaskedHash(in key, in mask) == FlowKey.MaskedHash(in masked, in mask), $"seed {seed}, round {round}");

            FlowKey other = key;
            int bit = SignificantBit(random, in mask);
            Bytes(ref other)[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(FlowKey.MaskedHash(in key, in mask) != FlowKey.MaskedHash(in other, in mask), $"bit {bit} is lost, seed {seed}, round {round}");
        }
    }

    [Fact]
    public void The_hash_of_the_core_is_the_masked_hash_under_ones()
    {
        Random random = Seeded(out int seed);
        FlowKey ones = default;
        Bytes(ref ones)[..FlowKey.CoreSegmentSize].Fill(0xff);
        for (int round = 0; round < Rounds; round++)
        {
            FlowKey key = RandomKey(random);
            Assert.True(FlowKey.MaskedHashScalar(in key, in ones) == FlowKey.HashCore(in key), $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public void Hashes_of_counted_addresses_and_ports_spread_over_low_and_high_bits()
    {
        FlowKey mask = default;
        mask.Ipv4Source = 0xffffffff;
        mask.TransportSource = 0xffff;
        int[] low = new int[256];
        int[] high = new int[256];
        const int Keys = 256 * 64;
        for (uint i = 0; i < Keys; i++)
        {
            FlowKey key = default;
            key.Ipv4Source = 0x0a000000 + (i >> 6);
            key.TransportSource = (ushort)(1024 + (i & 63));
            ulong hash = FlowKey.MaskedHashCore(in key, in mask);
            low[hash & 0xff]++;
            high[hash >> 56]++;
        }

        // 64 expected in each; ten standard deviations are 80.
        Assert.All(low, static count => Assert.InRange(count, 8, 160));
        Assert.All(high, static count => Assert.InRange(count, 8, 160));
    }

    [Fact]
    public void Every_width_compares_as_a_loop_over_bytes()
    {
        Random random = Seeded(out int seed);
        int equal = 0;
        for (int round = 0; round < Rounds; round++)
        {
            FlowKey key = RandomKey(random);
            FlowKey mask = RandomMask(random);
            FlowKey.MaskedCopy(in key, in mask, out FlowKey masked);
            FlowKey probe = key;
            if (round % 2 == 0)
            {
                // Anywhere, so that both significant and wildcarded bits are flipped.
                Bytes(ref probe)[random.Next(FlowKey.MatchedSize)] ^= (byte)(1 << random.Next(8));
                probe.Segments = probe.FindSegments();
            }

            bool expected = MatchesByteByByte(ref probe, ref mask, ref masked);
            equal += expected ? 1 : 0;
            string at = $"seed {seed}, round {round}, expected {expected}";
            Assert.True(expected == FlowKey.MaskedEqualsScalar(in probe, in mask, in masked), $"scalar, {at}");
            Assert.True(expected == FlowKey.MaskedEqualsVector128(in probe, in mask, in masked), $"128 bits, {at}");
            Assert.True(expected == FlowKey.MaskedEqualsVector256(in probe, in mask, in masked), $"256 bits, {at}");
            Assert.True(expected == FlowKey.MaskedEqualsVector512(in probe, in mask, in masked), $"512 bits, {at}");
            Assert.True(expected == FlowKey.MaskedEquals(in probe, in mask, in masked), $"dispatched, {at}");
            Assert.True(FlowKey.ExactEquals(in key, in probe) == Bytes(ref key)[..FlowKey.MatchedSize].SequenceEqual(Bytes(ref probe)[..FlowKey.MatchedSize]), at);
            if (mask.Segments == FlowKeySegments.None)
            {
                Assert.True(expected == FlowKey.MaskedEqualsCore(in probe, in mask, in masked), $"core, {at}");
            }
        }

        Assert.InRange(equal, Rounds / 2, Rounds - 100);
    }

    [Fact]
    public void Every_width_copies_as_a_loop_over_bytes()
    {
        Random random = Seeded(out int seed);
        for (int round = 0; round < Rounds; round++)
        {
            FlowKey key = RandomKey(random);
            FlowKey mask = RandomMask(random);
            FlowKey expected = default;
            for (int i = 0; i < FlowKey.MatchedSize; i++)
            {
                Bytes(ref expected)[i] = (byte)(Bytes(ref key)[i] & Bytes(ref mask)[i]);
            }

            FlowKey.MaskedCopyScalar(in key, in mask, out FlowKey scalar);
            FlowKey.MaskedCopyVector128(in key, in mask, out FlowKey vector128);
            FlowKey.MaskedCopyVector256(in key, in mask, out FlowKey vector256);
            FlowKey.MaskedCopyVector512(in key, in mask, out FlowKey vector512);
            FlowKey.MaskedCopy(in key, in mask, out FlowKey dispatched);
            foreach (FlowKey copy in new[] { scalar, vector128, vector256, vector512, dispatched })
            {
                FlowKey result = copy;
                Assert.True(Bytes(ref expected)[..FlowKey.MatchedSize].SequenceEqual(Bytes(ref result)[..FlowKey.MatchedSize]), $"seed {seed}, round {round}");
                Assert.True((expected.FindSegments() & ~result.Segments) == 0, $"segments, seed {seed}, round {round}");
            }
        }
    }

    [Fact]
    public void Cleared_segments_are_zero_and_the_others_stay()
    {
        Random random = Seeded(out int seed);
        for (int round = 0; round < Rounds; round++)
        {
            FlowKey key = RandomKey(random);
            FlowKey before = key;
            FlowKeySegments cleared = (FlowKeySegments)random.Next(256);
            key.ClearSegments(cleared);
            Assert.True(key.Segments == (before.Segments & ~cleared), $"seed {seed}, round {round}");
            Assert.True((key.FindSegments() & cleared) == 0, $"seed {seed}, round {round}");
            Assert.True(key.FindSegments() == (before.FindSegments() & ~cleared), $"seed {seed}, round {round}");
            Assert.True(FlowKey.HashCore(in key) == FlowKey.HashCore(in before), $"seed {seed}, round {round}");
        }
    }

    private static Random Seeded(out int seed)
    {
        seed = TestSeed.Value;
        return new Random(seed);
    }

    // Segments are there or all zero, as the contract says; words and bits of each are random.
    private static FlowKey RandomKey(Random random)
    {
        FlowKey key = default;
        random.NextBytes(Bytes(ref key)[..FlowKey.MatchedSize]);
        key.Segments = (FlowKeySegments)255;
        key.ClearSegments((FlowKeySegments)random.Next(256));
        return key;
    }

    private static FlowKey RandomMask(Random random)
    {
        FlowKey mask = RandomKey(random);
        if (random.Next(3) == 0)
        {
            mask.ClearSegments((FlowKeySegments)255);
        }

        Span<byte> bytes = Bytes(ref mask)[..FlowKey.MatchedSize];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = random.Next(3) switch
            {
                0 => 0,
                1 => (byte)(bytes[i] == 0 ? 0 : 0xff),
                _ => bytes[i],
            };
        }

        // There is always something to match.
        mask.InPort = uint.MaxValue;
        mask.Segments = mask.FindSegments();
        return mask;
    }

    private static int SignificantBit(Random random, in FlowKey mask)
    {
        FlowKey copy = mask;
        while (true)
        {
            int bit = random.Next(FlowKey.MatchedSize * 8);
            if ((Bytes(ref copy)[bit / 8] & (1 << (bit % 8))) != 0)
            {
                return bit;
            }
        }
    }

    private static bool MatchesByteByByte(ref FlowKey key, ref FlowKey mask, ref FlowKey masked)
    {
        for (int i = 0; i < FlowKey.MatchedSize; i++)
        {
            if ((Bytes(ref key)[i] & Bytes(ref mask)[i]) != Bytes(ref masked)[i])
            {
                return false;
            }
        }

        return true;
    }

    private static Span<byte> Bytes(ref FlowKey key) => MemoryMarshal.AsBytes(new Span<FlowKey>(ref key));

    private static int OffsetOf<T>(ref FlowKey key, ref T field) => (int)Unsafe.ByteOffset(ref Unsafe.As<FlowKey, byte>(ref key), ref Unsafe.As<T, byte>(ref field));
}
