using System.Runtime.InteropServices;
using Engine.Netlink;
using Engine.Platform;
using Engine.Primitives;

namespace Engine.Vports;

/// <summary>Asks the kernel about devices of the network namespace in which it was opened (NETLINK_ROUTE, linux/rtnetlink.h).</summary>
/// <remarks>Threads: any; one question at a time.</remarks>
internal sealed class LinkSocket : IDisposable
{
    private const ushort GetLink = 18, GetStats = 94, NewStats = 92; // RTM_*

    private const int InterfaceName = 3; // IFLA_IFNAME
    private const uint Link64Filter = 1; // IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)

    // struct ifinfomsg: family, padding, type, index at 4, flags, change. struct if_stats_msg: family, padding, index at 4, filter at 8.
    private const int LinkMessageSize = 16, StatsMessageSize = 12, IndexOffset = 4, FilterOffset = 8;

    private const int RequestSize = 128;

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

    /// <summary>Reads an answer.</summary>
    /// <param name="message">The message, header included.</param>
    /// <returns>Null when it is not what was asked for.</returns>
    public delegate T? AnswerReader<T>(ReadOnlySpan<byte> message)
        where T : class;

    /// <summary>Asks for a device.</summary>
    /// <returns>What is told of it; null when it is not, or no longer, in the namespace.</returns>
    public LinkState? TryRead(int index)
    {
        Span<byte> body = stackalloc byte[LinkMessageSize];
        body.Clear();
        MemoryMarshal.Write(body[IndexOffset..], in index);
        lock (_gate)
        {
            return Ask(GetLink, body, null) is { IsEmpty: false } answer && LinkState.TryRead(answer, out LinkState? state) ? state : null;
        }
    }

    /// <summary>Asks for a device by its name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="read">Gets RTM_NEWLINK.</param>
    /// <returns>What <paramref name="read"/> made of it; null when there is no such device.</returns>
    public T? TryRead<T>(string name, AnswerReader<T> read)
        where T : class
    {
        Span<byte> body = stackalloc byte[LinkMessageSize];
        body.Clear();
        lock (_gate)
        {
            return Ask(GetLink, body, name) is { IsEmpty: false } answer ? read(answer) : null;
        }
    }

    /// <summary>
    /// Reads the first counters of a device's struct rtnl_link_stats64, as many as are asked for: packets, bytes, errors and drops, received and sent by
    /// turns, then the rarer ones.
    /// </summary>
    /// <param name="index">The device.</param>
    /// <param name="counters">Filled when the device exists.</param>
    /// <returns>False when there is no such device.</returns>
    public bool TryReadStats(int index, Span<ulong> counters)
    {
        Span<byte> body = stackalloc byte[StatsMessageSize];
        body.Clear();
        MemoryMarshal.Write(body[IndexOffset..], in index);
        MemoryMarshal.Write(body[FilterOffset..], Link64Filter);
        Span<byte> bytes = MemoryMarshal.AsBytes(counters);
        lock (_gate)
        {
            ReadOnlySpan<byte> answer = Ask(GetStats, body, null);
            const int Start = NetlinkHeader.Size + StatsMessageSize + NetlinkAttribute.HeaderSize;
            if (answer.Length < Start + bytes.Length || NetlinkMessages.HeaderOf(answer).Type != NewStats)
            {
                return false;
            }

            answer.Slice(Start, bytes.Length).CopyTo(bytes);
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    // Empty when the kernel has not answered.
    private ReadOnlySpan<byte> Ask(ushort type, ReadOnlySpan<byte> body, string? name)
    {
        Span<byte> request = stackalloc byte[RequestSize];
        NetlinkWriter writer = new(request);
        int start = writer.BeginMessage(new NetlinkHeader { Type = type, Flags = NetlinkFlags.Request, Sequence = ++_sequence });
        writer.PutRaw(body);
        if (name is not null)
        {
            writer.PutString(InterfaceName, name);
        }

        writer.EndMessage(start);
        if (writer.Overflowed || _socket.Send(writer.Written) != Errno.None)
        {
            return default;
        }

        // The kernel has answered when the call returns; what is left of an earlier question is passed over.
        for (int length = _socket.Receive(_answer); length >= NetlinkHeader.Size; length = _socket.Receive(_answer))
        {
            ReadOnlySpan<byte> answer = _answer.AsSpan(0, length);
            if (NetlinkMessages.HeaderOf(answer).Sequence == _sequence)
            {
                return answer;
            }
        }

        return default;
    }
}
