using System.Globalization;

namespace Bench.Peers;

/// <summary>How long a hypervisor has kept a processor from running although there was something to run: "steal" in <c>/proc/stat</c> (proc(5)).</summary>
internal static class StolenTime
{
    private const int MsPerTick = 10;
    private const int StealColumn = 8;

    /// <summary>Milliseconds since the start, in steps of ten; 0 where the kernel does not count them.</summary>
    public static long ReadMs(int processor)
    {
        const string Path = "/proc/stat";
        string? line = File.Exists(Path) ? File.ReadLines(Path).FirstOrDefault(line => line.StartsWith($"cpu{processor} ", StringComparison.Ordinal)) : null;
        string[] columns = line?.Split(' ') ?? [];
        return columns.Length > StealColumn ? long.Parse(columns[StealColumn], CultureInfo.InvariantCulture) * MsPerTick : 0;
    }
}
