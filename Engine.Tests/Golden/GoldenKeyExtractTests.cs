using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Primitives;
using Xunit.Abstractions;

namespace Engine.Tests.Golden;

/// <summary>The key of every recorded packet, as netlink attributes, byte for byte; and the errno or the silence where the kernel made none.</summary>
public sealed unsafe class GoldenKeyExtractTests(GoldenReport report, ITestOutputHelper output) : IClassFixture<GoldenReport>, IDisposable
{
    // linux/openvswitch.h, packet_policy: OVS_PACKET_ATTR_PACKET holds at least an Ethernet header, whatever the packet starts with.
    private const int ShortestExecutedPacket = 14;

    private readonly PacketPool _pool = new(1, 131_072);

    public void Dispose() => _pool.Dispose();

    [Fact]
    public void Every_packet_gets_the_key_that_the_kernel_gave_it()
    {
        SortedDictionary<string, int> counts = new(StringComparer.Ordinal);
        List<string> differences = [];
        FlowKey slot = default;
        foreach (KeyExtractVector vector in GoldenFiles.KeyExtract)
        {
            if (GoldenCoverage.Awaits(vector) is { } capability)
            {
                report.Awaiting("key_extract", vector.Category, capability);
                continue;
            }

            string kernel = vector.Dropped ? $"no upcall, errno {vector.Errno}" : Convert.ToHexStringLower(vector.Key!);
            string engine = vector.Via == "port" ? Receive(vector, ref slot) : Execute(vector);
            if (kernel != engine)
            {
                differences.Add($"{vector.Name} {Convert.ToHexStringLower(vector.Packet)}\n  kernel {kernel}\n  engine {engine}");
            }

            string category = $"{vector.Category}/{vector.Via}";
            counts[category] = counts.GetValueOrDefault(category) + 1;
            report.Compared("key_extract", vector.Category);
        }

        foreach ((string category, int count) in counts)
        {
            output.WriteLine($"{category}: {count}");
        }

        Assert.True(differences.Count == 0, $"{differences.Count} differ\n{string.Join('\n', differences.Take(20))}");
    }

    // The slot is not cleared between packets, as in a batch.
    private string Receive(KeyExtractVector vector, ref FlowKey slot)
    {
        Packet* packet = Load(vector);
        bool extracted = FlowKeyExtractor.TryReceive(packet, ref slot, vector.InPort!.Value);
        _pool.Free(packet);
        return extracted ? Netlink(in slot) : Refused(Errno.None);
    }

    private string Execute(KeyExtractVector vector)
    {
        if (vector.Packet.Length < ShortestExecutedPacket)
        {
            return Refused(Errno.OutOfRange);
        }

        Refusal refusal = FlowKey.TryParseMetadata(vector.RequestKey, out FlowKey key, out ulong present);
        if (refusal.IsRefused)
        {
            return Refused(refusal.Errno);
        }

        Packet* packet = Load(vector);
        packet->HasEthernet = key.MacProtocol == 1;
        bool extracted = FlowKeyExtractor.TryExtract(packet, ref key);
        _pool.Free(packet);
        if (!extracted)
        {
            return Refused(Errno.InvalidArgument);
        }

        refusal = FlowKey.CheckMetadata(in key, present);
        return refusal.IsRefused ? Refused(refusal.Errno) : Netlink(in key);
    }

    private Packet* Load(KeyExtractVector vector)
    {
        Packet* packet = _pool.TryAllocate();
        Assert.True(packet->TrySetBytes(vector.Packet), vector.Name);
        return packet;
    }

    private static string Netlink(in FlowKey key)
    {
        NetlinkWriter writer = new(new byte[1024]);
        FlowKey.WriteNetlink(in key, ref writer);
        Assert.False(writer.Overflowed);
        return Convert.ToHexStringLower(writer.Written);
    }

    private static string Refused(Errno errno) => $"no upcall, errno {(int)errno}";
}
