using Engine.Flows;

namespace Engine.Generators.Pipelines;

/// <summary>Keys that the datapath takes and no packet has.</summary>
internal static class NeverMatching
{
    private const byte LaterFragment = 2;

    /// <summary>Why no packet matches, as the rest of a sentence; null when one may.</summary>
    public static string? Reason(in FlowKey key, in FlowKey mask)
    {
        FlowKey.MaskedCopy(in key, in mask, out FlowKey value);
        if (mask.RecirculationId == uint.MaxValue && value.RecirculationId == 0)
        {
            if (value.TunnelProtocol != 0)
            {
                return "packets of a tunnel pass by compiled pipelines until they are recirculated";
            }

            // What only actions give, and they give it to packets that go round again.
            if (value.DatapathHash != 0)
            {
                return "dp_hash is 0 until an action hash and a recirculation";
            }

            if (value.ConntrackState != 0 || value.ConntrackZone != 0)
            {
                return "ct_state and ct_zone are 0 until an action ct and a recirculation";
            }

            if (value.SkbMark != 0 || value.SkbPriority != 0)
            {
                return "skb_mark and skb_priority are 0 until an action set and a recirculation";
            }
        }

        if (mask.IpFragment == byte.MaxValue && value.IpFragment == LaterFragment
            && (value.TransportSource.Raw | value.TransportDestination.Raw | value.TcpFlags.Raw) != 0)
        {
            return "a later fragment has no ports";
        }

        return null;
    }
}
