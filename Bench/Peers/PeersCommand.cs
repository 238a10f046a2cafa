using Engine.Datapaths;

namespace Bench.Peers;

/// <summary><c>peers [--case NAME]… [--json FILE] [--svg FILE] [--seconds S] [--rounds N] [--engine-only]</c>: the engine and every peer there is, in turn.</summary>
internal static class PeersCommand
{
    private const int HugepageCount = 512;
    private const int MostPacketsOfTestpmd = 20_000;

    /// <summary>Does it.</summary>
    /// <returns>0, or 2 when the arguments are wrong.</returns>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        PeersOptions options;
        try
        {
            options = PeersOptions.Parse(arguments);
        }
        catch (ArgumentException exception)
        {
            Console.Error.WriteLine(exception.Message);
            return 2;
        }

        PeersReport report = new(options);
        report.WriteHeading();
        bool wantsPeers = !options.IsEngineOnly && options.Cases.Any(peerCase => peerCase.HasPeers);
        using Hugepages? pages = wantsPeers ? new Hugepages(HugepageCount) : null;
        string? noOvs = options.IsEngineOnly ? "not asked for" : pages?.Missing ?? OvsDpdk.Missing;
        string? noTestpmd = options.IsEngineOnly ? "not asked for" : pages?.Missing ?? Testpmd.Missing;
        report.SayMissing("OVS-DPDK", wantsPeers ? noOvs : null);
        report.SayMissing("testpmd", wantsPeers ? noTestpmd : null);
        WarmUp();
        foreach (PeerCase peerCase in options.Cases)
        {
            RunCase(peerCase, options, report, noOvs is null && peerCase.HasPeers, noTestpmd is null && peerCase.HasPeers && peerCase.FiveTuples <= MostPacketsOfTestpmd);

            // Each time: what is measured stays when a later case fails.
            report.WriteFiles();
        }

        return 0;
    }

    // The runtime compiles the packet path by what it sees: something of everything, not the first case alone.
    private static void WarmUp()
    {
        foreach (PeerCase peerCase in (PeerCase[])
            [
                new("warm-up") { FiveTuples = 1_000, Masks = 10 },
                new("warm-up") { FiveTuples = 1 },
                new("warm-up") { FiveTuples = 1_000, Masks = 10, Actions = CaseActions.PushVlan },
                new("warm-up") { FiveTuples = 1_000, Masks = 10, Actions = CaseActions.Rewrite },
                new("warm-up") { FiveTuples = 1_000, Masks = 10, Kind = CaseKind.NeverRepeating },
            ])
        {
            foreach (int cacheEntries in (int[])[new DatapathOptions().CacheEntries, 0])
            {
                using EngineContender engine = new(peerCase, "warm-up", new DatapathOptions { CacheEntries = cacheEntries });
                engine.Measure(0.15);
            }
        }
    }

    private static IContender[] Those(IContender? contender) => contender is null ? [] : [contender];

    // A peer that does not start is said, and the others are measured.
    private static T? TryStart<T>(PeersReport report, string peer, Func<T> start)
        where T : class
    {
        try
        {
            return start();
        }
        catch (InvalidOperationException exception)
        {
            report.SayMissing(peer, exception.Message);
            return null;
        }
    }

    private static void RunCase(PeerCase peerCase, PeersOptions options, PeersReport report, bool withOvs, bool withTestpmd)
    {
        List<IContender> contenders = [];
        using EngineContender engine = new(peerCase, "Engine", new DatapathOptions());
        engine.CompareSample();
        using EngineContender? other = peerCase.Kind switch
        {
            CaseKind.Replay when peerCase.FiveTuples <= 200_000 => new(peerCase, "Engine, no cache", new DatapathOptions { CacheEntries = 0 }),
            CaseKind.Churn => new(peerCase, "Engine, no flow changes", new DatapathOptions(), isStill: true),
            _ => null,
        };
        other?.CompareSample();
        CaseTraffic traffic = new(peerCase);
        string? capture = withOvs || withTestpmd ? traffic.WriteCapture() : null;
        try
        {
            using OvsDpdk? ovs = withOvs ? TryStart(report, "OVS-DPDK", () => OvsDpdk.Start(traffic, capture!)) : null;
            using Testpmd? io = withTestpmd ? TryStart(report, "testpmd", () => new Testpmd("io", capture!, peerCase.FiveTuples)) : null;
            using Testpmd? macswap = withTestpmd ? TryStart(report, "testpmd", () => new Testpmd("macswap", capture!, peerCase.FiveTuples)) : null;
            using SpinContender? spin = peerCase.Kind == CaseKind.Churn ? new SpinContender() : null;
            contenders.AddRange([engine, .. Those(other), .. Those(spin), .. ovs?.Contenders(peerCase.Kind) ?? [], .. Those(io), .. Those(macswap)]);
            List<Measurement>[] results = [.. contenders.Select(static _ => new List<Measurement>())];
            for (int round = 0; round < options.Rounds; round++)
            {
                for (int i = 0; i < contenders.Count; i++)
                {
                    results[i].Add(contenders[i].Measure(options.Seconds));
                }
            }

            report.Add(peerCase, engine.FlowsInstalledPerSecond, [.. contenders.Zip(results, static (contender, measurements) => (contender.Name, measurements))]);
        }
        finally
        {
            if (capture is not null)
            {
                File.Delete(capture);
            }
        }
    }
}
