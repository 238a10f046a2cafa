using Engine.Actions;
using Engine.Flows;
using Engine.Netlink;
using Engine.Primitives;
using Engine.Tests.Golden;

namespace Engine.Tests.Actions;

/// <summary>The actions of every recorded flow request: accepted, refused with the same errno, and shown again byte for byte.</summary>
public sealed class GoldenFlowActionTests(GoldenReport report) : IClassFixture<GoldenReport>
{
    // struct nlmsghdr, genlmsghdr and ovs_header.
    private const int HeadersSize = 24;

    // OVS_FLOW_ATTR_*
    private const int KeyAttribute = 1;
    private const int ActionsAttribute = 2;
    private const int MaskAttribute = 7;

    [Fact]
    public void Golden_flow_requests_are_validated_and_shown_as_by_the_kernel()
    {
        List<string> failures = [];
        foreach (NetlinkScenario scenario in GoldenFiles.Netlink)
        {
            foreach (NetlinkStep step in scenario.Steps.Where(step => step.Op == "request" && step.Family == "ovs_flow" && step.Cmd is "NEW" or "SET"))
            {
                if (Compare(step, scenario) is { } difference)
                {
                    failures.Add($"{scenario.Name}: {step.Note}: {difference}");
                }
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} differ:\n{string.Join('\n', failures)}");
    }

    private string? Compare(NetlinkStep step, NetlinkScenario scenario)
    {
        ReadOnlySpan<byte> request = step.Request.AsSpan(HeadersSize);
        if (!TryFind(request, KeyAttribute, out ReadOnlySpan<byte> keyBytes) || !TryFind(request, ActionsAttribute, out ReadOnlySpan<byte> actions))
        {
            return null;
        }

        Refusal refusal = TryFind(request, MaskAttribute, out ReadOnlySpan<byte> maskBytes)
            ? FlowKey.TryParseNetlink(keyBytes, maskBytes, out FlowKey key, out FlowKey mask)
            : FlowKey.TryParseNetlinkExact(keyBytes, out key, out mask);
        if (refusal.IsRefused)
        {
            return null;
        }

        report.Compared("netlink: actions of flows", scenario.Group);
        FlowKey.MaskedCopy(key, mask, out FlowKey masked);
        refusal = ActionList.TryCreate(actions, masked, ActionFeatures.Linux61, out ActionList? list);
        if (list is null)
        {
            return step.Errno == (int)refusal.Errno ? null : $"errno {(int)refusal.Errno} ({refusal.Reason}) instead of {step.Errno}";
        }

        // Other things may be wrong with the request, but not its actions.
        if (step.Errno is not 0)
        {
            return scenario.Name.Contains("action", StringComparison.Ordinal) && step.Errno != (int)Errno.Exists
                ? $"accepted instead of errno {step.Errno}: {Convert.ToHexStringLower(actions)}"
                : null;
        }

        foreach (GoldenMessage reply in step.Replies)
        {
            if (reply.Raw.Length > HeadersSize && TryFind(reply.Raw.AsSpan(HeadersSize), KeyAttribute, out _)
                && TryFind(reply.Raw.AsSpan(HeadersSize), ActionsAttribute, out ReadOnlySpan<byte> shown) && !shown.SequenceEqual(list.Attributes))
            {
                return $"shown as {Convert.ToHexStringLower(list.Attributes)} instead of {Convert.ToHexStringLower(shown)}";
            }
        }

        return null;
    }

    private static bool TryFind(ReadOnlySpan<byte> attributes, int type, out ReadOnlySpan<byte> payload)
    {
        foreach (NetlinkAttribute attribute in new NetlinkAttributes(attributes))
        {
            if (attribute.Type == type)
            {
                payload = attribute.Payload;
                return true;
            }
        }

        payload = default;
        return false;
    }
}
