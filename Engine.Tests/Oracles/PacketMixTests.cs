using System.Security.Cryptography;

namespace Engine.Tests.Oracles;

/// <summary>The oracles themselves.</summary>
public sealed class PacketMixTests
{
    [Fact]
    public void The_same_seed_gives_the_same_frames()
    {
        Assert.Equal(Digest(1), Digest(1));
        Assert.NotEqual(Digest(1), Digest(2));
    }

    [Fact]
    public void Frames_are_of_every_kind_and_fit()
    {
        PacketMix mix = new(1);
        HashSet<int> types = [], protocols = [];
        for (int i = 0; i < 20_000; i++)
        {
            ReadOnlySpan<byte> frame = mix.Next();
            Assert.InRange(frame.Length, 14, PacketMix.MaximumLength);
            int type = (frame[12] << 8) | frame[13];
            types.Add(type);
            if (type == 0x0800)
            {
                protocols.Add(frame[23]);
                Assert.Equal(0, ByteChecksum.Of(frame.Slice(14, (frame[14] & 15) * 4)));
            }

            Assert.InRange(mix.NextMutated().Length, 0, PacketMix.MaximumLength);
        }

        Assert.Superset(new HashSet<int> { 46, 0x0800, 0x0806, 0x8035, 0x8100, 0x86dd, 0x8847, 0x8848, 0x88a8, 0x88b5, 0x894f }, types);
        Assert.Superset(new HashSet<int> { 1, 2, 6, 17, 132, 253 }, protocols);
    }

    [Fact]
    public void Checksums_are_those_of_the_examples_in_the_standards()
    {
        // RFC 1071 section 3 gives the sum ddf2.
        Assert.Equal(0xddf2u, ByteChecksum.Sum([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]));
        Assert.Equal(0xe3069283u, ByteCrc32C.Of("123456789"u8));
    }

    private static string Digest(int seed)
    {
        PacketMix mix = new(seed);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < 1_000; i++)
        {
            hash.AppendData(i % 2 == 0 ? mix.Next() : mix.NextMutated());
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
