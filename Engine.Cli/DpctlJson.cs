using System.Text.Json;
using System.Text.Json.Serialization;

namespace Engine.Cli;

/// <summary>Prints what dpctl has found as JSON, with code made at build time.</summary>
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(EngineReport))]
internal sealed partial class DpctlJson : JsonSerializerContext
{
    private static readonly DpctlJson Relaxed = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        IncludeFields = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    });

    /// <summary>Prints names.</summary>
    public static void Write(TextWriter output, List<string> names) => output.WriteLine(JsonSerializer.Serialize(names, Relaxed.ListString));

    /// <summary>Prints datapaths and workers.</summary>
    public static void Write(TextWriter output, EngineReport report) => output.WriteLine(JsonSerializer.Serialize(report, Relaxed.EngineReport));
}
