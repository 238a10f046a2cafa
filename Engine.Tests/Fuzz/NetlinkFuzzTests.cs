using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Tests.Golden;
using Engine.Tests.Oracles;
using Xunit.Abstractions;

namespace Engine.Tests.Fuzz;

/// <summary>Any attributes are taken or refused; what is taken reads the same when it is written and read again.</summary>
public sealed class NetlinkFuzzTests(ITestOutputHelper output)
{
    private const int InputsPerSeed = 100_000;

    [Theory]
    [MemberData(nameof(FuzzSeeds.All), MemberType = typeof(FuzzSeeds))]
    public void Mutated_keys_and_masks_are_taken_or_refused(int seed)
    {
        Random random = new(seed);
        byte[][] keys = [.. GoldenFiles.KeyExtract.Where(vector => vector.Key is not null).Select(vector => vector.Key!),
            .. GoldenFiles.Actions.SelectMany(vector => vector.Steps).Where(step => step.Op == "flow").Select(step => step.Key!)];
        byte[][] masks = [.. GoldenFiles.Actions.SelectMany(vector => vector.Steps).Where(step => step.Op == "flow").Select(step => step.Mask!), .. keys.Take(200)];
        byte[] buffer = new byte[1024];
        int taken = 0;
        for (int i = 0; i < InputsPerSeed; i++)
        {
            byte[] key = Mutate(random, keys[random.Next(keys.Length)]), mask = Mutate(random, masks[random.Next(masks.Length)]);
            FlowKey.TryParseMetadata(key, out _, out _);
            FlowKey.TryParseNetlink(key, mask, out _, out _);
            FlowKey.TryParseNetlinkExact(key, out _, out _);
            if (FlowKey.TryParseNetlink(key, out FlowKey parsed).IsRefused)
            {
                continue;
            }

            taken++;
            NetlinkWriter writer = new(buffer);
            FlowKey.WriteNetlink(in parsed, ref writer);
            Assert.False(writer.Overflowed);
            byte[] written = writer.Written.ToArray();
            if (!FlowKey.TryParseNetlink(written, out FlowKey again).IsRefused)
            {
                NetlinkWriter second = new(buffer);
                FlowKey.WriteNetlink(in again, ref second);
                Assert.True(written.AsSpan().SequenceEqual(second.Written), $"seed {seed} input {i}: {Convert.ToHexStringLower(key)}");
            }
        }

        output.WriteLine($"seed {seed}: {InputsPerSeed} inputs, {taken} keys taken");
        Assert.InRange(taken, 1, InputsPerSeed - 1);
    }

    [Theory]
    [MemberData(nameof(FuzzSeeds.All), MemberType = typeof(FuzzSeeds))]
    public void Mutated_actions_are_taken_or_refused_and_kept_as_they_came(int seed)
    {
        Random random = new(seed);
        ActionVector[] vectors = [.. GoldenFiles.Actions.Where(vector => !vector.IsSequence)];
        int taken = 0;
        for (int i = 0; i < InputsPerSeed; i++)
        {
            ActionVector vector = vectors[random.Next(vectors.Length)];
            FlowKey key = FlowKeyExtractorTwin.Receive(vector.Packet, udpSegmentation: false, 1).Key;
            byte[] actions = Mutate(random, vectors[random.Next(4) == 0 ? random.Next(vectors.Length) : Array.IndexOf(vectors, vector)].Actions!);
            if (!ActionList.TryCreate(actions, in key, ActionFeatures.All, out ActionList? list).IsRefused)
            {
                taken++;
                Assert.True(list!.Attributes.Length <= actions.Length + 4096);
            }
        }

        output.WriteLine($"seed {seed}: {InputsPerSeed} inputs, {taken} lists taken");
        Assert.InRange(taken, 1, InputsPerSeed - 1);
    }

    private static byte[] Mutate(Random random, byte[] original)
    {
        byte[] bytes = [.. original];
        for (int rounds = random.Next(4); rounds > 0 && bytes.Length != 0; rounds--)
        {
            int at = random.Next(bytes.Length);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2: // An attribute's length or type, four bytes from the start of an attribute most often.
                    bytes[at & ~3] = (byte)random.Next(40);
                    break;
                case 3:
                    bytes = bytes[..at];
                    break;
                default: // A piece twice: duplicate attributes.
                    int start = at & ~3;
                    bytes = [.. bytes, .. bytes[start..Math.Min(bytes.Length, start + (4 * random.Next(1, 8)))]];
                    break;
            }
        }

        return bytes;
    }
}
