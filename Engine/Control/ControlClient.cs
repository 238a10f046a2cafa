using System.Diagnostics.CodeAnalysis;

namespace Engine.Control;

/// <summary>One netlink socket of a control program, as the server sees it: its port id, its options, and the way to it.</summary>
/// <remarks>
/// Threads: options and dumps belong to the control thread; groups are changed by one thread at a time and read by any. <see cref="TrySend"/> is also called by workers, for upcalls, and has to allow that.
/// </remarks>
public abstract class ControlClient
{
    // More than any host has, so that nobody fills memory with them.
    private const int MostGroups = 256;

    // Replaced as a whole: whoever multicasts reads it meanwhile.
    private volatile uint[] _groups = [];
    private long _lost;

    /// <summary>A socket with this port id.</summary>
    protected ControlClient(uint portId) => PortId = portId;

    /// <summary>The netlink port id: unique among the clients of a server, not 0.</summary>
    public uint PortId { get; }

    /// <summary>NETLINK_EXT_ACK: errors carry a sentence and where.</summary>
    public bool WantsExtendedAcks { get; set; }

    /// <summary>NETLINK_CAP_ACK: errors repeat only the header of the request.</summary>
    public bool WantsShortErrors { get; set; }

    /// <summary>Whether it may change anything (CAP_NET_ADMIN).</summary>
    public bool IsAdministrator { get; set; } = true;

    /// <summary>Datagrams that the client did not take in time: as when a netlink socket's buffer is full, they are gone.</summary>
    public long Lost => Volatile.Read(ref _lost);

    /// <summary>Whether a dump is under way: <see cref="ControlServer.Continue"/> goes on with it once the client has taken some of it.</summary>
    [MemberNotNullWhen(true, nameof(Dump))]
    public bool IsDumping => Dump is not null;

    /// <summary>What is being dumped, or null.</summary>
    internal ControlDump? Dump { get; set; }

    /// <summary>Joins a multicast group (NETLINK_ADD_MEMBERSHIP).</summary>
    public void Join(uint group)
    {
        if (!IsMember(group) && _groups.Length < MostGroups)
        {
            _groups = [.. _groups, group];
        }
    }

    /// <summary>Leaves a multicast group (NETLINK_DROP_MEMBERSHIP).</summary>
    public void Leave(uint group) => _groups = Array.FindAll(_groups, other => other != group);

    /// <summary>Whether it has joined a multicast group.</summary>
    public bool IsMember(uint group) => Array.IndexOf(_groups, group) >= 0;

    /// <summary>The groups it has joined, from one on: a bit each.</summary>
    internal ulong GroupsFrom(uint first)
    {
        ulong groups = 0;
        foreach (uint group in _groups)
        {
            groups |= group >= first && group - first < 64 ? 1ul << (int)(group - first) : 0;
        }

        return groups;
    }

    /// <summary>Hands one datagram to the client without waiting. The bytes are copied.</summary>
    /// <returns>False when it has no room, or is gone.</returns>
    protected abstract bool TrySend(ReadOnlySpan<byte> datagram);

    /// <summary>Sends a datagram; one that is not taken is lost, and counted.</summary>
    internal bool Send(ReadOnlySpan<byte> datagram)
    {
        if (TrySend(datagram))
        {
            return true;
        }

        Interlocked.Increment(ref _lost);
        return false;
    }

    /// <summary>A dump begins or has ended: a client that can hold a whole one makes room for it, or gives the room back.</summary>
    internal virtual void PrepareForDump(bool begins)
    {
    }

    /// <summary>Sends a datagram of a dump, which is kept and tried again when it is not taken.</summary>
    internal virtual bool TrySendDump(ReadOnlySpan<byte> datagram) => TrySend(datagram);
}
