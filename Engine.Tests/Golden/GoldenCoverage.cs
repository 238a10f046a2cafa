namespace Engine.Tests.Golden;

/// <summary>The one place that says which vectors are not compared yet, each with the capability that switches it on.</summary>
/// <remarks>
/// A golden test compares every vector for which this type gives null. Building a capability means removing its lines
/// here: then the vectors are compared, and nothing else needs to change. The rules look at what a vector needs rather than at its
/// name, so that vectors recorded later fall under them too.
/// </remarks>
public static class GoldenCoverage
{
    /// <summary>Connection tracking and NAT: <c>ct</c> beyond parsing and validating it.</summary>
    public const string Conntrack = "conntrack";

    /// <summary>Meters that drop.</summary>
    public const string Meters = "meters";

    /// <summary>What the comparison of this vector waits for; null when it is compared.</summary>
    public static string? Awaits(KeyExtractVector vector) => null;

    /// <summary>What the comparison of this vector waits for; null when it is compared.</summary>
    public static string? Awaits(ActionVector vector)
    {
        if (!vector.IsSequence)
        {
            // One that is refused is refused without any connection.
            return vector.Errno == 0 && Names(vector.ActionsText, "ct(") ? Conntrack : null;
        }

        if (vector.Category is "ct" or "nat" || vector.Steps.Any(step => Names(step.ActionsText, "ct(")))
        {
            return Conntrack;
        }

        return vector.Steps.Any(step => step.Op == "meter") ? Meters : null;
    }

    /// <summary>What the comparison of this scenario waits for; null when it is compared.</summary>
    public static string? Awaits(NetlinkScenario scenario) =>
        scenario.Steps.Any(static step => step is { Family: "ovs_packet", Cmd: "EXECUTE", Errno: 0 or null, Request: { } request } && SendsThroughConntrack(request)) ? Conntrack : null;

    /// <summary>What the comparison of this command waits for; null when it is compared.</summary>
    /// <remarks>Where one sends packets through conntrack, that action is left out until there is one, and the rest is compared.</remarks>
    public static string? Awaits(DpctlVector vector) => null;

    // The actions of OVS_PACKET_CMD_EXECUTE (attribute 3) hold a ct action (attribute 12).
    private static bool SendsThroughConntrack(ReadOnlySpan<byte> request)
    {
        const int HeadersLength = 24, Actions = 3, Conntrack = 12;
        foreach (Engine.Netlink.NetlinkAttribute attribute in new Engine.Netlink.NetlinkAttributes(request[HeadersLength..]))
        {
            foreach (Engine.Netlink.NetlinkAttribute action in new Engine.Netlink.NetlinkAttributes(attribute.Payload))
            {
                if (attribute.Type == Actions && action.Type == Conntrack)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool Names(string? actions, string action) => actions?.Contains(action, StringComparison.Ordinal) ?? false;
}
