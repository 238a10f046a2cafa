namespace Engine.Tests.Architecture;

/// <summary>The source tree these tests were built from.</summary>
internal static class Repository
{
    /// <summary>The variable that makes tests write what they found over what was expected, for review as code.</summary>
    public const string UpdateVariable = "ENGINE_UPDATE_BASELINES";

    /// <summary>The folder that holds Engine.sln. Found from the test assembly, since CI builds map source paths away.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Whether baselines are to be written instead of compared.</summary>
    public static bool UpdatesBaselines => Environment.GetEnvironmentVariable(UpdateVariable) is { Length: > 0 };

    /// <summary>The C# files of a project that stand in the repository, with <c>/</c> and from the project's folder, sorted.</summary>
    public static IEnumerable<string> SourcesOf(string project)
    {
        string folder = Path.Combine(Root, project);
        return Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'))
            .Where(path => !path.StartsWith("bin/", StringComparison.Ordinal) && !path.StartsWith("obj/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Engine.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No Engine.sln above {AppContext.BaseDirectory}.");
    }
}
