using System.IO.Compression;
using System.Text.Json;

namespace Engine.Tests.Text;

/// <summary>What Open vSwitch 3.1.0 made of a text of a key, and of the bytes that came of it.</summary>
public sealed record RecordedKey(string Text, string Key, string Mask, string Terse, string Verbose, string Exact);

/// <summary>What Open vSwitch 3.1.0 made of a text of actions.</summary>
public sealed record RecordedActions(string Text, string Actions, string Printed);

/// <summary>Reads the files in <c>Text/Recorded</c>.</summary>
internal static class RecordedTexts
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Reads one file, given without extension.</summary>
    public static List<T> Read<T>(string name)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "Text", "Recorded", name + ".jsonl.gz");
        using StreamReader reader = new(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        List<T> lines = [];
        while (reader.ReadLine() is { } line)
        {
            lines.Add(JsonSerializer.Deserialize<T>(line, Options)!);
        }

        return lines;
    }
}
