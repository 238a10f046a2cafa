using Engine.Control;
using Engine.Vports;

namespace Engine.Cli;

/// <summary>An engine as <c>dpctl show --json</c> prints it.</summary>
/// <param name="Datapaths">The datapaths that were asked for.</param>
/// <param name="Workers">The workers, which serve all of them.</param>
internal sealed record EngineReport(IReadOnlyList<DatapathReport> Datapaths, IReadOnlyList<WorkerEntry> Workers);

/// <summary>A datapath as <c>dpctl show</c> prints it; with <c>--json</c>, the object.</summary>
/// <param name="Datapath">The datapath.</param>
/// <param name="Ports">Its ports, by number.</param>
internal sealed record DatapathReport(DatapathEntry Datapath, IReadOnlyList<PortReportOfDatapath> Ports);

/// <summary>A port as <c>dpctl show</c> prints it.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Name">Name of its device.</param>
/// <param name="Type">Its type in the words of Open vSwitch.</param>
/// <param name="Configuration">How a tunnel is configured; null for other ports.</param>
/// <param name="Stats">What went through it.</param>
/// <param name="Driver">How its device is driven, where there was a choice.</param>
/// <param name="Reason">Why a better way was not taken, or null.</param>
internal sealed record PortReportOfDatapath(uint Number, string Name, string Type, string? Configuration, NetdevStats Stats, string? Driver, string? Reason);
