using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Engine.Platform;

namespace Bench.Live;

/// <summary>
/// <c>live [--case NAME]… [--rounds N] [--measure rate,lossfree,tcp,ping] [--seconds S] [--cores LIST] [--json FILE]</c>: two hosts joined by the kernel's
/// bridge, by Open vSwitch's userspace datapath and by the engine with each driver, in turn.
/// </summary>
internal static class LiveCommand
{
    private static readonly string[] Measures = ["rate", "lossfree", "tcp", "ping"];

    /// <summary>Measures.</summary>
    /// <returns>0; 2 when the arguments or the rights are wrong; 130 when a signal ended it.</returns>
    public static int Run(string[] arguments)
    {
        List<string> cases = [];
        string[] measures = Measures;
        int rounds = 3;
        double seconds = 1.5;
        string? json = null, cores = null;
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string? value = i + 1 < arguments.Length ? arguments[i + 1] : null;
            bool isRead = value is not null;
            switch (arguments[i])
            {
                case "--case" when isRead:
                    cases.Add(value!);
                    break;
                case "--json" when isRead:
                    json = value;
                    break;
                case "--cores" when isRead:
                    cores = value;
                    break;
                case "--measure" when isRead:
                    measures = value!.Split(',');
                    isRead = measures.All(Measures.Contains);
                    break;
                case "--rounds":
                    isRead = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out rounds) && rounds > 0;
                    break;
                case "--seconds":
                    isRead = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out seconds) && seconds > 0;
                    break;
                default:
                    isRead = false;
                    break;
            }

            if (!isRead)
            {
                Console.Error.WriteLine($"live: {arguments[i]} {value}: expected --case NAME, --rounds N, --measure {string.Join(',', Measures)}, --seconds S, --cores LIST, --json FILE");
                return 2;
            }
        }

        if (!Environment.IsPrivilegedProcess)
        {
            Console.Error.WriteLine("live: needs root, to make network namespaces and devices");
            return 2;
        }

        ILivePeer[] peers =
        [
            new BridgePeer(), new OpenVSwitchPeer(false), new OpenVSwitchPeer(true), new RedirectPeer(),
            .. ((string[])["packet", "uring", "xdp"]).Select(driver => new EnginePeer(driver, cores)),
        ];
        peers = [.. peers.Where(peer => cases.Count == 0 || cases.Exists(name => peer.Name.Contains(name, StringComparison.OrdinalIgnoreCase)))];
        List<LiveResult> results = [.. peers.Select(static peer => LiveResult.Of(peer.Name, peer.Missing))];
        LiveNetwork.RemoveLeftovers();
        using Interruption interruption = new();
        try
        {
            using LiveNetwork network = new();
            for (int round = 0; round < rounds; round++)
            {
                for (int i = 0; i < peers.Length; i++)
                {
                    results[i] = Measure(network, peers[i], results[i], measures, seconds, interruption.Token);
                    Console.Error.WriteLine($"round {round + 1}: {peers[i].Name} done");
                }
            }
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("live: ended by a signal; everything made is removed");
            return 130;
        }

        LiveReport report = new(
            $"dotnet run -c Release --project Bench -- live {string.Join(' ', arguments)}".TrimEnd(),
            ReadProcessor(),
            Environment.ProcessorCount,
            RuntimeInformation.OSDescription,
            RuntimeInformation.FrameworkDescription,
            DateTime.UtcNow,
            results);
        LiveTable.Write(Console.Out, report);
        if (json is not null)
        {
            File.WriteAllText(json, JsonSerializer.Serialize(report, LiveJson.Default.LiveReport));
        }

        return 0;
    }

    private static LiveResult Measure(LiveNetwork network, ILivePeer peer, LiveResult result, string[] measures, double seconds, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        if (result.Missing is not null)
        {
            return result;
        }

        try
        {
            using IDisposable joined = peer.Start(network);
            if (peer.IsSwitch)
            {
                // Address resolution, learning, and the runtime's own warm-up.
                LiveNetwork.Run(network.Left, "ping -n -q -c 200 -i 0.005 -w 4 10.77.0.2 || true");
            }

            stop.ThrowIfCancellationRequested();
            if (measures.Contains("ping") && peer.IsSwitch && LiveMeasure.Ping(network) is { } ping)
            {
                result.PingMicroseconds.Add(ping);
            }

            stop.ThrowIfCancellationRequested();
            if (measures.Contains("tcp") && peer.IsSwitch && LiveMeasure.Tcp(network, Math.Max(1, (int)Math.Round(seconds * 1.5))) is { } gigabits)
            {
                result.TcpGigabits.Add(gigabits);
            }

            if (measures.Contains("rate") || measures.Contains("lossfree"))
            {
                // Once for the runtime, which compiles what is hot.
                _ = LiveMeasure.Flood(network, 1, stop);
                (double forwarded, double offered) = LiveMeasure.Flood(network, seconds, stop);
                result.Forwarded.Add(forwarded);
                result.Offered.Add(offered);
                if (measures.Contains("lossfree"))
                {
                    result.LossFree.Add(LiveMeasure.LossFree(network, Math.Min(offered, forwarded * 1.2), 0.4, stop));
                }
            }

            return result;
        }
        catch (Exception failure) when (failure is InvalidOperationException or SystemCallException)
        {
            // A signal to the whole group ends the programs below first.
            stop.ThrowIfCancellationRequested();
            return result with { Missing = failure.Message };
        }
    }

    private static string ReadProcessor() => File.Exists("/proc/cpuinfo")
        ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown"
        : "unknown";
}
