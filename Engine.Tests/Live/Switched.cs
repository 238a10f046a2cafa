using System.Globalization;

namespace Engine.Tests.Live;

/// <summary>Two hosts and a running engine between them, each way by one flow.</summary>
internal sealed class Switched : IDisposable
{
    private readonly string _script;
    private readonly string _driver;

    /// <summary>Makes the hosts and starts the engine.</summary>
    /// <param name="driver">Driver of both ports.</param>
    /// <param name="mtu">Of all devices.</param>
    public Switched(string driver, int mtu = 1500)
    {
        _driver = driver;
        Hosts = new TwoHosts(mtu);

        // Not before: where there can be no hosts, the test is skipped here and nothing is disposed.
        _script = Path.GetTempFileName();
        try
        {
            File.WriteAllText(_script, $"""
                add-dp dp0
                add-if dp0 {Port("left", 1)} {Port("right", 2)}
                add-flow dp0 in_port(1),eth() 2
                add-flow dp0 in_port(2),eth() 1
                """);
            Engine = new EngineProcess(Hosts.Switch, "--script", _script).WaitUntilReady();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public TwoHosts Hosts { get; }

    public EngineProcess Engine { get; private set; } = null!;

    /// <summary>A word of add-if for a device of the switch.</summary>
    public string Port(string device, int number) => string.Create(CultureInfo.InvariantCulture, $"{device},port_no={number},driver={_driver}");

    /// <summary>Starts the engine anew, after its end.</summary>
    public void Restart()
    {
        Engine.Dispose();
        Engine = new EngineProcess(Hosts.Switch, "--script", _script).WaitUntilReady();
    }

    /// <summary>Waits until a port is shown, or no longer.</summary>
    public void WaitForPort(string name, bool isThere) => Eventually.IsSo(
        () => Engine.Do("show").Contains($": {name}\n", StringComparison.Ordinal) == isThere,
        () => $"port {name} {(isThere ? "comes" : "goes")}: {Engine.Do("show")}");

    /// <summary>Fails unless packets pass both ways and the engine lives.</summary>
    public void AssertForwards()
    {
        Assert.False(Engine.Process.HasExited);
        Traffic.Ping(Hosts.Left, 2);
        Traffic.Udp(Hosts.Right, Hosts.Left, "10.77.0.1", 1400, 20);
    }

    /// <summary>A number of kilobytes from the engine's /proc/PID/status, such as VmRSS.</summary>
    public long ReadMemory(string name) => long.Parse(
        File.ReadLines($"/proc/{Engine.Process.Id}/status").First(line => line.StartsWith(name + ':', StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        CultureInfo.InvariantCulture);

    public void Dispose()
    {
        Engine?.Dispose();
        Hosts.Dispose();
        File.Delete(_script);
    }
}
