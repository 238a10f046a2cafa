using System.Diagnostics;
using System.Globalization;
using Bench.Live;
using Engine.Control;
using Engine.Primitives;
using Engine.Tests.Allocation;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>What befalls a running engine: devices that go, flap and shrink, floods, ends of every kind.</summary>
[Collection(AloneCollection.Name)]
public sealed class FaultTests
{
    // A generator that does not limit itself fills every ring there is.
    private const double Unlimited = 0;

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void A_device_deleted_under_full_load_is_detached_and_can_come_back(string driver)
    {
        using Switched network = new(driver);
        using (FloodSender flood = network.Hosts.Left.Call(static () => new FloodSender(Unlimited)))
        {
            Thread.Sleep(200);
            network.Hosts.Switch.Run("ip link del right");
            network.WaitForPort("right", isThere: false);
            network.WaitForPort("left", isThere: true);
            Thread.Sleep(100);
        }

        network.Hosts.Switch.Run($"""
            ip link add right type veth peer name eth netns {network.Hosts.Right.Name}
            ip -n {network.Hosts.Right.Name} link set eth address 02:00:00:00:77:02
            ip -n {network.Hosts.Right.Name} addr add 10.77.0.2/24 dev eth
            ip -n {network.Hosts.Right.Name} addr add fd77::2/64 dev eth nodad
            ip -n {network.Hosts.Right.Name} link set eth up
            """);
        network.Engine.Do("add-if", "dp0", network.Port("right", 2));
        network.AssertForwards();
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void A_host_whose_namespace_is_deleted_takes_its_port_and_nothing_else(string driver)
    {
        using Switched network = new(driver);
        using FloodSender flood = network.Hosts.Right.Call(static () => new FloodSender(Unlimited));
        Thread.Sleep(100);
        network.Hosts.Left.Dispose();
        network.WaitForPort("left", isThere: false);
        network.WaitForPort("right", isThere: true);
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void A_link_that_flaps_a_hundred_times_goes_on(string driver)
    {
        using Switched network = new(driver);
        using (FloodSender flood = network.Hosts.Left.Call(static () => new FloodSender(20_000)))
        {
            network.Hosts.Switch.Run("for i in $(seq 50); do ip link set right down; ip link set right up; ip link set left down; ip link set left up; done");
        }

        network.AssertForwards();
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void An_mtu_that_shrinks_under_traffic_holds_and_grows_again(string driver)
    {
        using Switched network = new(driver);
        using (FloodSender flood = network.Hosts.Left.Call(static () => new FloodSender(20_000)))
        {
            Thread.Sleep(100);
            network.Hosts.Switch.Run("ip link set right mtu 1300");
            network.Hosts.Right.Run("ip link set eth mtu 1300");
            network.Hosts.Left.Run("ping -n -q -c 3 -i 0.05 -W 30 -s 1200 10.77.0.2");
            Assert.Contains("100% packet loss", network.Hosts.Left.Run("ping -n -q -c 2 -i 0.05 -W 1 -M do -s 1400 10.77.0.2 || true"), StringComparison.Ordinal);
            network.Hosts.Right.Run("ip link set eth mtu 1500");
            network.Hosts.Switch.Run("ip link set right mtu 1500");
        }

        // The engine follows the device when the kernel has told it.
        Eventually.IsSo(
            () => !network.Hosts.Left.Run("ping -n -q -c 1 -W 1 -M do -s 1400 10.77.0.2 || true").Contains("100% packet loss", StringComparison.Ordinal),
            "long packets pass again");
        network.AssertForwards();
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void What_a_stopped_engine_cannot_take_is_counted_and_does_not_stall_it(string driver)
    {
        using Switched network = new(driver);
        using (FloodSender flood = network.Hosts.Left.Call(static () => new FloodSender(Unlimited)))
        {
            Thread.Sleep(100);
            network.Engine.Signal("STOP");
            try
            {
                // Far more than the longest ring holds.
                long sent = flood.Sent;
                Eventually.IsSo(() => flood.Sent >= sent + 500_000, () => $"frames for a stopped engine, {flood.Sent - sent} so far");
            }
            finally
            {
                network.Engine.Signal("CONT");
            }
        }

        network.AssertForwards();
        using ControlConnection connection = ControlConnection.Open(network.Engine.SocketPath);
        DatapathClient client = new(connection);
        Assert.Equal(Errno.None, client.FindDatapath("dp0", out DatapathEntry? datapath));
        Assert.Equal(Errno.None, client.FindVport(datapath!.Ifindex, "left", out VportEntry? port));
        Assert.True(port!.Stats.RxDropped > 0, "Nothing was counted as dropped.");
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void Killed_it_leaves_nothing_and_restarted_it_forwards_again(string driver)
    {
        using Switched network = new(driver);
        using (FloodSender flood = network.Hosts.Left.Call(static () => new FloodSender(20_000)))
        {
            Thread.Sleep(100);
            network.Engine.Signal("KILL");
            network.Engine.WaitForExit();
            AssertNothingLeft(network);
            network.Restart();
        }

        network.AssertForwards();
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void Terminated_it_leaves_nothing(string driver)
    {
        using Switched network = new(driver);
        network.AssertForwards();
        network.Engine.Signal("TERM");
        (int exit, _, string error) = network.Engine.WaitForExit();
        Assert.Equal((0, string.Empty), (exit, error));
        Assert.False(File.Exists(network.Engine.SocketPath));
        AssertNothingLeft(network);
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void Two_hundred_times_attached_and_detached_it_holds_no_more_than_before(string driver)
    {
        const int Cycles = 200, WarmUp = 20;

        // The heap finds its size meanwhile, some 15 MiB; rings or frames left over each time would be hundreds.
        const long GrowthAllowedKb = 40 * 1024;
        using Switched network = new(driver);
        using ControlConnection connection = ControlConnection.Open(network.Engine.SocketPath);
        DatapathClient client = new(connection);
        Assert.Equal(Errno.None, client.FindDatapath("dp0", out DatapathEntry? datapath));
        VportRequest wish = new("right", VportType.Netdev) { Options = new VportOptions { Driver = Enum.Parse<NetdevDriverKind>(driver, ignoreCase: true) } };
        int descriptors = 0;
        long memory = 0;
        for (int i = 0; i < Cycles; i++)
        {
            if (i == WarmUp)
            {
                (descriptors, memory) = (CountDescriptors(network), network.ReadMemory("VmRSS"));
            }

            Assert.Equal(Errno.None, client.DeleteVport(datapath!.Ifindex, 2));
            Assert.Equal(Errno.None, client.AddVport(datapath.Ifindex, wish, 2));
        }

        // What BPF has is held by descriptors: programs, links and maps.
        Assert.Equal(descriptors, CountDescriptors(network));
        Assert.InRange(network.ReadMemory("VmRSS") - memory, long.MinValue, GrowthAllowedKb);
        network.AssertForwards();
    }

    [SkippableFact]
    public void Without_the_capability_it_says_which()
    {
        Requires.NetworkAdministration();
        Requires.Program("setpriv");
        string path = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"engine-{Environment.ProcessId}-cap.sock"));
        using Process process = Process.Start(new ProcessStartInfo("setpriv", ["--bounding-set=-net_admin", "--inh-caps=-net_admin", "dotnet", EngineProcess.Assembly, "run", "--socket", path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            Assert.True(process.WaitForExit(20_000), "It runs without the capability.");
            Assert.Equal(2, process.ExitCode);
            Assert.Contains("CAP_NET_ADMIN", Assert.Single(process.StandardError.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        }
        finally
        {
            process.Kill();
        }
    }

    // ENGINE_SOAK_SECONDS=60 for the long one.
    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    [InlineData("xdp")]
    public void Memory_stays_flat_under_load(string driver)
    {
        const long GrowthAllowedKb = 4 * 1024;
        const int Windows = 10;
        double seconds = double.TryParse(Environment.GetEnvironmentVariable("ENGINE_SOAK_SECONDS"), NumberStyles.Float, CultureInfo.InvariantCulture, out double asked) ? asked : 2;
        using Switched network = new(driver);
        using FloodSender flood = network.Hosts.Left.Call(static () => new FloodSender(Unlimited));
        using FloodSender back = network.Hosts.Right.Call(static () => new FloodSender(Unlimited));

        // Until the runtime has compiled what is hot and every frame of the pools was used once.
        Thread.Sleep(1500);

        // On a busy machine that takes longer. What grows with packets grows in every window.
        long growth = long.MaxValue;
        for (int window = 0; window < Windows && growth > GrowthAllowedKb; window++)
        {
            (long before, long sent, long sentBack) = (network.ReadMemory("VmRSS"), flood.Sent, back.Sent);
            Thread.Sleep(TimeSpan.FromSeconds(seconds));
            Eventually.IsSo(() => flood.Sent - sent > 1000 && back.Sent - sentBack > 1000, "both senders go on");
            growth = network.ReadMemory("VmRSS") - before;
        }

        Assert.InRange(growth, long.MinValue, GrowthAllowedKb);
    }

    // No device, no program, no promiscuity; and the host gets its frames again.
    private static void AssertNothingLeft(Switched network)
    {
        NetworkNamespace space = network.Hosts.Switch;

        // The kernel takes an io_uring apart a moment after its process has gone, and the TAP with it.
        Eventually.IsSo(() => !space.Run("ip -o link").Contains("dp0", StringComparison.Ordinal), "the device dp0 goes");

        // So it does with sockets, on which the program and the promiscuity depend.
        string links = string.Empty;
        Eventually.IsSo(
            () =>
            {
                links = space.Run("ip -d link show left; ip -d link show right");
                return !links.Contains("xdp", StringComparison.Ordinal) && !links.Contains("promiscuity 1", StringComparison.Ordinal);
            },
            () => $"no program and no promiscuity is left: {links}");
        space.Run("ip addr add 10.77.0.9/24 dev left");
        network.Hosts.Left.Run("ping -n -q -c 2 -i 0.1 -W 30 10.77.0.9");
        space.Run("ip addr del 10.77.0.9/24 dev left");
    }

    private static int CountDescriptors(Switched network) => Directory.GetFiles($"/proc/{network.Engine.Process.Id}/fd").Length;
}
