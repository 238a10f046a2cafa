using System.Diagnostics;
using System.Globalization;
using Engine.Cli;

namespace Engine.Tests.Live;

/// <summary><c>engine run</c> as a process of its own in a network namespace, and dpctl against it.</summary>
internal sealed class EngineProcess : IDisposable
{
    private static int _made;

    private readonly NetworkNamespace _space;
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    /// <summary>Starts it; <see cref="WaitUntilReady"/> says when it serves.</summary>
    /// <param name="space">Where.</param>
    /// <param name="arguments">What follows <c>engine run --socket PATH</c>.</param>
    public EngineProcess(NetworkNamespace space, params string[] arguments)
    {
        _space = space;
        SocketPath = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"engine-{Environment.ProcessId}-{Interlocked.Increment(ref _made)}.sock"));
        ProcessStartInfo start = new("ip", ["netns", "exec", space.Name, "dotnet", Assembly, "run", "--socket", SocketPath, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process = Process.Start(start)!;
        _output = Process.StandardOutput.ReadToEndAsync();
        _error = Process.StandardError.ReadToEndAsync();
    }

    /// <summary>The program's file, for <c>dotnet</c>.</summary>
    public static string Assembly { get; } = typeof(EngineCommand).Assembly.Location;

    /// <summary>The process. <c>ip netns exec</c> becomes the engine, so its id is the engine's.</summary>
    public Process Process { get; }

    /// <summary>Where it is reached.</summary>
    public string SocketPath { get; }

    /// <summary>Waits until the engine serves; fails when it ends before.</summary>
    public EngineProcess WaitUntilReady()
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!File.Exists(SocketPath) || Dpctl("dump-dps").Exit != 0)
        {
            Assert.False(Process.HasExited, $"The engine has ended: {(Process.HasExited ? _error.Result : null)}");
            Assert.True(waited.Elapsed < Eventually.Limit, "The engine does not serve.");
            Thread.Sleep(20);
        }

        return this;
    }

    /// <summary>Runs <c>engine dpctl</c> in this process, on a thread that is in the namespace.</summary>
    public (int Exit, string Output, string Error) Dpctl(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        int exit = _space.Call(() => EngineCommand.Run(["dpctl", "--socket", SocketPath, .. arguments], output, error));
        return (exit, output.ToString(), error.ToString());
    }

    /// <summary>Runs <c>engine dpctl</c>, which has to succeed.</summary>
    public string Do(params string[] arguments)
    {
        (int exit, string output, string error) = Dpctl(arguments);
        Assert.True(exit == 0, $"{string.Join(' ', arguments)}: exit {exit}: {error}{(exit != 0 && Process.WaitForExit(200) ? $"The engine has ended: {_error.Result}" : null)}");
        return output;
    }

    /// <summary>Sends a signal: TERM, KILL.</summary>
    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", Process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Waits for its end.</summary>
    public (int Exit, string Output, string Error) WaitForExit()
    {
        if (!Process.WaitForExit(20_000))
        {
            Process.Kill();
            Assert.Fail("The engine does not end.");
        }

        return (Process.ExitCode, _output.Result, _error.Result);
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        if (!Process.HasExited)
        {
            Signal("TERM");
            if (!Process.WaitForExit(10_000))
            {
                Process.Kill();
            }
        }

        Process.Dispose();
        File.Delete(SocketPath);
    }
}
