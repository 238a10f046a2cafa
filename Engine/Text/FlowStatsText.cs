using System.Text;
using Engine.Flows;

namespace Engine.Text;

/// <summary>The text form of a flow's statistics: <c>packets:3, bytes:180, used:0.012s, flags:S.</c></summary>
public static class FlowStatsText
{
    /// <summary>Appends statistics.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="stats">The statistics.</param>
    /// <param name="nowMs">The monotonic clock in milliseconds.</param>
    public static void Format(StringBuilder text, in FlowStats stats, long nowMs) => throw new NotSupportedException();

    /// <summary>Appends the letters of TCP flags, as tcpdump prints them; <c>none</c> for 0.</summary>
    public static void FormatTcpFlags(StringBuilder text, int flags) => throw new NotSupportedException();
}
