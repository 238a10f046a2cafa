using System.Runtime.InteropServices;
using Engine.Netlink;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>Asks the kernel about devices of the network namespace in which it was opened.</summary>
/// <remarks>Threads: any; one question at a time.</remarks>
internal sealed class LinkSocket : IDisposable
{
    private const ushort GetLink = 18; // RTM_GETLINK
    private const int RequestSize = NetlinkHeader.Size + 16;

    // A device's answer takes about 2 KiB; those with many virtual functions more.
    private const int AnswerSize = 1 << 16;

    private readonly Lock _gate = new();
    private readonly byte[] _answer = new byte[AnswerSize];
    private readonly HostNetlinkSocket _socket;
    private uint _sequence;

    /// <summary>Opens the socket.</summary>
    /// <exception cref="SystemCallException">The kernel gives none.</exception>
    public LinkSocket() =>
        _socket = HostNetlinkSocket.TryOpen(Libc.NETLINK_ROUTE, 0, wantsExtendedAcks: false, isNonBlocking: false)
            ?? throw new SystemCallException("socket NETLINK_ROUTE", Libc.LastErrno);

    /// <summary>Asks for a device.</summary>
    /// <returns>What is told of it; null when it is not, or no longer, in the namespace.</returns>
    public LinkState? TryRead(int index)
    {
        lock (_gate)
        {
            Span<byte> request = stackalloc byte[RequestSize];
            request.Clear();
            NetlinkHeader header = new() { Length = RequestSize, Type = GetLink, Flags = NetlinkFlags.Request, Sequence = ++_sequence };
            MemoryMarshal.Write(request, in header);
            MemoryMarshal.Write(request[(NetlinkHeader.Size + 4)..], in index);
            if (_socket.Send(request) != Errno.None)
            {
                return null;
            }

            // The kernel has answered when the call returns.
            for (int length = _socket.Receive(_answer); length >= NetlinkHeader.Size; length = _socket.Receive(_answer))
            {
                ReadOnlySpan<byte> answer = _answer.AsSpan(0, length);
                if (MemoryMarshal.Read<NetlinkHeader>(answer).Sequence == _sequence)
                {
                    return LinkState.TryRead(answer, out LinkState? state) ? state : null;
                }
            }

            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
