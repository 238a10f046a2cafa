using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engine.Platform;

namespace Engine.Control;

/// <summary>What an <see cref="ExecLauncher"/>, an <see cref="ExecKeeper"/> and a <see cref="SocketServer"/> tell each other; most carry a descriptor.</summary>
/// <remarks>All three are of one installation, so the layout is that of this machine and this version.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal record struct ExecMessage
{
    /// <summary>What it is about.</summary>
    public ExecMessageKind Kind;

    /// <summary>Of a listener: programs' netlink sockets get descriptors from here on.</summary>
    public int FirstDescriptor;

    /// <summary>Of a socket: NETLINK_GENERIC or NETLINK_NETFILTER.</summary>
    public int Protocol;

    /// <summary>Of a socket: its port id.</summary>
    public uint PortId;

    /// <summary>Of a socket: inode of the program's end.</summary>
    public ulong Inode;

    /// <summary>Of a socket: the multicast groups it has joined, a bit each, from the server's first on.</summary>
    public ulong Groups;

    /// <summary>Of a socket: the host's multicast groups it has joined, a bit each, from 1 on.</summary>
    public ulong HostGroups;

    /// <summary>Of a socket: what else is known.</summary>
    public ExecSocketFlags Flags;

    /// <summary>Sends it, and a descriptor with it.</summary>
    /// <returns>False when there is no room, or nobody there.</returns>
    public readonly bool TrySend(SequencedSocket socket, FileDescriptor? descriptor)
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<ExecMessage>(in this));
        return descriptor is null ? socket.TrySend(bytes) : socket.TrySend(bytes, descriptor);
    }

    /// <summary>Reads one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ExecMessage message)
    {
        bool isWhole = bytes.Length == Unsafe.SizeOf<ExecMessage>();
        message = isWhole ? MemoryMarshal.Read<ExecMessage>(bytes) : default;
        return isWhole;
    }
}

/// <summary>What an <see cref="ExecMessage"/> is about.</summary>
internal enum ExecMessageKind
{
    /// <summary>The connection to a server, for a keeper.</summary>
    Server = 1,

    /// <summary><see cref="PendingCalls"/>.</summary>
    Pending,

    /// <summary>The server's end of a program's socket; without a descriptor, what has changed of one.</summary>
    Socket,

    /// <summary>A seccomp listener: all is told.</summary>
    Listener,
}

/// <summary>Options and state of a program's socket.</summary>
[Flags]
internal enum ExecSocketFlags : ulong
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>NETLINK_EXT_ACK.</summary>
    ExtendedAcks = 1,

    /// <summary>NETLINK_CAP_ACK.</summary>
    ShortErrors = 2,

    /// <summary>The program may change anything.</summary>
    Administrator = 4,

    /// <summary>A family of the server was asked for something.</summary>
    HasTalked = 8,
}
