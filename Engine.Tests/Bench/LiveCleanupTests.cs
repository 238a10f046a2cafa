using System.Diagnostics;
using Engine.Tests.Live;

namespace Engine.Tests.Bench;

/// <summary>What the live bench makes is removed: by itself when it is told to end, by the next run when it was killed.</summary>
public sealed class LiveCleanupTests
{
    [SkippableFact]
    public void A_run_that_is_told_to_end_removes_what_it_made()
    {
        Requires.NetworkAdministration();
        using Process process = StartBench("--case", "bridge", "--measure", "ping", "--rounds", "1000");
        Eventually.IsSo(() => Run("ip netns list").Contains($"engine-bench-{process.Id}-r", StringComparison.Ordinal), "the namespaces");
        Run($"kill -TERM {process.Id}");
        Assert.True(process.WaitForExit(Eventually.Limit));
        Assert.Equal(130, process.ExitCode);
        Assert.DoesNotContain($"engine-bench-{process.Id}-", Run("ip netns list"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void What_a_killed_run_left_is_removed_and_what_a_living_one_uses_is_not()
    {
        Requires.NetworkAdministration();
        using Process ended = Start("true");
        ended.WaitForExit();
        string dead = $"engine-bench-{ended.Id}-l", living = $"engine-bench-{Environment.ProcessId}-l";
        string directory = Directory.CreateTempSubdirectory($"engine-bench-{ended.Id}-").FullName;
        Run($"ip netns add {dead}; ip netns add {living}");
        using Process inside = Start("ip", "netns", "exec", dead, "sleep", "1000");
        try
        {
            Eventually.IsSo(() => Run($"ip netns pids {dead}").Length != 0, "a program in the namespace");
            using Process bench = StartBench("--case", "none of them");
            Assert.True(bench.WaitForExit(Eventually.Limit));
            Assert.Equal(0, bench.ExitCode);
            string left = Run("ip netns list");
            Assert.DoesNotContain(dead, left, StringComparison.Ordinal);
            Assert.Contains(living, left, StringComparison.Ordinal);
            Assert.False(Directory.Exists(directory));
            Assert.True(inside.WaitForExit(Eventually.Limit));
        }
        finally
        {
            inside.Kill();
            Run($"ip netns del {living}; ip netns del {dead} 2>/dev/null");
        }
    }

    private static string Run(string commands)
    {
        using Process process = Start("sh", "-c", commands);
        return process.StandardOutput.ReadToEnd();
    }

    private static Process StartBench(params string[] arguments) => Start("dotnet", [typeof(global::Bench.Traffic).Assembly.Location, "live", .. arguments]);

    private static Process Start(string program, params string[] arguments) => Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
}
