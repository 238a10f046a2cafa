using System.Numerics;
using Engine.Packets;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>A pool's standard frames as AF_XDP memory (UMEM), shared by the drivers of one worker, so that a frame moves from one to the other without a copy.</summary>
/// <remarks>Threads: the control thread opens and closes drivers while the worker is not running them.</remarks>
public sealed class XdpMemory
{
    // The longest ring, and the shortest that holds two batches.
    private const int MostEntries = 4096, LeastEntries = 64;

    // A socket gets at most this share of what is left for all, so that there is some for the next.
    private const int SocketShare = 2;

    private readonly List<XdpSocket> _bound = [];

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

    /// <summary>
    /// The size for the rings of a socket. Those of all sockets together hold at most three quarters of the frames: the others are for packets on their
    /// way, and of other ports.
    /// </summary>
    /// <param name="sockets">How many sockets are to have this size.</param>
    /// <returns>A power of two; 0 when too few frames are left.</returns>
    internal int ChooseRingSize(int sockets)
    {
        // A socket's frames lie in its fill ring, or on their way out in one as long.
        int left = ((Pool.StandardFrameCount / 4 * 3 / 2) - _bound.Sum(static socket => socket.Fill.Size)) / sockets;
        int size = Math.Clamp(left / SocketShare, LeastEntries, MostEntries);
        return left < LeastEntries ? 0 : 1 << BitOperations.Log2((uint)size);
    }

    /// <summary>Opens a bound socket on these frames.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    internal XdpSocket Open(int interfaceIndex, int queue, int ringSize)
    {
        // Any bound socket on the memory will do to share it; the memory stays registered as long as there is one.
        FileDescriptor? shared = _bound.Count != 0 ? _bound[0].Descriptor : null;
        long length = (long)Pool.StandardFrameCount * Pool.StandardFrameSize;
        XdpSocket socket = new(Pool.StandardFrames, length, Pool.StandardFrameSize, shared is not null, ringSize);
        Errno errno = socket.TryBind(interfaceIndex, queue, shared);
        if (errno != Errno.None)
        {
            socket.Dispose();
            throw new SystemCallException("bind AF_XDP", errno);
        }

        _bound.Add(socket);
        return socket;
    }

    internal void Close(XdpSocket socket)
    {
        _bound.Remove(socket);
        socket.Dispose();
    }
}
