using System.Buffers.Binary;
using Engine.Platform;
using Engine.Tests.Oracles;
using Engine.Tests.Tunnels;
using Xunit.Abstractions;

namespace Engine.Tests.Fuzz;

/// <summary>Any datagram gives a packet and its tunnel, or a drop with a reason; nothing is lost on the way.</summary>
public sealed class TunnelFuzzTests(ITestOutputHelper output)
{
    // With two seeds more than a million in all.
    private const int InputsPerKind = 60_000;

    [Theory]
    [MemberData(nameof(FuzzSeeds.All), MemberType = typeof(FuzzSeeds))]
    public void Every_datagram_is_a_packet_or_a_drop(int seed)
    {
        PacketMix mix = new(seed);
        byte[] datagram = new byte[4096];
        foreach (string kind in TunnelEnds.Kinds)
        {
            using TunnelEnds ends = TunnelEnds.Of(kind);
            byte[] good = GoodHeader(ends, kind);
            int received = 0;
            for (int i = 0; i < InputsPerKind; i++)
            {
                // A good header with some bits changed, then a packet that may be anything; cut anywhere.
                ReadOnlySpan<byte> inner = i % 4 == 0 ? mix.Next() : mix.NextMutated();
                inner = TunnelEnds.IsBare(kind) && inner.Length > 14 ? inner[14..] : inner;
                good.CopyTo(datagram, 0);
                inner.CopyTo(datagram.AsSpan(good.Length));
                int length = good.Length + inner.Length;
                if (kind.EndsWith("gtpu", StringComparison.Ordinal))
                {
                    BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), (ushort)(length - 8));
                }

                for (int flips = mix.Random.Next(4); flips > 0; flips--)
                {
                    datagram[mix.Random.Next(Math.Min(length, good.Length + 34))] ^= (byte)(1 << mix.Random.Next(8));
                }

                length = mix.Random.Next(4) == 0 ? mix.Random.Next(length + 1) : length;
                int segment = mix.Random.Next(8) == 0 ? mix.Random.Next(1, 200) : 0;
                Datagram about = new() { IsIpv6 = mix.Random.Next(2) == 0, Tos = (byte)mix.Random.Next(256), HasChecksum = mix.Random.Next(2) == 0, SegmentSize = segment };
                int expected = segment == 0 ? 1 : Math.Max(1, (length + segment - 1) / segment);
                ends.Underlay.Put(in about, datagram.AsSpan(0, length));
                Array.Clear(ends.Drops);
                int came = ends.Drain();
                ulong dropped = 0;
                foreach (ulong count in ends.Drops)
                {
                    dropped += count;
                }

                if ((ulong)came + dropped != (ulong)expected || ends.Pool.UsedCount != 0)
                {
                    Assert.Fail($"seed {seed} {kind} input {i}: {came} packets, {dropped} drops of {expected}: {Convert.ToHexStringLower(datagram.AsSpan(0, length))}");
                }

                received += came;
            }

            output.WriteLine($"{kind}: {received} packets of {InputsPerKind} inputs");
            Assert.InRange(received, InputsPerKind / 10, InputsPerKind * 20);
        }
    }

    private static byte[] GoodHeader(TunnelEnds ends, string kind)
    {
        byte[] inner = new byte[64];
        inner[0] = 0x45;
        bool isBare = TunnelEnds.IsBare(kind);
        Assert.True(ends.Send(TunnelEnds.Tunnel(kind), inner, hasEthernet: !isBare, etherType: 0x0800));
        byte[] packet = ends.Underlay.Sent[0];
        int ip = packet[0] >> 4 == 6 ? 40 : 20;
        int start = ip + (packet[ip == 40 ? 6 : 9] == 17 ? 8 : 0);
        return packet[start..^inner.Length];
    }
}
