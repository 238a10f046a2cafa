using Engine.Tests.Fuzz;
using Engine.Vports;
using Xunit.Abstractions;

namespace Engine.Tests.Vports;

/// <summary>No bytes make a reader throw, hang, or deliver more than there is.</summary>
public sealed class CaptureFuzzTests(ITestOutputHelper output)
{
    private const int InputsPerSeed = 20_000;

    [Theory]
    [MemberData(nameof(FuzzSeeds.All), MemberType = typeof(FuzzSeeds))]
    public void A_mutated_capture_is_read_to_an_end(int seed)
    {
        output.WriteLine($"seed {seed}, {InputsPerSeed} inputs");
        Random random = new(seed);
        byte[][] corpus = Corpus(random);
        Dictionary<CaptureFaultKind, int> seen = [];
        for (int i = 0; i < InputsPerSeed; i++)
        {
            byte[] bytes = Mutate(random, corpus);
            try
            {
                (var packets, CaptureFault fault) = CaptureBytes.Read(bytes, chunk: random.Next(4) == 0 ? random.Next(1, 40) : int.MaxValue);
                seen[fault.Kind] = seen.GetValueOrDefault(fault.Kind) + 1;
                Assert.InRange(packets.Sum(packet => packet.Bytes.Length), 0, bytes.Length);
                Assert.InRange(fault.Offset, 0, bytes.Length);
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed} input {i}: {Convert.ToHexStringLower(bytes)}: {exception}");
            }
        }

        output.WriteLine(string.Join(", ", seen.Select(pair => $"{pair.Key} {pair.Value}")));
        Assert.True(seen.Count >= 5, "the mutations reach too few of the reader's ends");
    }

    private static byte[][] Corpus(Random random)
    {
        byte[] small = new byte[33], large = new byte[700];
        random.NextBytes(small);
        random.NextBytes(large);
        return
        [
            new CaptureBytes(false).PcapHeader().Record(1, 2, small).Record(3, 4, large).Record(5, 6, small).ToArray(),
            new CaptureBytes(true).PcapHeader(0xa1b23c4d).Record(1, 2, large).Record(3, 4, small).ToArray(),
            new CaptureBytes(false).Section().Interface(resolution: 9).Enhanced(0, 1, small).Unknown(40).Simple(large).Obsolete(0, 5, small).ToArray(),
            new CaptureBytes(true).Section().Interface(snapshotLength: 20, offset: 5).Simple(small[..20], 33).Enhanced(0, 1, large).Section().Interface().Enhanced(0, 2, small).ToArray(),
        ];
    }

    private static byte[] Mutate(Random random, byte[][] corpus)
    {
        byte[] bytes = [.. corpus[random.Next(corpus.Length)]];
        int changes = random.Next(1, 6);
        for (int i = 0; i < changes && bytes.Length > 0; i++)
        {
            int at = random.Next(bytes.Length);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    // The values that lengths go wrong with.
                    byte[] number = BitConverter.GetBytes(random.Next(4) switch { 0 => 0, 1 => -1, 2 => int.MinValue, _ => random.Next(2000) });
                    number.AsSpan(0, Math.Min(4, bytes.Length - (at & ~3))).CopyTo(bytes.AsSpan(at & ~3));
                    break;
                case 2:
                    bytes = bytes[..at];
                    break;
                case 3:
                    bytes = [.. bytes[..at], .. bytes[random.Next(at, bytes.Length)..]];
                    break;
                case 4:
                    byte[] other = corpus[random.Next(corpus.Length)];
                    bytes = [.. bytes[..at], .. other[random.Next(other.Length)..]];
                    break;
                default:
                    random.NextBytes(bytes.AsSpan(at, Math.Min(random.Next(16), bytes.Length - at)));
                    break;
            }
        }

        return bytes;
    }
}
