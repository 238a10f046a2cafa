using System.Globalization;
using System.Text;
using Engine.Flows;

namespace Engine.Text;

/// <summary>The text form of a flow's statistics: <c>packets:3, bytes:180, used:0.012s, flags:S.</c></summary>
/// <remarks>Threads: no state.</remarks>
public static class FlowStatsText
{
    // In the order in which Open vSwitch prints them, that of tcpdump: flag and its text.
    private static readonly (int Flag, string Letter)[] TcpLetters =
    [
        (0x002, "S"), (0x001, "F"), (0x008, "P"), (0x004, "R"), (0x020, "U"), (0x010, "."), (0x040, "E"), (0x080, "C"), (0x100, "N"),
        (0x200, "[200]"), (0x400, "[400]"), (0x800, "[800]"),
    ];

    /// <summary>Appends statistics.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="stats">The statistics.</param>
    /// <param name="nowMs">The monotonic clock in milliseconds.</param>
    public static void Format(StringBuilder text, in FlowStats stats, long nowMs)
    {
        text.Append("packets:").Append(stats.Packets).Append(", bytes:").Append(stats.Bytes).Append(", used:");
        if (stats.UsedAtMs == 0)
        {
            text.Append("never");
        }
        else
        {
            text.Append(((nowMs - stats.UsedAtMs) / 1000.0).ToString("F3", CultureInfo.InvariantCulture)).Append('s');
        }

        if (stats.TcpFlags != 0)
        {
            FormatTcpFlags(text.Append(", flags:"), stats.TcpFlags);
        }
    }

    /// <summary>Appends the letters of TCP flags, as tcpdump prints them; <c>none</c> for 0.</summary>
    public static void FormatTcpFlags(StringBuilder text, int flags)
    {
        if (flags == 0)
        {
            text.Append("none");
            return;
        }

        foreach ((int flag, string letter) in TcpLetters)
        {
            if ((flags & flag) != 0)
            {
                text.Append(letter);
            }
        }
    }

    /// <summary>Reads the letters of TCP flags, to the end.</summary>
    public static bool TryParseTcpFlags(ReadOnlySpan<char> text, out int flags)
    {
        flags = 0;
        if (text.SequenceEqual("none".AsSpan()))
        {
            return true;
        }

        while (!text.IsEmpty)
        {
            int length = 0;
            foreach ((int flag, string letter) in TcpLetters)
            {
                if (text.StartsWith(letter.AsSpan(), StringComparison.Ordinal))
                {
                    flags |= flag;
                    length = letter.Length;
                    break;
                }
            }

            if (length == 0)
            {
                return false;
            }

            text = text[length..];
        }

        return true;
    }
}
