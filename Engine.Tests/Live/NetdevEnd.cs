using System.Diagnostics;
using Engine.Packets;
using Engine.Primitives;
using Engine.Vports;

namespace Engine.Tests.Live;

/// <summary>A packet socket on a host's device, to send frames of any kind and see those that arrive. The host itself sees none meanwhile.</summary>
internal sealed unsafe class NetdevEnd : IDisposable
{
    private readonly PacketPool _pool = new(4096);
    private readonly Netdev _device;
    private readonly PacketSocketDriver _driver;

    public NetdevEnd(NetworkNamespace host, string name)
    {
        (_device, _driver) = host.Call(() =>
        {
            Assert.Equal(Refusal.None, Netdev.TryOpen(name, out Netdev? device));
            Assert.Equal(Refusal.None, PacketSocketDriver.TryOpen(device!, new PacketSocketOptions(), out PacketSocketDriver? driver));
            return (device!, driver!);
        });
    }

    /// <summary>Takes the first frame that is wanted; fails when none comes any more.</summary>
    public static byte[] Receive(IVportDriver driver, PacketPool pool, Func<byte[], bool> wanted)
    {
        byte[]? found;
        for (long started = Stopwatch.GetTimestamp(); (found = TryReceive(driver, pool, wanted)) is null; Thread.Yield())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Eventually.Limit, "The frame did not arrive.");
        }

        return found;
    }

    public void Send(byte[] frame)
    {
        PacketBatch batch = default;
        Packet* packet = _pool.TryAllocate(frame.Length);
        Assert.True(packet != null && packet->TrySetBytes(frame));
        batch.Add(packet);
        Assert.Equal(1, _driver.Transmit(_pool, ref batch));
    }

    public byte[] Receive(Func<byte[], bool> wanted) => Receive(_driver, _pool, wanted);

    /// <summary>Whether a frame that is wanted is among those that have arrived.</summary>
    public bool HasReceived(Func<byte[], bool> wanted) => TryReceive(_driver, _pool, wanted) is not null;

    public void Dispose()
    {
        _driver.Dispose();
        _device.Dispose();
        _pool.Dispose();
    }

    // Takes one batch.
    private static byte[]? TryReceive(IVportDriver driver, PacketPool pool, Func<byte[], bool> wanted)
    {
        byte[]? found = null;
        PacketBatch batch = default;
        driver.Receive(pool, ref batch);
        for (int i = 0; i < batch.Count; i++)
        {
            byte[] bytes = batch[i].Bytes.ToArray();
            found ??= wanted(bytes) ? bytes : null;
            pool.Free(batch.Pointer(i));
        }

        return found;
    }
}
