using System.Diagnostics;

namespace Bench.Peers;

/// <summary>Programs of others.</summary>
internal static class Tool
{
    /// <summary>Which of these is not in the path; null when all are.</summary>
    public static string? Missing(params string[] names)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':');
        return names.FirstOrDefault(name => !folders.Any(folder => File.Exists(Path.Combine(folder, name)))) is { } missing ? $"no {missing}" : null;
    }

    /// <summary>Runs one to its end.</summary>
    /// <returns>What it wrote.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message says what it wrote.</exception>
    public static string Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {output}{errors.Result}");
    }
}
