using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Packets;
using Engine.Primitives;
using Engine.Tests.Golden;

namespace Engine.Tests.Actions;

/// <summary>Every recorded EXECUTE request, run by the executor alone: same errno, same packets, same upcalls as the kernel.</summary>
public sealed unsafe class GoldenActionTests(GoldenReport report) : IClassFixture<GoldenReport>
{
    private const uint UpcallPortId = 65538;
    private const int PacketMru = 9;
    private const int PacketHash = 11;

    public static TheoryData<string> Categories => [.. GoldenFiles.Actions.Where(IsExecute).Select(vector => vector.Category).Distinct()];

    [Theory]
    [MemberData(nameof(Categories))]
    public void Golden_requests_give_the_packets_and_upcalls_of_the_kernel(string category)
    {
        List<string> failures = [];
        foreach (ActionVector vector in GoldenFiles.Actions.Where(vector => IsExecute(vector) && vector.Category == category))
        {
            if (GoldenCoverage.Awaits(vector) is { } capability)
            {
                report.Awaiting("actions: executor", category, capability);
                continue;
            }

            report.Compared("actions: executor", category);
            if (Compare(vector) is { } difference)
            {
                failures.Add($"{vector.Name}: {vector.ActionsText}: {difference}");
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} differ:\n{string.Join('\n', failures)}");
    }

    private static bool IsExecute(ActionVector vector) => !vector.IsSequence;

    private static string? Compare(ActionVector vector)
    {
        using Recording recording = new();
        Errno error = Execute(vector, recording);
        if ((int)error != vector.Errno)
        {
            return $"errno {(int)error} instead of {vector.Errno}";
        }

        string[] outputs = [.. recording.Outputs.Where(IsSent).Select(output => $"{output.Port}: {Convert.ToHexStringLower(output.Packet)}")];
        string[] expected = [.. vector.Outputs.Select(output => $"{output.Port}: {Convert.ToHexStringLower(output.Packet)}")];

        // Frames to the internal ports 0 and 5 may be listed late.
        return CompareLists("outputs 1-4", Of(outputs, "1234"), Of(expected, "1234"))
            ?? CompareLists("outputs 0", Of(outputs, "0"), Of(expected, "0"))
            ?? CompareLists("outputs 5", Of(outputs, "5"), Of(expected, "5"))
            ?? CompareLists("upcalls", [.. recording.Upcalls.Where(IsHeard).Select((upcall, i) => Describe(upcall, vector, i))], [.. vector.Upcalls.Select(Describe)]);
    }

    private static Errno Execute(ActionVector vector, Recording recording)
    {
        Refusal refusal = FlowKey.TryParseMetadata(vector.Key, out FlowKey key, out ulong present);
        if (refusal.IsRefused)
        {
            return refusal.Errno;
        }

        Packet* packet = recording.Prepare(vector.Packet, ref key);
        foreach (NetlinkAttribute extra in new NetlinkAttributes(vector.ExtraAttrs))
        {
            switch (extra.Type)
            {
                case PacketMru:
                    packet->MaximumReceiveUnit = extra.Read<ushort>();
                    break;
                case PacketHash:
                    packet->FlowHash = extra.Read<ulong>();
                    break;
            }
        }

        refusal = FlowKey.CheckMetadata(key, present);
        ActionList? list = null;
        refusal = refusal.IsRefused ? refusal : ActionList.TryCreate(vector.Actions, key, ActionFeatures.Linux61, out list);
        RecordingHost host = new(recording);
        if (list is null)
        {
            host.Free(packet);
            return refusal.Errno;
        }

        Errno error = ActionExecutor.Execute(list, packet, ref key, recording.Context, ref host);
        Assert.Equal(0, recording.Pool.UsedCount);
        return error;
    }

    // The ports of the recording: their MTU counts what is behind the Ethernet header and the outer tag.
    private static bool IsSent(RecordedOutput output)
    {
        int mtu = output.Port == 4 ? 1400 : 9200;
        bool isTagged = output.Packet.Length >= 14 && output.Packet[12] is 0x81 or 0x88 && output.Packet[13] is 0x00 or 0xa8;
        return output.Port <= 5 && output.HasEthernet && output.Packet.Length - 14 - (isTagged ? 4 : 0) <= mtu;
    }

    private static bool IsHeard(RecordedUpcall upcall) => upcall.Cmd == "MISS" || upcall.PortId == UpcallPortId;

    private static string[] Of(string[] outputs, string ports) => [.. outputs.Where(output => ports.Contains(output[0], StringComparison.Ordinal))];

    private static string Describe(RecordedUpcall upcall, ActionVector vector, int index)
    {
        byte[] key = index < vector.Upcalls.Length ? VolatileRange.Blank(upcall.Key, vector.Upcalls[index].KeyVolatile) : upcall.Key;
        return Describe(upcall.Cmd, key, upcall.Packet, upcall.Userdata, upcall.Actions, upcall.Mru, upcall.Len);
    }

    private static string Describe(GoldenUpcall upcall) => Describe(
        upcall.Cmd, VolatileRange.Blank(upcall.Key, upcall.KeyVolatile), upcall.Packet, upcall.Userdata, upcall.Actions, upcall.Mru, upcall.Len);

    private static string Describe(string cmd, byte[] key, byte[] packet, byte[]? userdata, byte[]? actions, int? mru, int? len) =>
        $"{cmd} key={Hex(key)} packet={Hex(packet)} userdata={Hex(userdata)} actions={Hex(actions)} mru={mru} len={len}";

    private static string Hex(byte[]? bytes) => bytes is null ? "none" : Convert.ToHexStringLower(bytes);

    private static string? CompareLists(string what, string[] actual, string[] expected)
    {
        if (actual.Length != expected.Length)
        {
            return $"{actual.Length} {what} instead of {expected.Length}";
        }

        int different = Enumerable.Range(0, actual.Length).FirstOrDefault(i => actual[i] != expected[i], -1);
        return different < 0 ? null : $"{what} {different}:\n  is  {actual[different]}\n  not {expected[different]}";
    }
}
