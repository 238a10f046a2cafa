using System.IO.Compression;
using System.Text.Json;

namespace Engine.Tests.Golden;

/// <summary>Reads the recorded vectors: from the folder named by the environment variable <c>ENGINE_GOLDEN</c> where it is set, else from the ones beside the tests.</summary>
/// <remarks>A file is JSON Lines, plain (<c>NAME.jsonl</c>) or compressed (<c>NAME.jsonl.gz</c>); README.md in this folder says what is in it. Any thread.</remarks>
public static class GoldenFiles
{
    /// <summary>The environment variable that names another folder.</summary>
    public const string FolderVariable = "ENGINE_GOLDEN";

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new HexConverter(), new VolatileRangeConverter(), new PortConverter() },
    };

    private static readonly Lazy<KeyExtractVector[]> KeyExtractOnce = new(() => Read<KeyExtractVector>("key_extract"));
    private static readonly Lazy<ActionVector[]> ActionsOnce = new(() => Read<ActionVector>("actions"));
    private static readonly Lazy<NetlinkScenario[]> NetlinkOnce = new(() => Read<NetlinkScenario>("netlink"));
    private static readonly Lazy<DpctlVector[]> DpctlOnce = new(() => Read<DpctlVector>("dpctl"));

    /// <summary>The folder that is read.</summary>
    public static string Folder { get; } = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named
        ? named
        : Path.Combine(AppContext.BaseDirectory, "Golden");

    /// <summary>key_extract.jsonl, in the order of the file. Read once, shared: do not change the arrays in it.</summary>
    public static IReadOnlyList<KeyExtractVector> KeyExtract => KeyExtractOnce.Value;

    /// <summary>actions.jsonl, sequences included.</summary>
    public static IReadOnlyList<ActionVector> Actions => ActionsOnce.Value;

    /// <summary>netlink.jsonl.</summary>
    public static IReadOnlyList<NetlinkScenario> Netlink => NetlinkOnce.Value;

    /// <summary>dpctl.jsonl.</summary>
    public static IReadOnlyList<DpctlVector> Dpctl => DpctlOnce.Value;

    /// <summary>Reads every line of the file <paramref name="name"/>, given without extension.</summary>
    /// <exception cref="FileNotFoundException">The folder has it neither plain nor compressed: a test must not pass for want of vectors.</exception>
    public static T[] Read<T>(string name)
    {
        using StreamReader lines = new(Open(name));
        List<T> vectors = [];
        while (lines.ReadLine() is { } line)
        {
            if (line.Length != 0)
            {
                vectors.Add(JsonSerializer.Deserialize<T>(line, Options)!);
            }
        }

        return [.. vectors];
    }

    private static Stream Open(string name)
    {
        string plain = Path.Combine(Folder, name + ".jsonl");
        if (File.Exists(plain))
        {
            return File.OpenRead(plain);
        }

        string compressed = plain + ".gz";
        return File.Exists(compressed)
            ? new GZipStream(File.OpenRead(compressed), CompressionMode.Decompress)
            : throw new FileNotFoundException($"No golden vectors: neither {plain} nor {compressed} exists.", plain);
    }
}
