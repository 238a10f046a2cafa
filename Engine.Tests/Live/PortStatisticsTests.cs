using System.Globalization;
using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>A port tells what its device has counted, as the kernel's ports do.</summary>
public sealed unsafe class PortStatisticsTests
{
    private static readonly string[] Counters =
        ["rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped"];

    [SkippableFact]
    public void A_netdev_port_counts_as_its_device_and_knows_what_came_before_it()
    {
        Requires.NetworkAdministration();
        using NetworkNamespace space = new();
        space.Run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
        space.Run("ip link add p1 type veth peer name q1; ip link set p1 up; ip link set q1 up; ip addr add 10.98.0.1/24 dev q1");
        Knock(space, "10.98.0.2");
        HostVportFactory factory = new();
        VportDevice device = Make(space, factory, new VportRequest("p1", VportType.Netdev));
        ulong before = Compare(space, device).RxPackets;
        Assert.True(before > 0);
        Knock(space, "10.98.0.3");
        Assert.True(Compare(space, device).RxPackets > before);
        device.Driver.Dispose();
    }

    [SkippableFact]
    public void An_internal_port_sends_what_the_host_sends()
    {
        Requires.NetworkAdministration();
        using NetworkNamespace space = new();
        space.Run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
        VportDevice device = Make(space, new HostVportFactory(), new VportRequest("in1", VportType.Internal));
        space.Run("ip link set in1 up; ip addr add 10.98.1.1/24 dev in1");
        Knock(space, "10.98.1.2");
        TakeAll(device.Driver);
        VportStats stats = Compare(space, device);
        Assert.True(stats.TxPackets > 0);
        Assert.Equal(0ul, stats.RxPackets);
        device.Driver.Dispose();
        Assert.Equal(stats, device.ReadStats!());
    }

    private static VportDevice Make(NetworkNamespace space, HostVportFactory factory, VportRequest request) => space.Call(() =>
    {
        Assert.Equal(Errno.None, factory.TryCreate(request, out VportDevice? made));
        return made!;
    });

    // Asks for an address that nobody has, which sends ARP requests out of the device.
    private static void Knock(NetworkNamespace space, string address) => space.Run($"ping -c 1 -W 1 {address} || true");

    // A TAP device counts what it sends when it is read.
    private static void TakeAll(IVportDriver driver)
    {
        using PacketPool pool = new(32, largeFrameCount: 1);
        PacketBatch batch = default;
        driver.Receive(pool, ref batch);
        for (int i = 0; i < batch.Count; i++)
        {
            pool.Free(batch.Pointer(i));
        }
    }

    // The kernel asks again for a while: what is told lies between two looks at what it shows.
    private static VportStats Compare(NetworkNamespace space, VportDevice device)
    {
        while (true)
        {
            ulong[] before = Look(space, device.Name);
            VportStats stats = device.ReadStats!();
            if (Look(space, device.Name).AsSpan().SequenceEqual(before))
            {
                Assert.Equal(before, MemoryMarshal.Cast<VportStats, ulong>(new Span<VportStats>(ref stats)).ToArray());
                return stats;
            }
        }
    }

    private static ulong[] Look(NetworkNamespace space, string name) =>
    [
        .. space.Run($"cd /sys/class/net/{name}/statistics; cat {string.Join(' ', Counters)}")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => ulong.Parse(line, CultureInfo.InvariantCulture)),
    ];
}
