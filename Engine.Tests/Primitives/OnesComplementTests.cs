using System.Buffers.Binary;
using Engine.Primitives;
using Engine.Tests.Oracles;

namespace Engine.Tests.Primitives;

/// <summary>The fast sum against the sum of single bytes.</summary>
public sealed class OnesComplementTests
{
    [Fact]
    public void Every_length_and_alignment_gives_the_sum_of_the_bytes()
    {
        const int Seed = 20;
        Random random = new(Seed);
        byte[] bytes = new byte[700];
        random.NextBytes(bytes);
        bytes.AsSpan(300, 200).Fill(0xff); // Carries everywhere.
        for (int start = 0; start < 9; start++)
        {
            for (int length = 0; start + length <= bytes.Length; length++)
            {
                ReadOnlySpan<byte> piece = bytes.AsSpan(start, length);
                ushort expected = (ushort)ByteChecksum.Sum(piece);
                Assert.Equal(expected, InHostOrder(OnesComplement.Sum(piece)));
                Assert.Equal(expected, InHostOrder(OnesComplement.SumScalar(piece, 0)));
            }
        }
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(ulong.MaxValue - 1)]
    [InlineData(0xffff_ffffUL)]
    [InlineData(0)]
    public void A_large_sum_before_carries_around(ulong before)
    {
        byte[] bytes = new byte[100];
        bytes.AsSpan().Fill(0xa5);
        UInt128 exact = before;
        for (int i = 0; i < bytes.Length; i += 2)
        {
            exact += BitConverter.ToUInt16(bytes, i);
        }

        // A one's complement sum is the number modulo 65,535, zero and 65,535 being the same.
        ushort sum = OnesComplement.Fold(OnesComplement.Sum(bytes, before));
        Assert.Equal((ushort)(exact % 0xffff), (ushort)(sum % 0xffff));
    }

    private static ushort InHostOrder(ulong sum) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(OnesComplement.Fold(sum)) : OnesComplement.Fold(sum);
}
