using Engine.Datapaths;
using Engine.Flows;
using Engine.Packets;
using Engine.Vports;

namespace Engine.Cli;

/// <summary>All counters of a replay at one moment.</summary>
internal sealed class ReplayCounters
{
    private readonly uint _inputPort;
    private readonly SortedDictionary<uint, VportStats> _ports = [];
    private readonly List<(string Flow, FlowStats Stats)> _flows = [];
    private readonly ulong[] _drops = new ulong[Enum.GetValues<DropReason>().Length];
    private readonly ulong _missed;

    private ReplayCounters(Datapath datapath, ReplayFlows flows, ReplayPorts ports)
    {
        _inputPort = ports.Input.Number;
        _missed = datapath.ReadStats().Missed;
        foreach (Vport vport in datapath.Vports.ToArray())
        {
            _ports.Add(vport.Number, vport.ReadStats());
        }

        foreach ((string text, Func<FlowStats> readStats) in flows.Flows)
        {
            _flows.Add((text, readStats()));
        }

        for (int reason = 0; reason < _drops.Length; reason++)
        {
            _drops[reason] = datapath.DropsOf((DropReason)reason);
        }

        _drops[(int)DropReason.FrameTooSmall] += ports.DroppedTooLong;
    }

    /// <summary>Reads all counters.</summary>
    public static ReplayCounters Take(Datapath datapath, ReplayFlows flows, ReplayPorts ports) => new(datapath, flows, ports);

    /// <summary>What was counted since <paramref name="before"/>, in the time that <paramref name="clock"/> ran.</summary>
    public ReplayReport ReportSince(ReplayCounters before, ReplayClock clock)
    {
        SortedDictionary<uint, PortReport> ports = [];
        foreach ((uint number, VportStats now) in _ports)
        {
            VportStats then = before._ports[number];
            ports.Add(number, new PortReport(
                now.RxPackets - then.RxPackets, now.RxBytes - then.RxBytes, now.TxPackets - then.TxPackets, now.TxBytes - then.TxBytes));
        }

        List<FlowReport> flows = new(_flows.Count);
        for (int i = 0; i < _flows.Count; i++)
        {
            (string flow, FlowStats now) = _flows[i];
            FlowStats then = before._flows[i].Stats;
            flows.Add(new FlowReport(flow, now.Packets - then.Packets, now.Bytes - then.Bytes));
        }

        SortedDictionary<string, ulong> drops = new(StringComparer.Ordinal);
        for (int reason = 0; reason < _drops.Length; reason++)
        {
            if (_drops[reason] != before._drops[reason])
            {
                drops.Add(NameOf((DropReason)reason), _drops[reason] - before._drops[reason]);
            }
        }

        ulong packets = ports[_inputPort].RxPackets;
        return new ReplayReport(
            packets,
            ports[_inputPort].RxBytes,
            clock.Seconds,
            clock.Seconds == 0 ? 0 : packets / clock.Seconds / 1e6,
            packets == 0 ? 0 : (double)clock.Cycles / packets,
            packets == 0 ? 0 : (double)clock.AllocatedBytes / packets,
            ports,
            flows,
            _missed - before._missed,
            drops);
    }

    // NoSuchPort is noSuchPort.
    private static string NameOf(DropReason reason)
    {
        string name = reason.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }
}
