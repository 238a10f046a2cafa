using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>AF_XDP on veth devices between two hosts.</summary>
public sealed class XdpDriverTests
{
    [SkippableTheory]
    [InlineData(XdpMode.Native)]
    [InlineData(XdpMode.Generic)]
    public void Hosts_ping_each_other(XdpMode mode)
    {
        using TwoHosts hosts = new();
        using XdpPair pair = new(hosts, mode);
        Traffic.Ping(hosts.Left, 2);
        Traffic.Ping(hosts.Right, 1, size: 1400);
    }

    [SkippableTheory]
    [InlineData(XdpMode.Native, "10.77.0.2")]
    [InlineData(XdpMode.Native, "fd77::2")]
    [InlineData(XdpMode.Generic, "10.77.0.2")]
    [InlineData(XdpMode.Generic, "fd77::2")]
    public void A_stream_with_partial_checksums_arrives_whole(XdpMode mode, string address)
    {
        using TwoHosts hosts = new();
        using XdpPair pair = new(hosts, mode);
        Traffic.Tcp(hosts.Left, hosts.Right, address, 50 << 20);
    }

    [SkippableTheory]
    [InlineData(XdpMode.Native, 1)]
    [InlineData(XdpMode.Native, 1472)]
    [InlineData(XdpMode.Native, 9000)] // In fragments.
    [InlineData(XdpMode.Generic, 1472)]
    public void Datagrams_come_back_as_they_were(XdpMode mode, int size)
    {
        using TwoHosts hosts = new();
        using XdpPair pair = new(hosts, mode);
        Traffic.Udp(hosts.Left, hosts.Right, "10.77.0.2", size, 100);
        Traffic.Udp(hosts.Right, hosts.Left, "fd77::1", size, 100);
    }

    [SkippableTheory]
    [InlineData(XdpMode.Native)]
    [InlineData(XdpMode.Generic)]
    public void Jumbo_frames_pass_in_several_buffers(XdpMode mode)
    {
        using TwoHosts hosts = new(mtu: 9000);
        using XdpPair pair = new(hosts, mode);
        Traffic.Ping(hosts.Left, 2, size: 8000);
        Traffic.Udp(hosts.Left, hosts.Right, "10.77.0.2", 8900, 100);
        Traffic.Tcp(hosts.Right, hosts.Left, "fd77::1", 20 << 20);
    }

    [SkippableFact]
    public void A_second_driver_of_a_queue_is_refused_and_a_closed_one_can_be_opened_again()
    {
        using TwoHosts hosts = new();
        using PacketPool pool = new(1024);
        XdpMemory memory = new(pool);
        XdpOptions options = new() { RingSize = 128 };
        hosts.Switch.Call(() =>
        {
            Assert.Equal(Refusal.None, Netdev.TryOpen("left", out Netdev? device));
            using (device)
            {
                for (int i = 0; i < 20; i++)
                {
                    Assert.Equal(Refusal.None, XdpDriver.TryOpen(device!, memory, options, out XdpDriver? driver));
                    Assert.Equal(128, pool.UsedCount);
                    driver!.Dispose();
                    Assert.Equal(0, pool.UsedCount);
                }

                Assert.Equal(Errno.InvalidArgument, XdpDriver.TryOpen(device!, memory, options with { Queue = 5 }, out _).Errno);
                Assert.Equal(0, pool.UsedCount);

                // Another process, or another port, has the device.
                Assert.Equal(Refusal.None, Netdev.TryOpen("left", out Netdev? other));
                using (other)
                {
                    Assert.Equal(Errno.Busy, XdpDriver.TryOpen(other!, memory, options, out _).Errno);
                }
            }

            return 0;
        });
        Assert.DoesNotContain("xdp", hosts.Switch.Run("ip -d link show left"), StringComparison.Ordinal);
        Assert.DoesNotContain("PROMISC", hosts.Switch.Run("ip link show left"), StringComparison.Ordinal);
    }

    /// <summary>The two devices of a switch on the same frames, and a thread that forwards.</summary>
    private sealed class XdpPair : IDisposable
    {
        private readonly PacketPool _pool = new(8192);
        private readonly XdpDriver _left;
        private readonly XdpDriver _right;
        private readonly Netdev _leftDevice;
        private readonly Netdev _rightDevice;
        private readonly ForwardLoop _loop;

        public XdpPair(TwoHosts hosts, XdpMode mode)
        {
            XdpMemory memory = new(_pool);
            (_left, _leftDevice) = Open(hosts, "left", memory, mode);
            (_right, _rightDevice) = Open(hosts, "right", memory, mode);
            _loop = new ForwardLoop(_pool, _left, _right, Number(_left.WaitHandle), Number(_right.WaitHandle));
        }

        public void Dispose()
        {
            _loop.Dispose();
            _left.Dispose();
            _right.Dispose();
            _leftDevice.Dispose();
            _rightDevice.Dispose();
            Assert.Equal(0, _pool.UsedCount);
            _pool.Dispose();
        }

        private static (XdpDriver Driver, Netdev Device) Open(TwoHosts hosts, string name, XdpMemory memory, XdpMode mode) => hosts.Switch.Call(() =>
        {
            Assert.Equal(Refusal.None, Netdev.TryOpen(name, out Netdev? device));
            Assert.Equal(Refusal.None, XdpDriver.TryOpen(device!, memory, new XdpOptions { Mode = mode }, out XdpDriver? driver));
            Assert.Equal(mode, device!.XdpMode);
            return (driver!, device!);
        });

        private static int Number(SafeHandle handle) => (int)handle.DangerousGetHandle();
    }
}
