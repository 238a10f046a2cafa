using System.Diagnostics;
using Engine.Tests.Live;
using Xunit.Abstractions;

namespace Engine.Tests.Conformance;

/// <summary>The command <c>engine</c>, run to its end.</summary>
internal static class EngineProgram
{
    /// <summary>Runs it, and fails when it does not end.</summary>
    /// <param name="log">Gets the command with the beginning of what it printed.</param>
    /// <param name="arguments">Behind <c>engine</c>.</param>
    /// <returns>Its exit code and its standard output.</returns>
    public static (int Exit, string Text) Run(ITestOutputHelper log, params string[] arguments)
    {
        string command = string.Join(' ', arguments);
        using Process process = Process.Start(new ProcessStartInfo("dotnet", [EngineProcess.Assembly, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(120)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{command} hangs");
        }

        string text = output.Result;
        log.WriteLine($"$ {command} -> {process.ExitCode}\n{(text.Length > 4096 ? text[..4096] : text)}{error.Result}");
        return (process.ExitCode, text);
    }
}
