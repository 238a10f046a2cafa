using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>The host's own port: a TAP device in the switch's namespace, joined to the right host.</summary>
public sealed class InternalDriverTests
{
    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_host_talks_through_its_port(bool usesUring)
    {
        using TwoHosts hosts = new();
        using InternalPort port = new(hosts, usesUring);
        Traffic.Ping(hosts.Right, 3);
        Traffic.Udp(hosts.Switch, hosts.Right, "10.77.0.2", 1472, 100);
        Traffic.Udp(hosts.Right, hosts.Switch, "fd77::3", 4000, 100);
    }

    [SkippableTheory]
    [InlineData(false, true, "10.77.0.2")]
    [InlineData(false, true, "fd77::2")]
    [InlineData(false, false, "10.77.0.3")]
    [InlineData(false, false, "fd77::3")]
    [InlineData(true, true, "10.77.0.2")]
    [InlineData(true, true, "fd77::2")]
    [InlineData(true, false, "10.77.0.3")]
    [InlineData(true, false, "fd77::3")]
    public void A_stream_with_super_frames_arrives_whole(bool usesUring, bool fromSwitch, string address)
    {
        using TwoHosts hosts = new();
        using InternalPort port = new(hosts, usesUring);
        int longest = 0;
        port.Loop.Inspect = packet => longest = Math.Max(longest, LengthOf(packet));
        Traffic.Tcp(fromSwitch ? hosts.Switch : hosts.Right, fromSwitch ? hosts.Right : hosts.Switch, address, 50 << 20);
        Assert.True(longest > 10_000, $"The longest frame had {longest} bytes: segmentation was not left to the receiver.");
    }

    [SkippableFact]
    public void The_device_is_there_as_long_as_the_driver_and_follows_the_host()
    {
        Requires.NetworkAdministration();
        using NetworkNamespace space = new();
        InternalDriver driver = space.Call(() =>
        {
            Assert.Equal(Refusal.None, InternalDriver.TryCreate("br-int", usesUring: true, out InternalDriver? made));
            return made!;
        });
        Assert.Equal(NetdevState.Down, driver.Device.Refresh());
        space.Run("ip link set br-int address 02:00:00:00:00:01 mtu 1400 up");
        Assert.Equal(NetdevState.Up, driver.Device.Refresh());
        Assert.Equal(1400, driver.Device.Mtu);
        Assert.Equal(Errno.None, driver.Device.TryGetAddress(out EthernetAddress address));
        Assert.Equal("02:00:00:00:00:01", address.ToString());

        Assert.Equal(Errno.Exists, space.Call(() => InternalDriver.TryCreate("br-int", usesUring: true, out _)).Errno);
        Assert.Equal(Errno.InvalidArgument, space.Call(() => InternalDriver.TryCreate("a-name-that-is-too-long", usesUring: true, out _)).Errno);

        driver.Dispose();
        Assert.DoesNotContain("br-int", space.Run("ip -o link"), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_device_that_is_down_or_deleted_drops_without_fault(bool usesUring)
    {
        Requires.NetworkAdministration();
        using NetworkNamespace space = new();
        using InternalDriver driver = space.Call(() =>
        {
            Assert.Equal(Refusal.None, InternalDriver.TryCreate("br-int", usesUring, out InternalDriver? made));
            return made!;
        });
        using PacketPool pool = new(64);
        Assert.Equal(0, Send(pool, driver));
        Assert.Equal(NetdevState.Down, driver.Device.State);
        space.Run("ip link set br-int up");
        driver.Device.Refresh();
        Assert.Equal(1, Send(pool, driver));
        space.Run("ip link del br-int");
        Assert.Equal(0, Send(pool, driver));
        Assert.Equal(NetdevState.Gone, driver.Device.State);
        Assert.Equal(0, pool.UsedCount);
    }

    private static unsafe int LengthOf(nint packet) => ((Packet*)packet)->Length;

    private static unsafe int Send(PacketPool pool, InternalDriver driver)
    {
        PacketBatch batch = default;
        Packet* packet = pool.TryAllocate();
        packet->TrySetBytes(new byte[60]);
        batch.Add(packet);
        int sent = driver.Transmit(pool, ref batch);
        driver.Receive(pool, ref batch);
        for (int i = 0; i < batch.Count; i++)
        {
            pool.Free(batch.Pointer(i));
        }

        return sent;
    }

    /// <summary>A port "br-int" with 10.77.0.3 and fd77::3, and a packet socket on "right", joined by a thread.</summary>
    private sealed class InternalPort : IDisposable
    {
        private readonly PacketPool _pool = new(4096);
        private readonly InternalDriver _port;
        private readonly PacketSocketDriver _right;
        private readonly Netdev _device;

        public InternalPort(TwoHosts hosts, bool usesUring)
        {
            (_port, _right, _device) = hosts.Switch.Call(() =>
            {
                Assert.Equal(Refusal.None, InternalDriver.TryCreate("br-int", usesUring, out InternalDriver? port));
                Assert.Equal(usesUring, port!.UsesUring);
                Assert.Equal(Refusal.None, Netdev.TryOpen("right", out Netdev? device));
                Assert.Equal(Refusal.None, PacketSocketDriver.TryOpen(device!, new PacketSocketOptions(), out PacketSocketDriver? right));
                return (port, right!, device!);
            });
            hosts.Switch.Run("""
                echo 0 >/proc/sys/net/ipv6/conf/br-int/disable_ipv6
                ip addr add 10.77.0.3/24 dev br-int
                ip addr add fd77::3/64 dev br-int nodad
                ip link set br-int up
                """);
            Loop = new ForwardLoop(_pool, _port, _right, Number(_port.WaitHandle), Number(_right.WaitHandle));
        }

        public ForwardLoop Loop { get; }

        public void Dispose()
        {
            Loop.Dispose();
            Assert.Equal(0, _pool.UsedCount);
            _port.Dispose();
            _right.Dispose();
            _device.Dispose();
            _pool.Dispose();
        }

        private static int Number(SafeHandle handle) => (int)handle.DangerousGetHandle();
    }
}
