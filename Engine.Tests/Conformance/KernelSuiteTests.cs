using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Engine.Tests.Allocation;
using Engine.Tests.Live;
using Xunit.Abstractions;

namespace Engine.Tests.Conformance;

/// <summary>Open vSwitch's own system tests for the kernel datapath, run by <c>kernel-suite.sh</c> on the engine; those listed in <c>kernel-suite.passing.txt</c> pass.</summary>
/// <remarks>Needs root, the programs that the tests use, and Debian's package archive for the suite itself; skipped without.</remarks>
[Collection(AloneCollection.Name)]
public sealed partial class KernelSuiteTests(ITestOutputHelper output)
{
    // The tests mostly wait, so that more of them than processors run side by side, each part in namespaces of its own.
    private const int Parts = 4;

    private static readonly string Script = Path.Combine(AppContext.BaseDirectory, "Conformance", "kernel-suite.sh");

    [SkippableFact]
    public void Tests_that_passed_pass()
    {
        Requires.NetworkAdministration();
        foreach (string program in (string[])["ovs-vswitchd", "ovs-dpctl", "unshare", "apt-get", "make", "python3", "nc", "netstat", "arp", "tcpdump", "curl", "wget", "tc", "ethtool", "iptables", "ping", "sysctl"])
        {
            Requires.Program(program);
        }

        string[] expected = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Conformance", "kernel-suite.passing.txt"));
        string folder = Directory.CreateTempSubdirectory("engine-suite-").FullName;
        try
        {
            string suite = Path.Combine(folder, "0");
            Assert.Equal(0, Run("bash", Script, "prepare", suite).Exit);
            string[] parts = [.. Enumerable.Range(0, Parts).Select(part => Path.Combine(folder, part.ToString(CultureInfo.InvariantCulture)))];
            foreach (string part in parts.Skip(1))
            {
                Assert.Equal(0, Run("cp", "-a", suite, part).Exit);
            }

            Task<string>[] runs = [.. parts.Select((part, index) => Task.Run(() => RunPart(part, expected.Where((_, line) => line % Parts == index))))];
            Task.WaitAll(runs);
            string[] passed = [.. runs.SelectMany(static run => NamesOfPassed(run.Result))];
            string[] missing = [.. expected.Except(passed, StringComparer.Ordinal)];
            if (missing.Length != 0)
            {
                // Once more and alone, as "make check-kernel RECHECK=yes" does: many of the suite's tests wait for a time that a busy machine exceeds.
                passed = [.. passed, .. NamesOfPassed(RunPart(suite, missing))];
            }

            Assert.Equal(expected.Order(StringComparer.Ordinal), passed.Order(StringComparer.Ordinal));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<string> NamesOfPassed(string text) => Passed().Matches(text).Select(static match => match.Groups[1].Value);

    private string RunPart(string folder, IEnumerable<string> tests)
    {
        string numbers = string.Join(' ', tests.Select(static test => test[..test.IndexOf(':', StringComparison.Ordinal)]));
        (int exit, string text) = Run("bash", Script, "run", folder, numbers, "dotnet", typeof(Engine.Cli.EngineCommand).Assembly.Location);
        if (exit != 0)
        {
            // What the tests that failed wrote; those that passed leave nothing.
            foreach (string log in Directory.EnumerateFiles(Path.Combine(folder, "tests", "system-kmod-testsuite.dir"), "*.log", SearchOption.AllDirectories))
            {
                output.WriteLine($"== {log}\n{File.ReadAllText(log)}");
            }
        }

        return text;
    }

    private (int Exit, string Text) Run(params string[] command)
    {
        using Process process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(10)))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        output.WriteLine($"$ {string.Join(' ', command)} -> {process.ExitCode}\n{text.Result}{error.Result}");
        return (process.ExitCode, text.Result);
    }

    [GeneratedRegex(@"^ *(\d+: .*?) +ok$", RegexOptions.Multiline)]
    private static partial Regex Passed();
}
