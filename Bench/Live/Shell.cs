using System.Diagnostics;

namespace Bench.Live;

/// <summary>Programs of the host, run and started.</summary>
internal static class Shell
{
    /// <summary>Runs shell commands.</summary>
    /// <returns>What they wrote.</returns>
    /// <exception cref="InvalidOperationException">They failed; the message holds what they wrote.</exception>
    public static string Run(string commands)
    {
        using Process process = Start("sh", "-ec", commands);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{commands}: exit {process.ExitCode}: {output}{error.Result}");
    }

    /// <summary>Starts a program; what it writes can be read.</summary>
    public static Process Start(string program, params string[] arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    /// <summary>Ends a program that this process started, gently first.</summary>
    public static void Stop(Process process)
    {
        if (!process.HasExited)
        {
            using Process kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            kill.WaitForExit();
            if (!process.WaitForExit(5_000))
            {
                process.Kill();
            }
        }

        process.Dispose();
    }

    /// <summary>Whether a program is on the path.</summary>
    public static bool Has(string program) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
}
