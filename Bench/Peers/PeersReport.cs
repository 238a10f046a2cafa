using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Bench.Peers;

/// <summary>What was measured: as a table while it runs, as JSON and as a chart at the end.</summary>
internal sealed class PeersReport(PeersOptions options)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly List<CaseResult> _results = [];
    private readonly List<string> _missing = [];

    /// <summary>Says where it runs, and begins the table.</summary>
    public void WriteHeading()
    {
        Print($"{Cpu()}, {Environment.ProcessorCount} cores, {RuntimeInformation.FrameworkDescription}, {Kernel()}");
        Print($"{options.CommandLine}");
        Print("Median of the rounds (fastest-slowest); cycles of the time-stamp counter.");
    }

    /// <summary>Says that a peer is left out.</summary>
    public void SayMissing(string peer, string? why)
    {
        if (why is not null)
        {
            _missing.Add($"{peer}: {why}");
            Print($"without {peer}: {why}");
        }
    }

    /// <summary>Adds a case, and prints it.</summary>
    public void Add(PeerCase peerCase, double flowsPerSecond, List<(string Name, List<Measurement> Rounds)> contenders)
    {
        double own = Median(contenders[0].Rounds.Select(round => round.CyclesPerPacket));
        List<ContenderResult> rows = [.. contenders.Select(contender => new ContenderResult(contender.Name, contender.Rounds, own))];
        CaseResult result = new(peerCase.Name, peerCase.Title, peerCase.Goal, Math.Round(flowsPerSecond), rows);
        _results.Add(result);
        Print(string.Empty);
        Print($"{peerCase.Name}: {peerCase.Title}{(peerCase.Goal == 0 ? string.Empty : $"; goal {peerCase.Goal}")}");
        Print($"  {"",-34}{"cycles/packet",22}{"Mpps",9}{"ratio",8}{"bytes",9}{"cache",8}{"table",8}");
        foreach (ContenderResult row in rows)
        {
            Print($"  {row.Name,-34}{row.CyclesPerPacket,9:F1} {$"({row.Fastest:F1}-{row.Slowest:F1})",-13}{row.Mpps,8:F2}{row.Ratio,8:F2}"
                + $"{(row.IsEngine ? row.AllocatedBytes.ToString(CultureInfo.InvariantCulture) : "-"),9}{row.CacheShare,8:P0}{row.TableShare,8:P0}"
                + (row.FlowChangesPerSecond > 0 ? $"  {row.FlowChangesPerSecond:N0} flows/s" : string.Empty)
                + (row.LongestPauseUs > 0 ? $"  pauses: longest {row.LongestPauseUs:F0} us, {row.LongestOwnPauseUs:F0} us without what other programs had the processor, 99.9 % below {row.Pause999Us:F0} us; {row.Collections} collections; {row.StolenMs} ms stolen by the hypervisor" : string.Empty));
        }
    }

    /// <summary>Writes the files that were asked for.</summary>
    public void WriteFiles()
    {
        if (options.JsonPath is { } json)
        {
            File.WriteAllText(json, JsonSerializer.Serialize(
                new { Cpu = Cpu(), Cores = Environment.ProcessorCount, Runtime = RuntimeInformation.FrameworkDescription, Kernel = Kernel(), Peers = Versions(), Missing = _missing, Command = options.CommandLine, options.Seconds, options.Rounds, Cases = _results },
                s_json) + "\n");
        }

        if (options.SvgPath is { } svg)
        {
            File.WriteAllText(svg, PeersChart.Draw(_results, $"{Cpu()}, {RuntimeInformation.FrameworkDescription}"));
        }
    }

    /// <summary>The middle one.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private static void Print(string line) => Console.WriteLine(line);

    private static string Kernel() => $"Linux {Environment.OSVersion.Version}";

    private static string[] Versions() => OvsDpdk.Missing is null ? [OvsDpdk.Version] : [];

    private static string Cpu() => File.Exists("/proc/cpuinfo")
        && File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
        ? line[(line.IndexOf(':') + 2)..] : RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary>One case.</summary>
    internal sealed record CaseResult(string Name, string Title, int Goal, double FlowsInstalledPerSecond, List<ContenderResult> Contenders);

    /// <summary>One contender of a case.</summary>
    internal sealed class ContenderResult(string name, List<Measurement> rounds, double engineCycles)
    {
        public string Name => name;

        public bool IsEngine => name.StartsWith("Engine", StringComparison.Ordinal);

        public double CyclesPerPacket { get; } = Round(Median(rounds.Select(round => round.CyclesPerPacket)));

        public double Fastest { get; } = Round(rounds.Min(round => round.CyclesPerPacket));

        public double Slowest { get; } = Round(rounds.Max(round => round.CyclesPerPacket));

        public double Mpps { get; } = Round(Median(rounds.Select(round => round.Packets / round.Seconds / 1e6)));

        /// <summary>Cost in relation to the engine's.</summary>
        public double Ratio => Math.Round(CyclesPerPacket / engineCycles, 2);

        /// <summary>Of the round that allocated least: while the runtime compiles, it allocates on the thread that runs.</summary>
        public long AllocatedBytes { get; } = rounds.Min(round => round.AllocatedBytes);

        public double CacheShare { get; } = Round(Median(rounds.Select(round => round.CacheShare)), 4);

        public double TableShare { get; } = Round(Median(rounds.Select(round => round.TableShare)), 4);

        public double FlowChangesPerSecond { get; } = Round(Median(rounds.Select(round => round.FlowChanges / round.Seconds)), 0);

        public int Collections { get; } = rounds.Sum(round => round.Collections);

        public double LongestPauseUs { get; } = Round(rounds.Max(round => round.LongestPauseUs));

        public double LongestOwnPauseUs { get; } = Round(rounds.Max(round => round.LongestOwnPauseUs));

        public long StolenMs { get; } = rounds.Sum(round => round.StolenMs);

        public double Pause999Us { get; } = Round(rounds.Max(round => round.Pause999Us));

        private static double Round(double value, int digits = 2) => Math.Round(value, digits);
    }
}
