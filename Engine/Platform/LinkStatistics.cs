using System.Runtime.InteropServices;

namespace Engine.Platform;

/// <summary>The counters that the kernel keeps for each network device, by RTM_GETSTATS of NETLINK_ROUTE: one question, one answer.</summary>
/// <remarks>Threads: any, one at a time. It sees the network namespace of the thread that opened it.</remarks>
internal sealed class LinkStatistics : IDisposable
{
    private const ushort GetStats = 94, NewStats = 92, Request = 1;

    // IFLA_STATS_LINK_64, and the bit of it in a filter.
    private const ushort Link64 = 1;

    private const int HeaderSize = 16, MessageSize = 12, AttributeHeaderSize = 4;

    private readonly Lock _gate = new();
    private readonly HostNetlinkSocket _socket;
    private readonly byte[] _buffer = new byte[1024];
    private uint _sequence;

    private LinkStatistics(HostNetlinkSocket socket) => _socket = socket;

    /// <summary>Opens a socket for the questions.</summary>
    /// <returns>Null when the kernel gives none.</returns>
    public static LinkStatistics? TryOpen() =>
        HostNetlinkSocket.TryOpen(Libc.NETLINK_ROUTE, 0, wantsExtendedAcks: false, isNonBlocking: false) is { } socket ? new LinkStatistics(socket) : null;

    /// <summary>Reads the first counters of a device's struct rtnl_link_stats64, as many as are asked for: packets, bytes, errors and drops, received and sent by turns, then the rarer ones.</summary>
    /// <param name="ifindex">The device.</param>
    /// <param name="counters">Filled when the device exists.</param>
    /// <returns>False when there is no such device.</returns>
    public bool TryRead(int ifindex, Span<ulong> counters)
    {
        lock (_gate)
        {
            // struct nlmsghdr, struct if_stats_msg: family, padding, index, filter.
            Span<uint> words = stackalloc uint[(HeaderSize + MessageSize) / sizeof(uint)];
            words.Clear();
            words[0] = HeaderSize + MessageSize;
            words[1] = GetStats | (Request << 16);
            words[2] = ++_sequence;
            words[5] = (uint)ifindex;
            words[6] = 1u << (Link64 - 1);
            if (_socket.Send(MemoryMarshal.AsBytes(words)) != Primitives.Errno.None)
            {
                return false;
            }

            // The kernel has answered; what is left of an earlier question is passed over.
            while (_socket.Receive(_buffer) is > 0 and int length)
            {
                ReadOnlySpan<byte> answer = _buffer.AsSpan(0, length);
                if (length >= HeaderSize && MemoryMarshal.Read<uint>(answer[8..]) == _sequence)
                {
                    return TryCopy(answer, counters);
                }
            }

            return false;
        }
    }

    /// <summary>Closes the socket.</summary>
    public void Dispose() => _socket.Dispose();

    private static bool TryCopy(ReadOnlySpan<byte> answer, Span<ulong> counters)
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(counters);
        if (MemoryMarshal.Read<ushort>(answer[4..]) != NewStats || answer.Length < HeaderSize + MessageSize + AttributeHeaderSize + bytes.Length)
        {
            return false;
        }

        answer.Slice(HeaderSize + MessageSize + AttributeHeaderSize, bytes.Length).CopyTo(bytes);
        return true;
    }
}
