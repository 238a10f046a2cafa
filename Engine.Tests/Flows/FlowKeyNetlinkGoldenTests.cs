using System.Text.RegularExpressions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Tests.Golden;

namespace Engine.Tests.Flows;

/// <summary>The netlink form of keys and masks against what the kernel sent and answered.</summary>
public sealed partial class FlowKeyNetlinkGoldenTests(GoldenReport report) : IClassFixture<GoldenReport>
{
    // struct nlmsghdr, struct genlmsghdr, struct ovs_header.
    private const int FlowAttributesOffset = 16 + 4 + 4;
    private const int CreateFlag = 0x400;
    private const int FlowKeyAttribute = 1;
    private const int FlowMaskAttribute = 7;
    private const int FlowUfidAttribute = 9;

    [Fact]
    public void Golden_keys_of_upcalls_are_written_as_they_were_read()
    {
        List<string> wrong = [];
        foreach ((string file, string category, string name, byte[] golden) in UpcallKeys())
        {
            report.Compared($"{file}: key round trip", category);
            Refusal refusal = FlowKey.TryParseNetlink(golden, out FlowKey key);
            if (refusal.IsRefused)
            {
                // The kernel refuses its own upcall key for a cut VLAN tag, and for an MPLS stack without a whole label.
                if (!refusal.Reason!.Contains("vlan", StringComparison.Ordinal) && !refusal.Reason.StartsWith("mpls has 0 bytes", StringComparison.Ordinal))
                {
                    wrong.Add($"{name}: refused: {refusal}");
                }

                continue;
            }

            string written = Written(key, default, isMask: false);
            if (written != Convert.ToHexString(golden))
            {
                wrong.Add($"{name}:\n  kernel {Convert.ToHexString(golden)}\n  engine {written}");
            }
        }

        Assert.True(wrong.Count == 0, Summary(wrong));
    }

    [Fact]
    public void Golden_flow_requests_are_refused_where_the_kernel_refuses_the_match()
    {
        List<string> wrong = [];
        foreach (NetlinkScenario scenario in GoldenFiles.Netlink)
        {
            foreach ((NetlinkStep step, int index) in scenario.Steps.Select(static (step, index) => (step, index)))
            {
                if (step is not { Op: "request", Family: "ovs_flow", Request: { Length: > FlowAttributesOffset } request }
                    || !TryFind(request, FlowKeyAttribute, out byte[] keyBytes))
                {
                    continue;
                }

                bool hasMask = TryFind(request, FlowMaskAttribute, out byte[] maskBytes);
                Refusal refusal = step.Cmd is "NEW" or "SET" ? Parse(keyBytes, hasMask ? maskBytes : null, out _, out _) : FlowKey.TryParseNetlink(keyBytes, out _);
                string? log = MatchLog(step.KernelLog);
                report.Compared("netlink: flow match", log is null ? "accepted" : "refused");
                string name = $"{scenario.Name} step {index} {step.Cmd}";
                if (refusal.IsRefused && (string.IsNullOrEmpty(refusal.Reason) || refusal.Errno != Errno.InvalidArgument))
                {
                    wrong.Add($"{name}: refusal without a sentence: {refusal}");
                }

                if (log is null ? refusal.IsRefused && step.Errno is null or 0 : !refusal.IsRefused)
                {
                    wrong.Add($"{name}: kernel errno {step.Errno} {log}, engine {refusal}");
                }

                if (log is not null && Numbers().Match(log) is { Success: true } numbers && !refusal.Reason!.Contains(numbers.Value, StringComparison.Ordinal))
                {
                    wrong.Add($"{name}: kernel {log}, engine {refusal}");
                }
            }
        }

        Assert.True(wrong.Count == 0, Summary(wrong));
    }

    [Fact]
    public void Golden_flow_replies_carry_the_key_and_mask_of_the_request()
    {
        List<string> wrong = [];
        int compared = 0;
        foreach (NetlinkScenario scenario in GoldenFiles.Netlink)
        {
            foreach ((NetlinkStep step, int index) in scenario.Steps.Select(static (step, index) => (step, index)))
            {
                // With NLM_F_CREATE the flow is new; without, the answer may be the key of the flow that was replaced.
                if (step is not { Op: "request", Family: "ovs_flow", Cmd: "NEW", Errno: null or 0, Request: { Length: > FlowAttributesOffset } request }
                    || (step.Flags & CreateFlag) == 0
                    || !TryFind(request, FlowKeyAttribute, out byte[] keyBytes))
                {
                    continue;
                }

                byte[]? maskBytes = TryFind(request, FlowMaskAttribute, out byte[] found) ? found : null;
                foreach (GoldenMessage reply in step.Replies.Where(static reply => reply.Raw.Length > FlowAttributesOffset))
                {
                    if (Parse(keyBytes, maskBytes, out FlowKey key, out FlowKey mask).IsRefused)
                    {
                        continue;
                    }

                    FlowKey.MaskedCopy(in key, in mask, out FlowKey masked);
                    string name = $"{scenario.Name} step {index}";
                    if (TryFind(reply.Raw, FlowKeyAttribute, out byte[] replyKey))
                    {
                        bool hasUfid = TryFind(reply.Raw, FlowUfidAttribute, out _);
                        Compare(wrong, $"{name} key", replyKey, Written(hasUfid ? masked : key, default, isMask: false));
                        compared++;
                    }

                    if (TryFind(reply.Raw, FlowMaskAttribute, out byte[] replyMask))
                    {
                        Compare(wrong, $"{name} mask", replyMask, Written(masked, mask, isMask: true));
                        compared++;
                    }

                    report.Compared("netlink: flow replies", scenario.Group);
                }
            }
        }

        Assert.True(wrong.Count == 0, Summary(wrong));
        Assert.True(compared > 0 || GoldenFiles.Netlink.Count == 0);
    }

    [Fact]
    public void Golden_keys_cut_at_every_length_never_throw_and_are_refused_with_a_sentence()
    {
        foreach (byte[] golden in UpcallKeys().Select(static key => key.Key).DistinctBy(static key => key.Length))
        {
            for (int length = 0; length < golden.Length; length++)
            {
                ReadOnlySpan<byte> cut = golden.AsSpan(0, length);
                AssertReasonable(FlowKey.TryParseNetlink(cut, out _));
                AssertReasonable(FlowKey.TryParseNetlinkExact(cut, out _, out _));
                AssertReasonable(FlowKey.TryParseNetlink(golden, cut, out _, out _));
                AssertReasonable(FlowKey.TryParseMetadata(cut, out _, out _));
            }
        }
    }

    private static void AssertReasonable(Refusal refusal) =>
        Assert.True(!refusal.IsRefused || (refusal.Errno == Errno.InvalidArgument && !string.IsNullOrEmpty(refusal.Reason)), refusal.ToString());

    private static IEnumerable<(string File, string Category, string Name, byte[] Key)> UpcallKeys() =>
        GoldenFiles.KeyExtract.Where(static vector => vector.Key is not null)
            .Select(static vector => ("key_extract", vector.Category, vector.Name, vector.Key!))
            .Concat(GoldenFiles.Actions.SelectMany(static vector => vector.Upcalls.Concat(vector.Steps.SelectMany(static step => step.Upcalls))
                .Select(upcall => ("actions", vector.Category, vector.Name, upcall.Key))));

    private static Refusal Parse(byte[] keyBytes, byte[]? maskBytes, out FlowKey key, out FlowKey mask) => maskBytes is null
        ? FlowKey.TryParseNetlinkExact(keyBytes, out key, out mask)
        : FlowKey.TryParseNetlink(keyBytes, maskBytes, out key, out mask);

    private static string Written(in FlowKey key, in FlowKey mask, bool isMask)
    {
        byte[] buffer = new byte[2048];
        Array.Fill(buffer, (byte)0xa5);
        NetlinkWriter writer = new(buffer);
        if (isMask)
        {
            FlowKey.WriteNetlinkMask(in key, in mask, ref writer);
        }
        else
        {
            FlowKey.WriteNetlink(in key, ref writer);
        }

        Assert.False(writer.Overflowed);
        return Convert.ToHexString(writer.Written);
    }

    private static void Compare(List<string> wrong, string name, byte[] golden, string written)
    {
        if (written != Convert.ToHexString(golden))
        {
            wrong.Add($"{name}:\n  kernel {Convert.ToHexString(golden)}\n  engine {written}");
        }
    }

    private static bool TryFind(byte[] message, int type, out byte[] payload)
    {
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(message.AsSpan(FlowAttributesOffset)))
        {
            if (attribute.Type == type)
            {
                payload = attribute.Payload.ToArray();
                return true;
            }
        }

        payload = [];
        return false;
    }

    // What the kernel logged about the match; null when it took it.
    private static string? MatchLog(string[]? log) => log?.FirstOrDefault(static line => MatchRefusal().IsMatch(line));

    private static string Summary(List<string> wrong) => $"{wrong.Count} wrong\n{string.Join('\n', wrong.Take(12))}";

    [GeneratedRegex("Unexpected mask|Missing key|^.*Key \\d+ has unexpected|VLAN|Duplicate key|Unknown key|out of range|Unknown ARP|tunnel|Tunnel attr|Encap mask")]
    private static partial Regex MatchRefusal();

    [GeneratedRegex("\\(.*=.*=.*\\)")]
    private static partial Regex Numbers();
}
