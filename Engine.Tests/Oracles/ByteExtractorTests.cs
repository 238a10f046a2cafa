using Engine.Flows;
using Engine.Packets;
using Engine.Tests.Fuzz;
using Engine.Tests.Golden;
using Xunit.Abstractions;

namespace Engine.Tests.Oracles;

/// <summary>The extractor against its slow twin.</summary>
public sealed unsafe class ByteExtractorTests(ITestOutputHelper output)
{
    private const int InputsPerSeed = 300_000;

    [Theory]
    [MemberData(nameof(FuzzSeeds.All), MemberType = typeof(FuzzSeeds))]
    public void Random_and_mutated_frames_give_the_same_key(int seed)
    {
        output.WriteLine($"seed {seed}, {InputsPerSeed} inputs");
        PacketMix mix = new(seed);
        using PacketPool pool = new(1);
        Packet* packet = pool.TryAllocate();
        FlowKey key = default;
        for (int i = 0; i < InputsPerSeed; i++)
        {
            ReadOnlySpan<byte> bytes = i % 3 == 0 ? mix.Next() : mix.NextMutated();
            Check(packet, ref key, bytes, $"seed {seed} input {i}");
        }
    }

    [Fact]
    public void The_packets_of_the_golden_vectors_give_the_same_key()
    {
        using PacketPool pool = new(1);
        FlowKey key = default;
        foreach (KeyExtractVector vector in GoldenFiles.KeyExtract)
        {
            Packet* packet = pool.TryAllocate(vector.Packet.Length);
            Check(packet, ref key, vector.Packet, vector.Name);
            pool.Free(packet);
        }
    }

    // The slot keeps the key of the frame before, as it does in a datapath.
    private static void Check(Packet* packet, ref FlowKey key, ReadOnlySpan<byte> bytes, string name)
    {
        packet->Reset();
        Assert.True(packet->TrySetBytes(bytes));
        bool expected = ByteExtractor.TryReceive(bytes, 3, out FlowKey twin);
        bool extracted = FlowKeyExtractor.TryReceive(packet, ref key, 3);
        if (expected != extracted || (expected && !LinearClassifier<int>.BytesOf(in key).SequenceEqual(LinearClassifier<int>.BytesOf(in twin))))
        {
            Assert.Fail($"{name}: {Convert.ToHexStringLower(bytes)}: {extracted}, the twin says {expected}; {Difference(in key, in twin)}");
        }
    }

    private static string Difference(in FlowKey key, in FlowKey twin)
    {
        List<string> fields = [];
        foreach (FlowField field in FlowFields.All)
        {
            ReadOnlySpan<byte> ours = LinearClassifier<int>.BytesOf(in key).Slice(field.Offset, field.Size);
            ReadOnlySpan<byte> theirs = LinearClassifier<int>.BytesOf(in twin).Slice(field.Offset, field.Size);
            if (!ours.SequenceEqual(theirs))
            {
                fields.Add($"{field.Name} {Convert.ToHexStringLower(ours)} instead of {Convert.ToHexStringLower(theirs)}");
            }
        }

        return string.Join(", ", fields);
    }
}
