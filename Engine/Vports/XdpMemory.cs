using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>A pool's standard frames as AF_XDP memory (UMEM), shared by the drivers of one worker, so that a frame moves from one to the other without a copy.</summary>
/// <remarks>Threads: the control thread opens and closes drivers while the worker is not running them.</remarks>
public sealed class XdpMemory
{
    private readonly List<FileDescriptor> _bound = [];

    /// <summary>Makes the pool's frames ready to be shared with the kernel.</summary>
    /// <param name="pool">Its standard frames have 2,048 or 4,096 bytes. Must outlive the drivers.</param>
    /// <exception cref="ArgumentException">Its frames have another size.</exception>
    public XdpMemory(PacketPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (!Takes(pool))
        {
            throw new ArgumentException("AF_XDP takes frames of 2,048 or 4,096 bytes: PacketPool.XdpFrameSize.", nameof(pool));
        }

        Pool = pool;
    }

    /// <summary>Whether the frames of a pool have a size that AF_XDP takes.</summary>
    public static bool Takes(PacketPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return pool.StandardFrameSize is PacketPool.XdpFrameSize or (2 * PacketPool.XdpFrameSize);
    }

    /// <summary>The pool.</summary>
    public PacketPool Pool { get; }

    /// <summary>Opens a bound socket on these frames.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    internal XdpSocket Open(int interfaceIndex, int queue, int ringSize)
    {
        // Any bound socket on the memory will do to share it; the memory stays registered as long as there is one.
        FileDescriptor? shared = _bound.Count != 0 ? _bound[0] : null;
        long length = (long)Pool.StandardFrameCount * Pool.StandardFrameSize;
        XdpSocket socket = new(Pool.StandardFrames, length, Pool.StandardFrameSize, shared is not null, ringSize);
        Errno errno = socket.TryBind(interfaceIndex, queue, shared);
        if (errno != Errno.None)
        {
            socket.Dispose();
            throw new SystemCallException("bind AF_XDP", errno);
        }

        _bound.Add(socket.Descriptor);
        return socket;
    }

    internal void Close(XdpSocket socket)
    {
        _bound.Remove(socket.Descriptor);
        socket.Dispose();
    }
}
