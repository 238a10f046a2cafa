using System.Diagnostics;
using Engine.Tests.Allocation;
using Engine.Tests.Live;
using Xunit.Abstractions;

namespace Engine.Tests.Conformance;

/// <summary>ovs-vswitchd, the engine and devices come and go while hosts talk through a bridge.</summary>
[Collection(AloneCollection.Name)]
public sealed class VswitchdLifeTests : IDisposable
{
    private readonly TwoHosts _hosts;
    private readonly OpenVSwitch _ovs;

    public VswitchdLifeTests(ITestOutputHelper output)
    {
        OpenVSwitch.Require();
        _hosts = new TwoHosts();
        try
        {
            _ovs = new OpenVSwitch(_hosts.Switch, output);
            _ovs.Vsctl("add-br br0 -- add-port br0 left -- add-port br0 right");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _ovs?.Dispose();
        _hosts.Dispose();
    }

    [SkippableFact]
    public void Traffic_goes_on_while_ovs_vswitchd_is_away_and_back()
    {
        // Long enough for ovs-vswitchd to replace the flows from before it had learned the addresses.
        _hosts.Left.Run("ping -n -q -c 20 -i 0.1 -W 30 10.77.0.2");
        Task stream = Task.Run(() => Traffic.Tcp(_hosts.Left, _hosts.Right, "10.77.0.2", 400 << 20));
        _ovs.StopSwitch();

        // The datapath goes on by itself: what has flows loses nothing.
        _hosts.Left.Run("ping -n -q -c 10 -i 0.05 -W 30 10.77.0.2");
        _ovs.StartSwitch();
        Assert.True(stream.Wait(TimeSpan.FromSeconds(120)), "The stream stalls.");
        Traffic.Ping(_hosts.Left, 2);
        _ovs.AssertNoWarnings();
    }

    [SkippableFact]
    public void A_device_that_is_removed_is_noticed_and_taken_back()
    {
        Traffic.Ping(_hosts.Left, 2);

        // The kernel tells both of the device. Should ovs-vswitchd look at its ports before the engine has taken this one away, which the kernel's
        // module does later too, in a work queue, it looks no more until another link changes.
        _hosts.Switch.Run($"kill -STOP {_ovs.Switch.Id}; ip link del left");
        Eventually.IsSo(() => !_ovs.Dpctl("show").Contains("left", StringComparison.Ordinal), "the engine to take the port away");
        _hosts.Switch.Run($"kill -CONT {_ovs.Switch.Id}");
        Eventually.IsSo(() => _ovs.Vsctl("get Interface left error").Contains("No such device", StringComparison.Ordinal), "ovs-vswitchd to notice");
        Assert.DoesNotContain("left", _ovs.Dpctl("show"), StringComparison.Ordinal);
        _hosts.Switch.Run($"ip link add left type veth peer name eth netns {_hosts.Left.Name}; ip link set left up");
        _hosts.Left.Run("ip link set eth address 02:00:00:00:77:01; ip addr add 10.77.0.1/24 dev eth; ip addr add fd77::1/64 dev eth nodad; ip link set eth up");
        Eventually.IsSo(() => _ovs.Vsctl("get Interface left error").Contains("[]", StringComparison.Ordinal), "ovs-vswitchd to take it back");
        Traffic.Ping(_hosts.Left, 2);
        _ovs.AssertNoWarnings("could not open network device left", "could not add network device left", "failed to get statistics for interface left",
            "STP status on nonexistent port");
    }

    [SkippableFact]
    public void Without_its_engine_ovs_vswitchd_neither_hangs_nor_spins_and_starts_anew_with_the_next()
    {
        Traffic.Ping(_hosts.Left, 2);
        _ovs.KillEngine();
        (int exit, string text) = _ovs.TryRun([.. _ovs.Exec, "ovs-dpctl", "show"]);
        Assert.NotEqual(0, exit);
        Assert.Contains("refused", text, StringComparison.OrdinalIgnoreCase);
        TimeSpan before = _ovs.Switch.TotalProcessorTime;
        Stopwatch clock = Stopwatch.StartNew();
        Thread.Sleep(1000);
        _ovs.Switch.Refresh();
        Assert.InRange((_ovs.Switch.TotalProcessorTime - before) / clock.Elapsed, 0, 0.5);

        // It answers, and what it says is that nobody is there.
        Assert.Contains("server returned an error", _ovs.TryRun("ovs-appctl", "-T", "15", "-t", _ovs.InFolder("vswitchd.ctl"), "dpctl/show").Text, StringComparison.Ordinal);
        Assert.Contains(_ovs.ReadLog("ovs-vswitchd.log"), static line => line.Contains("Connection refused", StringComparison.Ordinal));
        Assert.DoesNotContain(_ovs.ReadLog("ovs-vswitchd.log"), static line => line.Contains("Function not implemented", StringComparison.Ordinal));
        _ovs.StartEngine();
        _ovs.StopSwitch();
        _ovs.StartSwitch();
        Traffic.Ping(_hosts.Left, 2);
        Traffic.Tcp(_hosts.Left, _hosts.Right, "10.77.0.2", 4 << 20);
    }
}
