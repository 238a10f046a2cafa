using System.Globalization;

namespace Bench.Live;

/// <summary>Prints results as a table, with ratios to Open vSwitch's userspace datapath and to the bridge.</summary>
internal static class LiveTable
{
    /// <summary>Prints it.</summary>
    public static void Write(TextWriter output, LiveReport report)
    {
        LiveResult? bridge = report.Results.Find(static result => result.Peer == new BridgePeer().Name);
        LiveResult? plain = report.Results.Find(static result => result.Peer == new OpenVSwitchPeer(false).Name);
        LiveResult? segmenting = report.Results.Find(static result => result.Peer == new OpenVSwitchPeer(true).Name);
        LiveResult? redirect = report.Results.Find(static result => result.Peer == new RedirectPeer().Name);
        output.WriteLine($"{report.Processor}, {report.Processors} processors, {report.Kernel}, {report.Runtime}");
        output.WriteLine($"`{report.Command}`; medians of the rounds");
        output.WriteLine();
        output.WriteLine("| joined by | 64-byte kpps | of OVS userspace | of XDP redirect | offered kpps | loss-free kpps | TCP Gbit/s | of OVS with TSO | of the bridge | ping us | over the bridge |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (LiveResult result in report.Results)
        {
            if (result.Missing is not null)
            {
                output.WriteLine($"| {result.Peer} | not measured: {result.Missing} |");
                continue;
            }

            double? rate = LiveResult.Median(result.Forwarded), tcp = LiveResult.Median(result.TcpGigabits), ping = LiveResult.Median(result.PingMicroseconds);
            output.WriteLine(string.Join(" | ", (string[])
            [
                $"| {result.Peer}",
                Number(rate / 1e3, "F0"),
                Ratio(rate, plain?.Forwarded),
                Ratio(rate, redirect?.Forwarded),
                Number(LiveResult.Median(result.Offered) / 1e3, "F0"),
                Number(LiveResult.Median(result.LossFree) / 1e3, "F0"),
                Number(tcp, "F2"),
                Ratio(tcp, segmenting?.TcpGigabits),
                Ratio(tcp, bridge?.TcpGigabits),
                Number(ping, "F0"),
                Number(ping - (bridge is null ? null : LiveResult.Median(bridge.PingMicroseconds)), "+0;-0;0"),
            ]) + " |");
        }
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";

    private static string Ratio(double? value, List<double>? of) =>
        of is not null && LiveResult.Median(of) is { } whole and not 0 ? Number(value / whole, "F2") : "";
}
