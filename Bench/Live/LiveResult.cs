using System.Text.Json.Serialization;

namespace Bench.Live;

/// <summary>What one peer reached in all rounds; medians where several were taken.</summary>
/// <param name="Peer">Its name.</param>
/// <param name="Missing">Why it was not measured, or null.</param>
/// <param name="Forwarded">64-byte packets a second that came through a flood, of each round.</param>
/// <param name="Offered">Packets a second of the flood, of each round.</param>
/// <param name="LossFree">Packets a second without loss, of each round.</param>
/// <param name="TcpGigabits">Gbit/s of one TCP stream, of each round.</param>
/// <param name="PingMicroseconds">Median round trip, of each round.</param>
internal sealed record LiveResult(
    string Peer,
    string? Missing,
    List<double> Forwarded,
    List<double> Offered,
    List<double> LossFree,
    List<double> TcpGigabits,
    List<double> PingMicroseconds)
{
    /// <summary>A peer without results.</summary>
    public static LiveResult Of(string peer, string? missing) => new(peer, missing, [], [], [], [], []);

    /// <summary>The middle of some values, or null when there are none.</summary>
    public static double? Median(List<double> values) => values.Count == 0 ? null : values.Order().ElementAt(values.Count / 2);
}

/// <summary>All results, and where they come from.</summary>
internal sealed record LiveReport(string Command, string Processor, int Processors, string Kernel, string Runtime, DateTime Time, List<LiveResult> Results);

/// <summary>Writes results as JSON.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LiveReport))]
internal sealed partial class LiveJson : JsonSerializerContext;
