using System.Runtime.InteropServices;
using Engine.Packets;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>The two devices of a switch, joined by packet sockets and a thread that forwards.</summary>
internal sealed class PacketSocketPair : IDisposable
{
    private readonly PacketPool _pool = new(4096);

    public PacketSocketPair(TwoHosts hosts, PacketSocketOptions? options = null)
    {
        (Left, LeftDevice) = Open(hosts, "left", options);
        (Right, RightDevice) = Open(hosts, "right", options);
        Loop = new ForwardLoop(_pool, Left, Right, Number(Left.WaitHandle), Number(Right.WaitHandle));
    }

    public PacketSocketDriver Left { get; }

    public PacketSocketDriver Right { get; }

    public Netdev LeftDevice { get; }

    public Netdev RightDevice { get; }

    public ForwardLoop Loop { get; }

    public void Dispose()
    {
        Loop.Dispose();
        Assert.Equal(0, _pool.UsedCount);
        Left.Dispose();
        Right.Dispose();
        LeftDevice.Dispose();
        RightDevice.Dispose();
        _pool.Dispose();
    }

    private static (PacketSocketDriver Driver, Netdev Device) Open(TwoHosts hosts, string name, PacketSocketOptions? options) => hosts.Switch.Call(() =>
    {
        Assert.Equal(Refusal.None, Netdev.TryOpen(name, out Netdev? device));
        Assert.Equal(Refusal.None, PacketSocketDriver.TryOpen(device!, options ?? new PacketSocketOptions(), out PacketSocketDriver? driver));
        return (driver!, device!);
    });

    private static int Number(SafeHandle handle) => (int)handle.DangerousGetHandle();
}
