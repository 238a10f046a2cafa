using System.Diagnostics;

namespace Bench.Live;

/// <summary>The engine, as <c>engine run --script</c>.</summary>
/// <param name="driver">The driver of both ports.</param>
/// <param name="cores">What --cores gets, or null.</param>
internal sealed class EnginePeer(string driver, string? cores) : ILivePeer
{
    public string Name => $"engine, {driver}";

    public bool IsSwitch => true;

    public string? Missing => null;

    public IDisposable Start(LiveNetwork network)
    {
        string directory = network.MakeDirectory();
        string socket = Path.Combine(directory, "control.sock");
        string script = Path.Combine(directory, "script");
        File.WriteAllText(script, $"""
            add-dp dp0
            add-if dp0 left,port_no=1,driver={driver} right,port_no=2,driver={driver}
            add-flow dp0 in_port(1),eth() 2
            add-flow dp0 in_port(2),eth() 1
            """);
        string[] onCores = cores is null ? [] : ["--cores", cores];
        Process process = Shell.Start("ip", ["netns", "exec", network.Switch, "dotnet", Path.Combine(AppContext.BaseDirectory, "Engine.Cli.dll"), "run", "--socket", socket, "--script", script, .. onCores]);
        void Stop()
        {
            Shell.Stop(process);
            Directory.Delete(directory, recursive: true);
        }

        for (int i = 0; i < 200 && !process.HasExited && !File.Exists(socket); i++)
        {
            Thread.Sleep(50);
        }

        if (process.HasExited)
        {
            string error = process.StandardError.ReadToEnd();
            Stop();
            throw new InvalidOperationException(error.Trim());
        }

        return new Undo(Stop);
    }
}
