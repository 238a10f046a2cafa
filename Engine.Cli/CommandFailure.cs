namespace Engine.Cli;

/// <summary>Ends a verb with lines on standard error and an exit code.</summary>
/// <param name="exitCode">An <see cref="ExitCode"/>.</param>
/// <param name="lines">What went wrong, each a clear line of its own.</param>
internal sealed class CommandFailure(int exitCode, params IReadOnlyList<string> lines) : Exception(string.Join('\n', lines))
{
    /// <summary>An <see cref="Cli.ExitCode"/>.</summary>
    public int ExitCode { get; } = exitCode;

    /// <summary>What went wrong.</summary>
    public IReadOnlyList<string> Lines { get; } = lines;

    /// <summary>A file or directory could not be used.</summary>
    /// <param name="doing">What was tried: "read", "write".</param>
    /// <param name="path">The path as it was given.</param>
    /// <param name="cause">What the system said.</param>
    public static CommandFailure OfFile(string doing, string path, Exception cause) =>
        new(Cli.ExitCode.BadInput, $"engine: cannot {doing} {path}: {Describe(path, cause)}");

    /// <summary>Whether an exception says that a file or directory cannot be used.</summary>
    public static bool IsOfFile(Exception exception) =>
        exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;

    private static string Describe(string path, Exception cause) => cause switch
    {
        FileNotFoundException or DirectoryNotFoundException => "no such file or directory",
        UnauthorizedAccessException when Directory.Exists(path) => "it is a directory",
        UnauthorizedAccessException => "permission denied",
        _ => cause.Message,
    };
}
