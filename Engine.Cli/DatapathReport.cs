using Engine.Control;
using Engine.Vports;

namespace Engine.Cli;

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
internal sealed record PortReportOfDatapath(uint Number, string Name, string Type, string? Configuration, NetdevStats Stats);
