using Engine.Netlink;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;
using Engine.Tests.Control;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>Ports whose devices change under them.</summary>
public sealed class DeviceFollowerTests
{
    private const uint VportGroup = 0x7f01;
    private const byte DeleteCommand = 2;

    [SkippableTheory]
    [InlineData("ip link del right", "packet")]
    [InlineData("ip link del right", "xdp")]
    [InlineData("ip link del right", "uring")]
    [InlineData("ip link set right netns {other}", "packet")]
    public void A_device_that_goes_takes_its_port_with_it_and_listeners_are_told(string command, string driver)
    {
        using TwoHosts hosts = new();
        using NetworkNamespace other = new();
        using LiveSwitch live = new(hosts.Switch, 2, LiveSwitch.Joined($",driver={driver}"));
        Traffic.Ping(hosts.Left, 2);
        live.Listener.TakeMessages();
        live.Listener.Join(VportGroup);
        hosts.Switch.Run(command.Replace("{other}", other.Name, StringComparison.Ordinal));
        Eventually.IsSo(() => live.Find("right") is null, "The port is still there.");
        List<byte[]> messages = [];
        Eventually.IsSo(
            () =>
            {
                messages.AddRange(live.Listener.TakeMessages());
                return messages.Count != 0;
            },
            "Nobody was told.");
        byte[] told = Assert.Single(messages);
        Assert.Equal((RequestBuilder.Vport, DeleteCommand), (BitConverter.ToUInt16(told, 4), told[NetlinkHeader.Size]));
        Assert.Contains("right\0"u8.ToArray(), Windows(told, 6));

        // Nothing else stops, and a device of that name can be a port again.
        Assert.NotNull(live.Find("left"));
        hosts.Switch.Run($"ip link add right type veth peer name eth9 netns {hosts.Right.Name}; ip link set right up");
        hosts.Right.Run("ip link del eth 2>/dev/null || true; ip link set eth9 up; ip addr add 10.77.0.2/24 dev eth9; ip addr add fd77::2/64 dev eth9 nodad");
        live.Do($"add-if dp-live right,driver={driver},port_no=2");
        hosts.Left.Run("ip neigh flush all");
        Traffic.Ping(hosts.Left, 2);
    }

    [SkippableFact]
    public void A_port_keeps_its_device_when_it_goes_down_and_up_and_follows_its_name_and_length()
    {
        using TwoHosts hosts = new();
        using LiveSwitch live = new(hosts.Switch, 1, LiveSwitch.Joined());
        Assert.Equal(1500, live.Find("right")!.Vport.MaximumTransmissionUnit);
        hosts.Switch.Run("ip link set right down; ip link set right name renamed; ip link set renamed mtu 1400; ip link set renamed up");
        Eventually.IsSo(() => live.Find("renamed") is { Vport.MaximumTransmissionUnit: 1400 }, "The port does not follow.");
        Assert.Null(live.Find("right"));
        Assert.Equal("renamed", live.Datapath.Datapath.Vports[2]!.Name);
        Traffic.Ping(hosts.Left, 2);
        live.Do("del-if dp-live renamed");
    }

    [SkippableFact]
    public void What_is_longer_than_the_MTU_is_dropped_and_counted_but_super_frames_pass()
    {
        using TwoHosts hosts = new();
        using LiveSwitch live = new(hosts.Switch, 1, LiveSwitch.Joined());
        hosts.Switch.Run("ip link set right mtu 1300");
        Eventually.IsSo(() => live.Find("right")!.Vport.MaximumTransmissionUnit == 1300, "The port does not follow.");

        // A host that does not know the other one's address yet may keep fewer than three packets until it does.
        Traffic.Ping(hosts.Left, 2);
        ulong before = live.Find("right")!.ReadStats().TxErrors, dropped = live.Datapath.Datapath.DropsOf(DropReason.TooBig);
        hosts.Left.Run("ping -n -q -M do -c 3 -i 0.05 -W 1 -s 1400 10.77.0.2 || true");
        Eventually.IsSo(
            () => live.Find("right")!.ReadStats().TxErrors >= before + 3 && live.Datapath.Datapath.DropsOf(DropReason.TooBig) >= dropped + 3,
            "All three are counted.");
        Assert.Equal(before + 3, live.Find("right")!.ReadStats().TxErrors);
        Assert.Equal(dropped + 3, live.Datapath.Datapath.DropsOf(DropReason.TooBig));
        hosts.Left.Run("ping -n -q -c 3 -i 0.05 -W 30 -s 1200 10.77.0.2");
    }

    [SkippableFact]
    public void A_device_that_another_has_is_refused()
    {
        using TwoHosts hosts = new();
        hosts.Switch.Run("ip link add br9 type bridge; ip link add slave type veth peer name loose; ip link set slave master br9");
        using LiveSwitch live = new(hosts.Switch, 1, LiveSwitch.Joined());
        using LiveSwitch second = new(hosts.Switch, 1, "add-dp dp-other");
        Assert.False(second.TryDo("add-if dp-other left", out string error));
        Assert.Contains("busy", error, StringComparison.OrdinalIgnoreCase);
        Assert.False(second.TryDo("add-if dp-other slave", out error));
        Assert.Contains("busy", error, StringComparison.OrdinalIgnoreCase);
        Assert.False(second.TryDo("add-if dp-other lo", out error));
        Assert.Contains("Invalid argument", error, StringComparison.Ordinal);
        Assert.False(second.TryDo("add-if dp-other missing", out error));
        Assert.Contains("No such device", error, StringComparison.Ordinal);

        // Given back, it is free.
        live.Do("del-if dp-live left");
        second.Do("add-if dp-other left");
    }

    [SkippableFact]
    public void The_driver_is_chosen_and_the_choice_told()
    {
        using TwoHosts hosts = new();
        using LiveSwitch live = new(hosts.Switch, 1, LiveSwitch.Joined());
        DriverChoice choice = live.Find("left")!.Device.Choice!;
        Assert.Equal("packet", choice.Name);
        Assert.Contains("veth", choice.Reason, StringComparison.Ordinal);
        live.Do("""
            del-if dp-live left right
            add-if dp-live left,driver=xdp
            add-if dp-live right,driver=uring
            add-if dp-live inner,type=internal
            """);
        Assert.Equal(new DriverChoice("xdp", "native, copy", null), live.Find("left")!.Device.Choice);
        Assert.Equal("uring", live.Find("right")!.Device.Choice!.Name);
        Assert.Equal("tap", live.Find("inner")!.Device.Choice!.Name);
        Assert.Contains("xdp", hosts.Switch.Run("ip link show left"), StringComparison.Ordinal);
        live.Do("del-if dp-live left");
        Assert.DoesNotContain("xdp", hosts.Switch.Run("ip link show left"), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("packet")]
    [InlineData("uring")]
    public void A_port_whose_queue_another_holds_tells_that_it_sends_by_calls(string driver)
    {
        using TwoHosts hosts = new();
        using XdpSender other = hosts.Switch.Call(static () =>
        {
            Assert.Equal(Refusal.None, Netdev.TryOpen("left", out Netdev? device));
            using (device)
            {
                return XdpSender.TryOpen(device!.Index, queue: 0)!;
            }
        });
        using LiveSwitch live = new(hosts.Switch, 1, LiveSwitch.Joined($",driver={driver}"));
        Assert.Equal("sends by calls, not AF_XDP", live.Find("left")!.Device.Choice!.Mode);
        Assert.Equal(string.Empty, live.Find("right")!.Device.Choice!.Mode);
    }

    private static IEnumerable<byte[]> Windows(byte[] bytes, int length) => Enumerable.Range(0, bytes.Length - length + 1).Select(i => bytes[i..(i + length)]);
}
