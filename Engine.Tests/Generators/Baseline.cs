using Engine.Tests.Architecture;

namespace Engine.Tests.Generators;

/// <summary>Generated text as it was reviewed: <c>Baselines/NAME.txt</c>. Set <c>ENGINE_UPDATE_BASELINES=1</c> to write it anew, then review the difference.</summary>
internal static class Baseline
{
    private static string Folder => Path.Combine(Repository.Root, "Engine.Tests", "Generators", "Baselines");

    /// <summary>Compares every generated file with its baseline, or writes the baselines.</summary>
    public static void AssertEqual(IReadOnlyDictionary<string, string> sources)
    {
        foreach ((string name, string text) in sources)
        {
            string path = Path.Combine(Folder, name + ".txt");
            if (Repository.UpdatesBaselines)
            {
                Directory.CreateDirectory(Folder);
                File.WriteAllText(path, text);
                continue;
            }

            string expected = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : string.Empty;
            if (expected != text)
            {
                Assert.Fail($"{name} differs from its baseline in line {FirstDifference(expected, text)}; set {Repository.UpdateVariable}=1 to write it anew.");
            }
        }
    }

    private static string FirstDifference(string expected, string actual)
    {
        string[] left = expected.Split('\n');
        string[] right = actual.Split('\n');
        int line = Enumerable.Range(0, Math.Max(left.Length, right.Length)).First(i => left.ElementAtOrDefault(i) != right.ElementAtOrDefault(i));
        return $"{line + 1}:\n- {left.ElementAtOrDefault(line)}\n+ {right.ElementAtOrDefault(line)}\n";
    }
}
