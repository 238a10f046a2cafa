using System.Globalization;
using Engine.Control;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Cli;

/// <summary><c>dpctl show</c>: datapaths and their ports.</summary>
internal static class DpctlShow
{
    /// <summary><c>show [DP...]</c>.</summary>
    public static Errno Show(DpctlSession session, IReadOnlyList<string> words)
    {
        Errno last = Errno.None;
        List<DatapathEntry> datapaths = [];
        if (words.Count == 1)
        {
            last = session.Client.ListDatapaths(out datapaths);
        }

        for (int i = 1; i < words.Count; i++)
        {
            Errno errno = session.Open(words[i], out DatapathEntry? datapath);
            if (errno == Errno.None)
            {
                datapaths.Add(datapath!);
            }
            else
            {
                last = session.Fail(errno, $"opening datapath {words[i]} failed", new DpctlPlace(i));
            }
        }

        List<DatapathReport> reports = datapaths.ConvertAll(datapath => Read(session, datapath));
        if (session.Options.IsJson)
        {
            DpctlJson.Write(session.Output, new EngineReport(reports, ReadWorkers(session)));
        }
        else
        {
            reports.ForEach(report => Write(session, report));
            if (session.Options.HasStatistics && reports.Count != 0)
            {
                WriteWorkers(session);
            }
        }

        return last;
    }

    private static DatapathReport Read(DpctlSession session, DatapathEntry datapath)
    {
        _ = session.Client.ListVports(datapath.Ifindex, out List<VportEntry> ports);
        _ = session.Client.ListDrivers(datapath.Ifindex, out List<DriverEntry> drivers);
        return new DatapathReport(
            datapath,
            [.. ports.OrderBy(static port => port.Number).Select(port => ReadPort(port, drivers.Find(driver => driver.Port == port.Number)))]);
    }

    private static List<WorkerEntry> ReadWorkers(DpctlSession session)
    {
        _ = session.Client.ListWorkers(out List<WorkerEntry> workers);
        return workers;
    }

    private static PortReportOfDatapath ReadPort(VportEntry port, DriverEntry? driver)
    {
        // As Open vSwitch: what the datapath has counted, and of a device also what only the host counts.
        VportStats seen = port.Stats;
        NetdevStats stats = default;
        if (port.Type == VportType.Netdev)
        {
            _ = NetdevStats.TryRead(port.Name, out stats);
        }

        (stats.RxPackets, stats.TxPackets, stats.RxBytes, stats.TxBytes) = (seen.RxPackets, seen.TxPackets, seen.RxBytes, seen.TxBytes);
        (stats.RxErrors, stats.TxErrors, stats.RxDropped, stats.TxDropped) = (seen.RxErrors, seen.TxErrors, seen.RxDropped, seen.TxDropped);
        return new PortReportOfDatapath(port.Number, port.Name, DpctlPorts.TypeName(port.Type), Configuration(port), stats, driver?.Driver, driver?.Reason);
    }

    // What Open vSwitch prints of a tunnel's configuration: its UDP port where it is not the usual one.
    private static string? Configuration(VportEntry port)
    {
        if (port.Type is VportType.Netdev or VportType.Internal)
        {
            return null;
        }

        string version = port.Type is VportType.Erspan or VportType.Ip6Erspan ? "erspan_ver=0, " : string.Empty;
        return port.DestinationPort == DpctlPorts.UsualPort(port.Type)
            ? $"{version}packet_type=ptap"
            : string.Create(CultureInfo.InvariantCulture, $"dst_port={port.DestinationPort}, packet_type=ptap");
    }

    private static void Write(DpctlSession session, DatapathReport report)
    {
        TextWriter output = session.Output;
        DatapathEntry datapath = report.Datapath;
        ulong packets = datapath.Hit + datapath.Missed;
        output.WriteLine($"system@{datapath.Name}:");
        Line(output, $"  lookups: hit:{datapath.Hit} missed:{datapath.Missed} lost:{datapath.Lost}");
        Line(output, $"  flows: {datapath.Flows}");
        Line(output, $"  masks: hit:{datapath.MaskHit} total:{datapath.Masks} hit/pkt:{Ratio(datapath.MaskHit, packets):F2}");
        if (datapath.CacheHit != 0)
        {
            Line(output, $"  cache: hit:{datapath.CacheHit} hit-rate:{Ratio(datapath.CacheHit, packets) * 100:F2}%");
        }

        DpctlDatapaths.WriteCaches(output, datapath);
        foreach (PortReportOfDatapath port in report.Ports)
        {
            string type = port.Type == "system" ? string.Empty : port.Configuration is null ? $" ({port.Type})" : $" ({port.Type}: {port.Configuration})";
            Line(output, $"  port {port.Number}: {port.Name}{type}");
            if (session.Options.HasStatistics)
            {
                WriteStats(output, port.Stats);
                WriteDriver(output, port);
            }
        }
    }

    private static void WriteStats(TextWriter output, NetdevStats stats)
    {
        Line(output, $"    RX packets:{stats.RxPackets} errors:{stats.RxErrors} dropped:{stats.RxDropped} overruns:{stats.RxOverErrors} frame:{stats.RxFrameErrors}");
        Line(output, $"    TX packets:{stats.TxPackets} errors:{stats.TxErrors} dropped:{stats.TxDropped} aborted:{stats.TxAbortedErrors} carrier:{stats.TxCarrierErrors}");
        Line(output, $"    collisions:{stats.Collisions}");
        Line(output, $"    RX bytes:{stats.RxBytes}{HumanSize(stats.RxBytes)}  TX bytes:{stats.TxBytes}{HumanSize(stats.TxBytes)}");
    }

    // From here on, what ovs-dpctl does not print.
    private static void WriteDriver(TextWriter output, PortReportOfDatapath port)
    {
        if (port.Driver is not null)
        {
            Line(output, $"    driver: {port.Driver}{(port.Reason is null ? string.Empty : $"; {port.Reason}")}");
        }
    }

    private static void WriteWorkers(DpctlSession session)
    {
        session.Output.WriteLine("workers:");
        foreach (WorkerEntry worker in ReadWorkers(session))
        {
            string core = worker.Core is { } number ? string.Create(CultureInfo.InvariantCulture, $" (core {number})") : string.Empty;
            double busy = Ratio(worker.BusyCycles, worker.BusyCycles + worker.IdleCycles) * 100;
            Line(session.Output, $"  worker {worker.Worker}{core}: rings:{worker.Rings} busy:{busy:F1}% cycles/packet:{Ratio(worker.BusyCycles, worker.Packets):F0}");
            Line(session.Output, $"    packets:{worker.Packets} batches:{worker.Batches} packets/batch:{Ratio(worker.Packets, worker.Batches):F1} misses:{worker.Misses} upcalls:{worker.Upcalls}");
            Line(session.Output, $"    rounds:{worker.Rounds} sleeps:{worker.Sleeps} longest round:{worker.LongestRoundNs / 1e3:F1}us 99.9%:{worker.UsualRoundNs / 1e3:F1}us");
        }
    }

    private static double Ratio(ulong part, ulong whole) => whole == 0 ? 0 : (double)part / whole;

    private static string HumanSize(ulong value)
    {
        ReadOnlySpan<string> units = ["KiB", "MiB", "GiB", "TiB"];
        string text = string.Empty;
        double size = value;
        for (int i = 0; i < units.Length && size >= 1024; i++)
        {
            size /= 1024;
            text = string.Create(CultureInfo.InvariantCulture, $" ({size:F1} {units[i]})");
        }

        return text;
    }

    private static void Line(TextWriter output, FormattableString text) => output.WriteLine(FormattableString.Invariant(text));
}
