using System.Text.Json.Serialization;

namespace Engine.Cli;

/// <summary>What a replay has done; with <c>--json</c>, the object that is printed.</summary>
/// <param name="Packets">Packets received.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Seconds">How long it took; with <c>--loop</c>, without loading and warming up.</param>
/// <param name="Mpps">Millions of packets a second.</param>
/// <param name="CyclesPerPacket">Cycles of the time-stamp counter for each packet.</param>
/// <param name="AllocatedBytesPerPacket">Managed memory allocated by the thread that forwards, for each packet.</param>
/// <param name="Ports">Counters of each port, by number.</param>
/// <param name="Flows">Counters of each flow, in the order of the file.</param>
/// <param name="Missed">Packets that matched no flow.</param>
/// <param name="Drops">Packets dropped by reason; reasons that did not occur are left out.</param>
internal sealed record ReplayReport(
    ulong Packets,
    ulong Bytes,
    double Seconds,
    double Mpps,
    double CyclesPerPacket,
    double AllocatedBytesPerPacket,
    SortedDictionary<uint, PortReport> Ports,
    IReadOnlyList<FlowReport> Flows,
    ulong Missed,
    SortedDictionary<string, ulong> Drops);

/// <summary>What a port has received and sent.</summary>
internal sealed record PortReport(ulong RxPackets, ulong RxBytes, ulong TxPackets, ulong TxBytes);

/// <summary>What a flow has matched.</summary>
/// <param name="Flow">The flow as <c>KEY, actions:ACTIONS</c>.</param>
/// <param name="Packets">Packets matched.</param>
/// <param name="Bytes">Their bytes.</param>
internal sealed record FlowReport(string Flow, ulong Packets, ulong Bytes);

/// <summary>Writes reports as JSON with code made at build time.</summary>
[JsonSerializable(typeof(ReplayReport))]
internal sealed partial class ReplayJsonContext : JsonSerializerContext;
