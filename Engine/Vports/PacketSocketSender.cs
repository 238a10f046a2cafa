using Engine.Packets;
using Engine.Platform;

namespace Engine.Vports;

/// <summary>The way out by a device for a worker that receives nothing from it: a packet socket without a ring.</summary>
/// <remarks>Partial checksums and super-frames are carried. Threads: one worker.</remarks>
internal sealed class PacketSocketSender : IVportDriver
{
    private readonly FileDescriptor _socket;
    private readonly PacketTransmitter _transmitter;

    private PacketSocketSender(Netdev netdev, FileDescriptor socket)
    {
        _socket = socket;
        _transmitter = new PacketTransmitter(netdev, socket, null);
    }

    /// <summary>Opens the socket.</summary>
    /// <exception cref="SystemCallException">The kernel refused.</exception>
    public static PacketSocketSender Open(Netdev netdev) => new(netdev, PacketSocket.OpenSender(netdev.Index));

    /// <inheritdoc/>
    public void Receive(PacketPool pool, ref PacketBatch batch)
    {
    }

    /// <inheritdoc/>
    public int Transmit(PacketPool pool, ref PacketBatch batch) => _transmitter.Transmit(pool, ref batch);

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _transmitter.Dispose();
    }
}
