using Engine.Primitives;

namespace Engine.Platform;

/// <summary>A netlink socket of the host's kernel.</summary>
/// <remarks>Threads: one at a time; another may close it meanwhile.</remarks>
internal sealed unsafe class HostNetlinkSocket : IDisposable
{
    private HostNetlinkSocket(FileDescriptor descriptor) => Descriptor = descriptor;

    /// <summary>The socket.</summary>
    public FileDescriptor Descriptor { get; }

    /// <summary>Opens a socket, with this port id if the kernel has it free.</summary>
    /// <param name="protocol">NETLINK_*.</param>
    /// <param name="portId">The port id wished for.</param>
    /// <param name="wantsExtendedAcks">NETLINK_EXT_ACK.</param>
    /// <param name="isNonBlocking">Whether calls on it do not wait.</param>
    /// <returns>Null when the kernel gives none.</returns>
    public static HostNetlinkSocket? TryOpen(int protocol, uint portId, bool wantsExtendedAcks, bool isNonBlocking)
    {
        int number = Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC | (isNonBlocking ? Libc.SOCK_NONBLOCK : 0), protocol);
        if (number < 0)
        {
            return null;
        }

        Libc.sockaddr_nl address = new() { nl_family = Libc.AF_NETLINK, nl_pid = portId };
        if (Libc.bind(number, &address, (uint)sizeof(Libc.sockaddr_nl)) < 0)
        {
            address.nl_pid = 0;
            _ = Libc.bind(number, &address, (uint)sizeof(Libc.sockaddr_nl));
        }

        if (wantsExtendedAcks)
        {
            int on = 1;
            _ = Libc.setsockopt(number, Libc.SOL_NETLINK, Libc.NETLINK_EXT_ACK, &on, sizeof(int));
        }

        return new HostNetlinkSocket(new FileDescriptor(number));
    }

    /// <summary>Joins multicast groups.</summary>
    /// <param name="groups">A bit each, from group 1 on, as bind(2) takes them.</param>
    /// <returns>Whether the kernel has let it.</returns>
    public bool TryJoin(uint groups)
    {
        bool hasJoined = true;
        for (uint group = 1; groups != 0; group++, groups >>= 1)
        {
            hasJoined &= (groups & 1) == 0 || Join(group, joins: true) == Errno.None;
        }

        return hasJoined;
    }

    /// <summary>Joins or leaves a multicast group.</summary>
    /// <returns>What the kernel says.</returns>
    public Errno Join(uint group, bool joins)
    {
        int option = joins ? Libc.NETLINK_ADD_MEMBERSHIP : Libc.NETLINK_DROP_MEMBERSHIP;
        using FileDescriptor.Held held = Descriptor.Hold();
        return Libc.setsockopt(held.Number, Libc.SOL_NETLINK, option, &group, sizeof(uint)) == 0 ? Errno.None : Libc.LastErrno;
    }

    /// <summary>Asks the kernel, which has begun to answer when this returns.</summary>
    public Errno Send(ReadOnlySpan<byte> message)
    {
        Libc.sockaddr_nl kernel = new() { nl_family = Libc.AF_NETLINK };
        using FileDescriptor.Held held = Descriptor.Hold();
        fixed (byte* bytes = message)
        {
            return Libc.sendto(held.Number, bytes, (nuint)message.Length, 0, &kernel, (uint)sizeof(Libc.sockaddr_nl)) < 0 ? Libc.LastErrno : Errno.None;
        }
    }

    /// <summary>Takes the next datagram without waiting; reading lets the kernel go on with a dump.</summary>
    /// <returns>Bytes taken; 0 or less when there is none.</returns>
    public int Receive(Span<byte> buffer)
    {
        using FileDescriptor.Held held = Descriptor.Hold();
        fixed (byte* into = buffer)
        {
            return (int)Libc.recv(held.Number, into, (nuint)buffer.Length, Libc.MSG_DONTWAIT);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Descriptor.Dispose();
}
