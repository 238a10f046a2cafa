using Engine.Primitives;

namespace Engine.Tests.Primitives;

/// <summary>That no secret, of those a process may draw, leaves counted addresses and ports crowded in a part of the hash.</summary>
public sealed class HashSecretTests
{
    private const int Secrets = 2_000;
    private const int Addresses = 64;
    private const int Ports = 64;
    private const int Values = 64;

    [Fact]
    public void Sums_of_counted_addresses_and_ports_spread_over_low_and_high_bits_under_any_secret()
    {
        Random random = new(1);
        int[] low = new int[Values];
        int[] high = new int[Values];
        for (int secret = 0; secret < Secrets; secret++)
        {
            Array.Clear(low);
            Array.Clear(high);
            ulong word = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
            ulong other = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
            for (uint address = 0; address < Addresses; address++)
            {
                for (uint port = 0; port < Ports; port++)
                {
                    ulong sum = Product(0x0a000000 + address, word) + Product(1024 + port, other);
                    ulong hash = HashSecret.Finish(sum);
                    low[hash % Values]++;
                    high[hash / (ulong.MaxValue / Values + 1)]++;
                }
            }

            // 64 expected in each; ten standard deviations are 80.
            Assert.True(low.Min() >= 8 && low.Max() <= 144, $"low bits under secret {secret}: {low.Min()} to {low.Max()}");
            Assert.True(high.Min() >= 8 && high.Max() <= 144, $"high bits under secret {secret}: {high.Min()} to {high.Max()}");
        }
    }

    // A term of the hash whose other half is zero, as in MaskedWords.
    private static ulong Product(uint half, ulong secret) => (ulong)(half + (uint)secret) * (uint)(secret >> 32);
}
