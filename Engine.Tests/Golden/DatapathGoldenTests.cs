using System.Globalization;
using System.Text;
using Engine.Primitives;

namespace Engine.Tests.Golden;

/// <summary>actions.jsonl through the whole datapath: sequences of flows and packets, and EXECUTE requests on it.</summary>
public sealed class DatapathGoldenTests(GoldenReport report) : IClassFixture<GoldenReport>
{
    /// <summary>The categories that have something to compare, one test each.</summary>
    public static TheoryData<string> Categories =>
        [.. GoldenFiles.Actions.Where(vector => GoldenCoverage.Awaits(vector) is null).Select(NameOf).Distinct()];

    [Theory]
    [MemberData(nameof(Categories))]
    public void Outputs_and_upcalls_are_those_of_the_kernel(string category)
    {
        StringBuilder failures = new();
        foreach (ActionVector vector in GoldenFiles.Actions.Where(vector => NameOf(vector) == category && GoldenCoverage.Awaits(vector) is null))
        {
            foreach (int cacheEntries in (int[])[64, 0])
            {
                Play(vector, cacheEntries, failures);
            }

            report.Compared(vector.IsSequence ? "actions over the datapath: sequences" : "actions over the datapath: execute", vector.Category);
        }

        Assert.True(failures.Length == 0, failures.ToString());
    }

    private static void Play(ActionVector vector, int cacheEntries, StringBuilder failures)
    {
        string name = $"{vector.Name}, cache {cacheEntries},";
        using GoldenDatapath datapath = new(cacheEntries);
        if (vector.IsSequence)
        {
            for (int i = 0; i < vector.Steps.Length; i++)
            {
                Check(datapath, vector.Steps[i], $"{name} step {i} {vector.Steps[i].Label}", failures);
            }
        }
        else
        {
            Errno errno = datapath.Execute(vector.Key, vector.Packet, vector.Actions, vector.ExtraAttrs);
            Compare(datapath, vector.Errno, errno, vector.Varies, vector.Outputs, vector.Upcalls, $"{name} {vector.ActionsText}", failures);
        }

        if (!datapath.AllFramesFree)
        {
            failures.AppendLine(CultureInfo.InvariantCulture, $"{name}: a frame was lost");
        }
    }

    private static string NameOf(ActionVector vector) => $"{vector.Kind} {vector.Category}";

    private static void Check(GoldenDatapath datapath, GoldenStep step, string name, StringBuilder failures)
    {
        datapath.Clear();
        Errno errno = Errno.None;
        switch (step.Op)
        {
            case "flow":
                errno = datapath.PutFlow(step.Key, step.Mask, step.Actions).Errno;
                break;
            case "flush":
                datapath.Datapath.Flows.Flush();
                break;
            case "inject":
                datapath.Inject(step.Port, step.Packet);
                break;
            case "execute":
                errno = datapath.Execute(step.Key, step.Packet, step.Actions);
                break;
            default:
                failures.AppendLine(CultureInfo.InvariantCulture, $"{name}: no such step: {step.Op}");
                return;
        }

        Compare(datapath, step.Errno, errno, step.Varies, step.Outputs, step.Upcalls, name, failures);
    }

    private static void Compare(
        GoldenDatapath datapath, int expectedErrno, Errno errno, bool varies, GoldenOutput[] outputs, GoldenUpcall[] upcalls, string name, StringBuilder failures)
    {
        if (expectedErrno != (int)errno)
        {
            failures.AppendLine(CultureInfo.InvariantCulture, $"{name}: errno {(int)errno}, the kernel's is {expectedErrno}");
        }

        if (varies)
        {
            return;
        }

        // Frames of one port are in order; ports are compared one by one.
        GoldenOutput[] byPort = [.. outputs.OrderBy(output => output.Port.Device is null).ThenBy(output => output.Port.Number)];
        string[] expectedOutputs = [.. byPort.Select(output => Output(output.Port, VolatileRange.Blank(output.Packet, output.Volatile)))];
        string[] actualOutputs = [.. datapath.Outputs.Select((output, index) =>
            Output(output.Port, VolatileRange.Blank(output.Packet, index < byPort.Length ? byPort[index].Volatile : null)))];
        Differences(name, "output", expectedOutputs, actualOutputs, failures);

        string[] expectedUpcalls = [.. upcalls.Select(upcall => Upcall(
            upcall.Cmd, VolatileRange.Blank(upcall.Key, upcall.KeyVolatile), upcall.Packet, upcall.Userdata, WithoutSourcePort(upcall.EgressTunKey), upcall.Actions, upcall.Len ?? 0, upcall.Mru ?? 0))];
        string[] actualUpcalls = [.. datapath.Handler.Upcalls.Select((upcall, index) => Upcall(
            upcall.Command.ToString().ToUpperInvariant(),
            VolatileRange.Blank(upcall.Key, index < upcalls.Length ? upcalls[index].KeyVolatile : null),
            upcall.Packet,
            upcall.Userdata,
            WithoutSourcePort(upcall.EgressTunnel),
            upcall.Actions,
            upcall.OriginalLength,
            upcall.MaximumReceiveUnit))];
        Differences(name, "upcall", expectedUpcalls, actualUpcalls, failures);
    }

    private static void Differences(string name, string what, string[] expected, string[] actual, StringBuilder failures)
    {
        if (expected.SequenceEqual(actual))
        {
            return;
        }

        failures.AppendLine(CultureInfo.InvariantCulture, $"{name}: {actual.Length} {what}s, the kernel made {expected.Length}");
        for (int i = 0; i < Math.Max(expected.Length, actual.Length); i++)
        {
            string wanted = i < expected.Length ? expected[i] : "nothing", got = i < actual.Length ? actual[i] : "nothing";
            if (wanted != got)
            {
                failures.AppendLine(CultureInfo.InvariantCulture, $"  {what} {i} kernel {wanted}");
                failures.AppendLine(CultureInfo.InvariantCulture, $"  {what} {i} engine {got}");
            }
        }
    }

    private static string Output(GoldenPort port, byte[] packet) => string.Create(CultureInfo.InvariantCulture, $"{port}: {Convert.ToHexStringLower(packet)}");

    private static string Upcall(string command, byte[] key, byte[] packet, byte[]? userdata, byte[]? egress, byte[]? actions, int length, int mru) =>
        string.Create(CultureInfo.InvariantCulture, $"{command} key {Hex(key)} packet {Hex(packet)} userdata {Hex(userdata)} egress {Hex(egress)} actions {Hex(actions)} len {length} mru {mru}");

    // The kernel takes it from a hash with a secret of its own.
    private static byte[]? WithoutSourcePort(byte[]? egressTunnel)
    {
        if (egressTunnel is null)
        {
            return null;
        }

        byte[] copy = [.. egressTunnel];
        foreach (Engine.Netlink.NetlinkAttribute attribute in new Engine.Netlink.NetlinkAttributes(egressTunnel))
        {
            if (attribute.Type == (int)Engine.Netlink.OvsTunnelKeyAttribute.TransportSource)
            {
                copy.AsSpan(attribute.Offset + 4, attribute.Payload.Length).Clear();
            }
        }

        return copy;
    }

    private static string Hex(byte[]? bytes) => bytes is null ? "none" : Convert.ToHexStringLower(bytes);
}
