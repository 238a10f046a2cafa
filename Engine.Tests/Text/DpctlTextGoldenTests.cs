using System.Text;
using System.Text.RegularExpressions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Tests.Golden;
using Engine.Text;

namespace Engine.Tests.Text;

/// <summary>What ovs-dpctl printed, and what it sent for the texts it was given.</summary>
public sealed partial class DpctlTextGoldenTests(GoldenReport report) : IClassFixture<GoldenReport>
{
    private const int AttributesOffset = 24;
    private const int KeyAttribute = 1;
    private const int ActionsAttribute = 2;
    private const int MaskAttribute = 7;
    private const int UfidAttribute = 9;

    // Longer than the names that requests to other families carry in that attribute.
    private const int ShortestKey = 32;

    [Fact]
    public void Golden_dump_flows_lines_are_read_and_printed_again()
    {
        TestPorts ports = new();
        foreach (Match port in GoldenFiles.Dpctl.SelectMany(vector => PortLine().Matches(vector.Stdout ?? "")))
        {
            ports.Add(uint.Parse(port.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), port.Groups[2].Value);
        }

        Differences differences = new();
        foreach (DpctlVector vector in GoldenFiles.Dpctl)
        {
            if (!vector.Command.Contains("dump-flows", StringComparison.Ordinal))
            {
                continue;
            }

            bool read = FlowFile.TryParse(vector.Name, vector.Stdout ?? "", out IReadOnlyList<FlowLine> flows, out IReadOnlyList<FlowFileError> errors, ports);
            Assert.True(read, string.Join('\n', errors));
            string[] lines = (vector.Stdout ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(lines.Length, flows.Count);
            for (int i = 0; i < lines.Length; i++)
            {
                report.Compared("dpctl: lines of dump-flows", "flows");
                differences.Compare(lines[i], lines[i], Print(flows[i], Used().Match(lines[i]).Groups[1].Value, ports));
            }
        }

        differences.AssertNone();
    }

    [Fact]
    public void Golden_flow_commands_are_read_into_what_ovs_dpctl_sent()
    {
        Differences differences = new();
        foreach (DpctlVector vector in GoldenFiles.Dpctl)
        {
            Match command = FlowCommand().Match(vector.Command);
            byte[]? request = vector.Messages.LastOrDefault(message => message.Dir == "request" && Find(message.Raw, KeyAttribute).Length >= ShortestKey)?.Raw;
            if (!command.Success || request is null)
            {
                continue;
            }

            report.Compared("dpctl: flow commands", "flows");
            string text = Unquote(command.Groups[1].Value);
            NetlinkWriter key = new(new byte[4096]);
            NetlinkWriter mask = new(new byte[4096]);
            Assert.True(FlowText.TryParseNetlink(text, ref key, ref mask, out TextError error), $"{text}: {error}");

            // The kernel refused the one that lacks what it needs; text read here has it.
            ReadOnlySpan<byte> sentKey = Find(request, KeyAttribute);
            differences.Compare(text, Hex(sentKey), Hex(vector.Exit == 0 ? key.Written : key.Written[..sentKey.Length]));
            if (command.Groups[2].Success)
            {
                differences.Compare(text, Hex(Find(request, MaskAttribute)), Hex(mask.Written));
                string actionsText = Unquote(command.Groups[2].Value);
                NetlinkWriter actions = new(new byte[4096]);
                Assert.True(ActionText.TryParse(actionsText, ref actions, out error), $"{actionsText}: {error}");
                differences.Compare(actionsText, Hex(Find(request, ActionsAttribute)), Hex(actions.Written));
            }

            Match ufid = UfidPrefix().Match(text);
            if (ufid.Success)
            {
                Assert.True(UfidText.TryParse(ufid.Groups[1].Value, out Ufid value));
                byte[] bytes = new byte[Ufid.MaximumLength];
                value.CopyTo(bytes);
                differences.Compare(text, Hex(Find(request, UfidAttribute)), Hex(bytes));
            }
        }

        differences.AssertNone();
    }

    private static string Print(FlowLine flow, string used, TestPorts ports)
    {
        StringBuilder text = new();
        if (flow.Ufid.IsPresent)
        {
            text.Append("ufid:");
            UfidText.Format(text, flow.Ufid);
            text.Append(", ");
        }

        FlowText.Format(text, in flow.Key, in flow.Mask, verbose: true, ports);
        FlowStats stats = flow.Stats;
        long usedMs = used == "never" ? 0 : (long)Math.Round(double.Parse(used.TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture) * 1000);
        stats.UsedAtMs = used == "never" ? 0 : 1_000_000 - usedMs;
        FlowStatsText.Format(text.Append(", "), in stats, 1_000_000);
        ActionText.Format(text.Append(", dp:ovs, actions:"), flow.Actions.Span, ports);
        return text.ToString();
    }

    private static ReadOnlySpan<byte> Find(byte[] request, int type)
    {
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(request.AsSpan(Math.Min(AttributesOffset, request.Length))))
        {
            if (attribute.Type == type)
            {
                return attribute.Payload;
            }
        }

        return default;
    }

    private static string Unquote(string argument) => argument.Trim('\'');

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    [GeneratedRegex(@"^  port (\d+): (\S+)", RegexOptions.Multiline)]
    private static partial Regex PortLine();

    [GeneratedRegex(@"used:([^,]+),")]
    private static partial Regex Used();

    [GeneratedRegex(@"^ovs-dpctl (?:--may-create )?(?:add|mod|del)-flow ovs-system (\S+)(?: (\S+))?$")]
    private static partial Regex FlowCommand();

    [GeneratedRegex("^ufid:([0-9a-f-]{36})")]
    private static partial Regex UfidPrefix();
}
