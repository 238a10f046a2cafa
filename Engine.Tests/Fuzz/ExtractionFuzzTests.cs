using System.Runtime.InteropServices;
using Engine.Flows;
using Engine.Packets;
using Engine.Tests.Oracles;
using Xunit.Abstractions;

namespace Engine.Tests.Fuzz;

/// <summary>Any bytes give a key or a reason, and the key depends on nothing but the packet.</summary>
public sealed unsafe class ExtractionFuzzTests(ITestOutputHelper output)
{
    private const int InputsPerSeed = 600_000;

    [Theory]
    [MemberData(nameof(FuzzSeeds.All), MemberType = typeof(FuzzSeeds))]
    public void The_key_depends_on_the_packet_alone_and_the_packet_stays(int seed)
    {
        output.WriteLine($"seed {seed}, {InputsPerSeed} inputs");
        PacketMix mix = new(seed);
        using PacketPool pool = new(2);
        Packet* first = pool.TryAllocate(), second = pool.TryAllocate();
        FlowKey firstKey = default, secondKey = default;
        int refused = 0;
        for (int i = 0; i < InputsPerSeed; i++)
        {
            ReadOnlySpan<byte> bytes = i % 4 == 0 ? mix.Next() : mix.NextMutated();
            bool hasEthernet = mix.Random.Next(4) != 0;
            ushort type = (ushort)(mix.Random.Next(4) switch { 0 => 0x0800, 1 => 0x86dd, 2 => 0x8847, _ => mix.Random.Next(0x10000) });

            // What surrounds the packet differs, and so does what the key held before.
            Surround(first, bytes, 0xa5);
            Surround(second, bytes, 0x5a);
            MemoryMarshal.AsBytes(new Span<FlowKey>(ref secondKey))[..FlowFields.ComparedBytes].Fill(0xff);
            secondKey.Segments = (FlowKeySegments)0xff;

            bool extracted = Extract(first, ref firstKey, hasEthernet, type);
            bool alike = Extract(second, ref secondKey, hasEthernet, type);

            if (extracted != alike
                || (extracted && !LinearClassifier<int>.BytesOf(in firstKey).SequenceEqual(LinearClassifier<int>.BytesOf(in secondKey)))
                || !first->Bytes.SequenceEqual(bytes)
                || !second->Bytes.SequenceEqual(bytes))
            {
                Assert.Fail($"seed {seed} input {i}: {Convert.ToHexStringLower(bytes)} ethernet {hasEthernet} type {type:x4}");
            }

            if (!extracted)
            {
                refused++;
                Assert.True(Enum.IsDefined(FlowKeyExtractor.ReasonOfFailure(first)));
                continue;
            }

            Assert.InRange(first->NetworkOffset, 0, bytes.Length);
            CheckSegments(in firstKey);
        }

        output.WriteLine($"{refused} refused");
        Assert.InRange(refused, 1, InputsPerSeed / 2);
    }

    // A segment that is not announced must be zero: masks do not look at it.
    private static void CheckSegments(in FlowKey key)
    {
        FlowKeySegments found = key.FindSegments();
        Assert.True((found & ~key.Segments) == 0, $"segments {found} hold something, {key.Segments} are announced");
    }

    private static bool Extract(Packet* packet, ref FlowKey key, bool hasEthernet, ushort type)
    {
        if (hasEthernet)
        {
            return FlowKeyExtractor.TryReceive(packet, ref key, 1);
        }

        key = default;
        key.EtherType = type;
        packet->HasEthernet = false;
        return FlowKeyExtractor.TryExtract(packet, ref key);
    }

    private static void Surround(Packet* packet, ReadOnlySpan<byte> bytes, byte filling)
    {
        packet->Reset();
        packet->SetData(Packet.DescriptorSize, packet->FrameSize - Packet.DescriptorSize);
        packet->Bytes.Fill(filling);
        packet->SetData(Packet.DefaultDataOffset, bytes.Length);
        bytes.CopyTo(packet->Bytes);
    }
}
