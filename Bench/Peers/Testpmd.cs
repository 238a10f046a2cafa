using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Bench.Peers;

/// <summary>DPDK's own test forwarder: the same capture in and the same discarding port out with no look-up at all, the floor of the peer.</summary>
internal sealed partial class Testpmd : IContender
{
    private readonly Process _process;
    private readonly string _mode;
    private string _lastError = string.Empty;

    /// <summary>Starts it; it forwards only while it is measured.</summary>
    /// <param name="mode">Its <c>--forward-mode</c>.</param>
    /// <param name="capturePath">The capture to play.</param>
    /// <param name="packets">Packets in it.</param>
    public Testpmd(string mode, string capturePath, int packets)
    {
        _mode = mode;
        ProcessStartInfo start = new(
            "stdbuf",
            [
                // Lines as they come, though nobody types.
                "-oL", "dpdk-testpmd", "-l", $"0,{Processor.Measured}", "--no-pci", "--in-memory", $"--vdev=net_pcap0,rx_pcap={capturePath},infinite_rx=1", "--vdev=net_null0,no-rx=1",
                "--", "-i", $"--forward-mode={mode}", "--record-core-cycles", $"--total-num-mbufs={Math.Max(32_768, packets * 2)}",
            ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        AppDomain.CurrentDomain.ProcessExit += End;
        _process.ErrorDataReceived += (_, line) => _lastError = line.Data ?? _lastError;
        _process.BeginErrorReadLine();
        ReadUntil("Done", "testpmd>");
    }

    /// <summary>Why it cannot run here; null when it can.</summary>
    public static string? Missing => !Environment.IsPrivilegedProcess ? "dpdk-testpmd needs root"
        : Processor.Measured == 0 ? "dpdk-testpmd needs two cores"
        : Tool.Missing("dpdk-testpmd", "stdbuf") is { } missing ? $"{missing} (Debian: dpdk-dev)" : null;

    /// <inheritdoc/>
    public string Name => $"testpmd {_mode}";

    /// <inheritdoc/>
    public Measurement Measure(double seconds)
    {
        _process.StandardInput.WriteLine("start");
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        _process.StandardInput.WriteLine("stop");
        Match match = CyclesLine().Match(ReadUntil("CPU cycles/packet"));
        return new Measurement(Number(2), Number(1), seconds);

        double Number(int group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= End;
        End(null, EventArgs.Empty);
        _process.Dispose();
    }

    [GeneratedRegex(@"total cycles=(\d+) / total \w+ packets=(\d+)")]
    private static partial Regex CyclesLine();

    private void End(object? sender, EventArgs arguments)
    {
        _process.Kill();
        _process.WaitForExit();
    }

    private string ReadUntil(params string[] ends)
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            if (ends.Any(end => line.Contains(end, StringComparison.Ordinal)))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"dpdk-testpmd ended: {_lastError}");
    }
}
