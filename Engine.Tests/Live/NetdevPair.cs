using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>The two devices of a switch, each with a driver, and a thread that forwards between them.</summary>
internal sealed class NetdevPair : IDisposable
{
    private readonly PacketPool _pool = new(8192, PacketPool.XdpFrameSize);

    /// <summary>Opens both and starts the thread.</summary>
    /// <param name="hosts">Whose switch.</param>
    /// <param name="driver">packet, uring, xdp-native or xdp-generic.</param>
    public NetdevPair(TwoHosts hosts, string driver)
    {
        XdpMemory memory = new(_pool);
        (Left, LeftDevice, int left) = Open(hosts, "left", driver, memory);
        (Right, RightDevice, int right) = Open(hosts, "right", driver, memory);
        Loop = new ForwardLoop(_pool, Left, Right, left, right);
    }

    public IVportDriver Left { get; }

    public IVportDriver Right { get; }

    public Netdev LeftDevice { get; }

    public Netdev RightDevice { get; }

    public ForwardLoop Loop { get; }

    /// <summary>Opens a device of the switch.</summary>
    public static (IVportDriver Driver, Netdev Device, int Descriptor) Open(TwoHosts hosts, string name, string driver, XdpMemory memory) => hosts.Switch.Call(() =>
    {
        Assert.Equal(Refusal.None, Netdev.TryOpen(name, out Netdev? device));
        switch (driver)
        {
            case "packet":
                Assert.Equal(Refusal.None, PacketSocketDriver.TryOpen(device!, new PacketSocketOptions(), out PacketSocketDriver? packet));
                return ((IVportDriver)packet!, device!, Number(packet!.WaitHandle));
            case "uring":
                Assert.Equal(Refusal.None, UringDriver.TryOpen(device!, out UringDriver? uring));
                return (uring!, device!, Number(uring!.WaitHandle));
            default:
                XdpMode mode = driver == "xdp-native" ? XdpMode.Native : XdpMode.Generic;
                Assert.Equal(Refusal.None, XdpDriver.TryOpen(device!, memory, new XdpOptions { Mode = mode }, out XdpDriver? xdp));
                Assert.Equal(mode, device!.XdpMode);

                // As a worker does when a port is added: the first look lends the kernel its frames.
                PacketBatch none = default;
                xdp!.Receive(memory.Pool, ref none);
                Assert.Equal(0, none.Count);
                return (xdp, device, Number(xdp.WaitHandle));
        }
    });

    public void Dispose()
    {
        Loop.Dispose();
        Left.Dispose();
        Right.Dispose();
        LeftDevice.Dispose();
        RightDevice.Dispose();
        Assert.Equal(0, _pool.UsedCount);
        _pool.Dispose();
    }

    private static int Number(SafeHandle handle) => (int)handle.DangerousGetHandle();
}
