using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Engine.Platform;
using Engine.Primitives;
using Engine.Vports;

namespace Bench.Live;

/// <summary>What is measured through whatever joins the hosts.</summary>
internal static partial class LiveMeasure
{
    // Of 10,000 packets, so many may be lost at a rate that counts as free of loss: the machine is shared.
    private const double LossAllowed = 1e-4;

    private const int SearchSteps = 7;

    /// <summary>Packets a second that arrive at the right host when the left one sends as fast as it can, and what it sent.</summary>
    public static (double Forwarded, double Offered) Flood(LiveNetwork network, double seconds, CancellationToken stop)
    {
        using IDisposable? sink = Sink(network);
        using IDisposable polled = network.PollLeft();
        using KernelSender sender = LiveNetwork.In(network.Left, () => new KernelSender(0));
        sender.WaitForStart();
        Thread.Sleep(300);
        (long received, long sent, long start) = (Received(network), sender.Sent, Stopwatch.GetTimestamp());
        Wait(seconds, stop);
        (long receivedAfter, long sentAfter) = (Received(network), sender.Sent);
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return ((receivedAfter - received) / elapsed, (sentAfter - sent) / elapsed);
    }

    /// <summary>The highest rate, by bisection, at which no more than one packet in 10,000 is lost.</summary>
    public static double LossFree(LiveNetwork network, double highest, double seconds, CancellationToken stop)
    {
        using IDisposable? sink = Sink(network);
        using IDisposable polled = network.PollLeft();
        double low = 0, high = highest, best = 0;
        for (int i = 0; i < SearchSteps; i++)
        {
            double rate = (low + high) / 2;

            // Another program that takes the processor for a moment is no fault of the switch: a rate has two attempts.
            double? offered = OfferWithoutLoss(network, rate, seconds, stop) ?? OfferWithoutLoss(network, rate, seconds, stop);
            best = Math.Max(best, offered ?? 0);
            (low, high) = offered is not null ? (rate, high) : (low, rate);
        }

        return best;
    }

    // Packets a second that were offered, which is less than the rate where the generator had to share its processor; null when too many were lost.
    private static double? OfferWithoutLoss(LiveNetwork network, double rate, double seconds, CancellationToken stop)
    {
        long before = Received(network);
        using KernelSender sender = LiveNetwork.In(network.Left, () => new KernelSender(rate));
        sender.WaitForStart();
        (long sentAtStart, long start) = (sender.Sent, Stopwatch.GetTimestamp());
        Wait(seconds, stop);
        double offered = (sender.Sent - sentAtStart) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        long sent = sender.Stop();
        Thread.Sleep(50);
        long lost = sent - (Received(network) - before);
        return lost <= sent * LossAllowed ? Math.Min(offered, rate) : null;
    }

    /// <summary>Gbit/s of one TCP stream (iperf3), or null when none came about.</summary>
    public static double? Tcp(LiveNetwork network, int seconds)
    {
        using Process server = Shell.Start("ip", "netns", "exec", network.Right, "iperf3", "-s", "-1");
        try
        {
            Thread.Sleep(200);
            string output = LiveNetwork.Run(network.Left, $"timeout {seconds + 8} iperf3 -J --connect-timeout 3000 -c 10.77.0.2 -t {seconds} || true");
            using JsonDocument report = JsonDocument.Parse(output);
            return report.RootElement.TryGetProperty("end", out JsonElement end) && end.TryGetProperty("sum_received", out JsonElement sum)
                ? sum.GetProperty("bits_per_second").GetDouble() / 1e9
                : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return null;
        }
        finally
        {
            if (!server.HasExited)
            {
                server.Kill();
            }
        }
    }

    /// <summary>Median round trip in microseconds of pings through what is otherwise idle, or null when none came back.</summary>
    public static double? Ping(LiveNetwork network)
    {
        string output = LiveNetwork.Run(network.Left, "ping -n -i 0.01 -c 100 -w 4 10.77.0.2 || true");
        double[] times = [.. RoundTrip().Matches(output).Select(static match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * 1000).Skip(5).Order()];
        return times.Length == 0 ? null : times[times.Length / 2];
    }

    private static void Wait(double seconds, CancellationToken stop)
    {
        stop.WaitHandle.WaitOne(TimeSpan.FromSeconds(seconds));
        stop.ThrowIfCancellationRequested();
    }

    private static long Received(LiveNetwork network) => LiveNetwork.In(network.Right, static () =>
        NetdevStats.TryRead("eth", out NetdevStats stats) == Errno.None ? (long)stats.RxPackets : 0);

    // Frames are counted by the device and dropped before the host's stack.
    private static FileDescriptor? Sink(LiveNetwork network) => LiveNetwork.In(network.Right, static () =>
    {
        _ = Netdev.TryOpen("eth", out Netdev? device);
        using (device)
        using (FileDescriptor program = Bpf.LoadDropProgram())
        {
            _ = Bpf.TryAttach(program, device!.Index, Libc.BPF_TCX_INGRESS, 0, out FileDescriptor? link);
            return link;
        }
    });

    [GeneratedRegex(@"time=([\d.]+) ms")]
    private static partial Regex RoundTrip();
}
